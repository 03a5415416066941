//! Texts of catalog entries as HTML. They may come from anywhere: HTML in them is shown as text, and links lead to
//! the web or nowhere.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};

/// A text in `CommonMark` as HTML, without its first heading (the page has the title) and without pictures (nothing is
/// fetched from elsewhere).
pub(crate) fn html(text: &str) -> String {
    let text = text.trim_start();
    let body = match text.strip_prefix("# ") {
        Some(rest) => rest.split_once('\n').map_or("", |(_, body)| body),
        None => text,
    };
    let events = Parser::new_ext(body, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::Image { title, .. }) => Event::Start(Tag::Link {
            link_type: pulldown_cmark::LinkType::Inline,
            dest_url: CowStr::Borrowed(""),
            title,
            id: CowStr::Borrowed(""),
        }),
        Event::End(pulldown_cmark::TagEnd::Image) => Event::End(pulldown_cmark::TagEnd::Link),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url: if is_web(&dest_url) {
                dest_url
            } else {
                CowStr::Borrowed("")
            },
            title,
            id,
        }),
        event => event,
    });
    let mut written = String::new();
    html::push_html(&mut written, events);
    written
}

/// Whether an address leads to the web, and not to a script or a file.
pub(crate) fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_without_its_title() {
        assert_eq!(
            html("# Memos\n\nNotes, *short*.\n"),
            "<p>Notes, <em>short</em>.</p>\n"
        );
    }

    #[test]
    fn nothing_hostile_gets_through() {
        let shown = html(
            "<script>alert(1)</script>\n\n[a](javascript:alert(1)) <b onclick=x>b</b> ![p](http://evil/x.png) \
             [ok](https://example.org)",
        );
        assert!(
            !shown.contains("<script") && !shown.contains("<b ") && !shown.contains("<img"),
            "{shown}"
        );
        assert!(
            !shown.contains("javascript:") && !shown.contains("evil"),
            "{shown}"
        );
        assert!(shown.contains("href=\"https://example.org\""), "{shown}");
    }
}
