//! What a visitor of a simulated app sees: a page of the simulation's own, which says what stands behind it.

use std::net::SocketAddr;
use std::time::Duration;

use super::docker::{Found, Visitor};
use super::guest::Guest;

/// Nothing is fetched from anywhere, and nothing runs.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'";

const HTML: &str = "text/html; charset=utf-8";
const SVG: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
}

impl Page {
    pub(super) fn plain(status: u16, text: &str) -> Self {
        Self {
            status,
            kind: TEXT,
            body: text.to_owned(),
        }
    }

    fn of_kind(kind: &'static str, body: String) -> Self {
        Self {
            status: 200,
            kind,
            body,
        }
    }
}

/// The answer of what listens on a port of a guest; `None` when nothing does. The visit goes into its log.
pub(super) fn of(guest: &Guest, address: SocketAddr, visitor: &Visitor<'_>) -> Option<Page> {
    let spec = guest.spec();
    let found = guest.docker().receive(visitor)?;
    if let Some(value) = found.value {
        return Some(Page::plain(200, &value));
    }
    if is_health(visitor.path) {
        return Some(Page::plain(200, "OK\n"));
    }
    if visitor.path.starts_with("/favicon") {
        return Some(Page::of_kind(SVG, icon(&spec.hostname)));
    }
    let rows = [
        ("Image", found.image.as_str()),
        ("Container", &found.container),
        ("Guest", &format!("{} on {}", spec.vmid, spec.node)),
        ("Address", &address.to_string()),
        ("Up for", &spoken(found.up)),
        ("You asked for", visitor.path),
    ];
    Some(Page::of_kind(HTML, html(&spec.hostname, &found, &rows)))
}

/// Paths that say nothing but that the app is well.
fn is_health(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    matches!(last, "healthz" | "health" | "alive" | "ping" | "readyz")
}

fn html(app: &str, found: &Found, rows: &[(&str, &str)]) -> String {
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(value)))
        .collect();
    let app = escaped(app);
    let service = escaped(&found.service);
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{app} · simulated</title>
<link rel="icon" type="image/svg+xml" href="/favicon.svg">
<style>{STYLE}</style>
</head>
<body>
<main>
<p class="mark">Simulation</p>
<img src="/favicon.svg" alt="" width="56" height="56">
<h1>{app}</h1>
<p>Here the service <code>{service}</code> would greet you. In this simulation nothing of it runs: only this page answers in its place.</p>
<dl>
{rows}</dl>
</main>
</body>
</html>
"#
    )
}

const STYLE: &str = ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}\
body{margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#f3f4f1,#14171a);color:light-dark(#1d2327,#e4e7e9)}\
main{box-sizing:border-box;width:min(34rem,100vw - 2rem);margin:1rem;padding:2rem;border-radius:12px;background:light-dark(#fff,#1d2226);border:1px solid light-dark(#d9ddda,#323a40)}\
img{display:block;margin:.75rem 0}h1{margin:0;font-size:1.6rem;overflow-wrap:anywhere}\
.mark{display:inline-block;margin:0;padding:.1rem .6rem;border-radius:99px;font-size:.8rem;font-weight:600;background:light-dark(#fdeeca,#4a3a12);color:light-dark(#6b4a00,#ffdf94)}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:1.5rem 0 0}dt{color:light-dark(#5a646b,#9aa5ad)}dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}\
code{font:.95em ui-monospace,monospace}";

/// The first letter on a colour that belongs to the name.
fn icon(app: &str) -> String {
    let hue = app
        .bytes()
        .fold(0u32, |sum, byte| (sum * 31 + u32::from(byte)) % 360);
    let letter: String = app.chars().take(1).flat_map(char::to_uppercase).collect();
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="hsl({hue} 45% 38%)"/><text x="32" y="44" font-family="system-ui,sans-serif" font-size="34" font-weight="600" text-anchor="middle" fill="#fff">{}</text></svg>"##,
        escaped(&letter)
    )
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}

fn spoken(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_visitor_typed_is_text_and_nothing_else() {
        let found = Found {
            service: "web".to_owned(),
            container: "a-web-1".to_owned(),
            image: "nginx".to_owned(),
            up: Duration::from_secs(3),
            value: None,
        };
        let page = html(
            "notes",
            &found,
            &[("You asked for", "/<script>alert('1')</script>")],
        );
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("/&lt;script&gt;"), "{page}");
        assert!(!page.contains("://"), "a request to somewhere else: {page}");
    }

    #[test]
    fn paths_that_health_checks_ask_for() {
        for path in ["/healthz", "/v1/health", "/api/healthz", "/alive"] {
            assert!(is_health(path), "{path}");
        }
        assert!(!is_health("/wp-login.php") && !is_health("/"));
    }
}
