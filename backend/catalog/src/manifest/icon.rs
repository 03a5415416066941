//! The picture of an app.

use serde::Serialize;

use super::Files;
use crate::finding::{At, Findings};

const MAX_BYTES: usize = 64 * 1024;

/// Where a picture is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "at", rename_all = "snake_case")]
pub enum Icon {
    /// A file of the entry.
    File(String),
    /// A name in the icon collection of selfh.st.
    SelfHst(String),
    /// An `https` address.
    Url(String),
}

pub(super) fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("svg") => "image/svg+xml",
        Some("webp") => "image/webp",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => "image/png",
    }
}

/// The icon that is named, or the file that is there.
pub(super) fn read(
    named: Option<String>,
    files: &Files,
    at: &At,
    findings: &mut Findings,
) -> Option<Icon> {
    let Some(named) = named else {
        let present = ["icon.svg", "icon.png"]
            .into_iter()
            .find(|p| files.contains_key(*p))?;
        return check(present, files, findings);
    };
    if let Some(slug) = named.strip_prefix("selfhst:") {
        return Some(Icon::SelfHst(slug.to_owned()));
    }
    if named.starts_with("https://") && url::Url::parse(&named).is_ok() {
        return Some(Icon::Url(named));
    }
    if !files.contains_key(&named) {
        let shown = crate::text::excerpt(&named);
        findings.error(
            at,
            format!(
                "The icon `{shown}` is no file of the entry, no https address and no selfhst: name."
            ),
        );
        return None;
    }
    check(&named, files, findings)
}

fn check(path: &str, files: &Files, findings: &mut Findings) -> Option<Icon> {
    let bytes = files.get(path)?;
    let at = At::file(path);
    if bytes.len() > MAX_BYTES {
        findings.error(&at, format!("An icon has at most {MAX_BYTES} bytes."));
        return None;
    }
    if media_type(path) == "image/svg+xml" && is_active(bytes) {
        findings.error(
            &at,
            "This drawing holds a script or loads something; an icon only draws.",
        );
        return None;
    }
    Some(Icon::File(path.to_owned()))
}

/// Whether a drawing does more than draw: it would run with the rights of whoever looks at the catalog.
fn is_active(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let events = text.match_indices(" on").any(|(at, _)| {
        text[at + 3..]
            .split('=')
            .next()
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_alphabetic()))
    });
    let words = [
        "<script",
        "<!entity",
        "<!doctype",
        "<foreignobject",
        "javascript:",
        "<iframe",
        "href=\"http",
        "url(http",
    ];
    events || words.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_only_draw() {
        assert!(!is_active(
            br#"<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>"#
        ));
        for active in [
            "<svg><script>1</script></svg>",
            "<svg onload=\"x()\"/>",
            "<svg><a href=\"javascript:x()\"/></svg>",
            "<!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><svg>&x;</svg>",
            "<svg><image href=\"http://tracker\"/></svg>",
        ] {
            assert!(is_active(active.as_bytes()), "{active}");
        }
    }
}
