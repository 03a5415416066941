//! Light, dark, or as the system says; and how dense. Cookies that the server reads, so that a page is painted right at once.

use axum::http::HeaderMap;
use axum_extra::extract::CookieJar;
use serde::Serialize;

/// Name of the cookie that says light or dark.
const THEME: &str = "proximity_theme";
/// Name of the cookie that says how dense.
const DENSITY: &str = "proximity_density";
/// How many seconds a browser keeps a choice: a year.
const KEPT: u32 = 365 * 24 * 60 * 60;

/// How pages look to whoever asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Look {
    /// `light`, `dark`, or empty for what the system says.
    pub(crate) theme: &'static str,
    /// `compact`, or empty for the usual.
    pub(crate) density: &'static str,
}

impl Look {
    /// As the cookies say; anything unknown is as if absent.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let cookies = CookieJar::from_headers(headers);
        let value = |name| cookies.get(name).map_or("", |cookie| cookie.value());
        Self {
            theme: theme(value(THEME)),
            density: density(value(DENSITY)),
        }
    }
}

/// A theme that there is.
pub(crate) fn theme(text: &str) -> &'static str {
    match text {
        "light" => "light",
        "dark" => "dark",
        _ => "",
    }
}

/// A density that there is.
pub(crate) fn density(text: &str) -> &'static str {
    match text {
        "compact" => "compact",
        _ => "",
    }
}

/// The cookie that keeps a theme.
pub(crate) fn keep_theme(theme: &'static str) -> String {
    keep(THEME, theme)
}

/// The cookie that keeps a density.
pub(crate) fn keep_density(density: &'static str) -> String {
    keep(DENSITY, density)
}

fn keep(name: &str, value: &str) -> String {
    let seconds = if value.is_empty() { 0 } else { KEPT };
    format!("{name}={value}; Path=/; Max-Age={seconds}; SameSite=Lax")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn only_what_there_is_reaches_a_page() {
        let look = |cookie: &'static str| {
            Look::of(&HeaderMap::from_iter([(
                header::COOKIE,
                HeaderValue::from_static(cookie),
            )]))
        };
        assert_eq!(look("proximity_theme=dark").theme, "dark");
        assert_eq!(look("proximity_theme=\"><script>").theme, "");
        assert_eq!(look("proximity_density=compact").density, "compact");
        assert_eq!(Look::of(&HeaderMap::new()), Look::default());
    }
}
