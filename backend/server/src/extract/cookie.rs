//! The session's cookie.

use axum::http::{HeaderMap, HeaderName, Uri, header, uri::Scheme};
use axum_extra::extract::CookieJar;

/// Its name.
const COOKIE: &str = "proximity_session";

/// How many seconds a browser keeps it: 90 days. Longer than a session lasts, because using a session prolongs
/// it: the service decides when a session is over, not the browser.
const KEPT: u64 = 90 * 24 * 60 * 60;

/// A header of an answer.
pub(crate) type Header = [(HeaderName, String); 1];

/// The session's secret, where the request carries one.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<String> {
    CookieJar::from_headers(headers)
        .get(COOKIE)
        .map(|cookie| cookie.value().to_owned())
}

/// The cookie that begins a session.
///
/// `Lax`, not `Strict`: a link from elsewhere (a dashboard, a mail) opens Proximity logged in, and no `GET`
/// changes anything; writes need the CSRF token besides.
pub(crate) fn starting(secret: &str, secure: bool) -> Header {
    debug_assert!(
        secret.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "a secret is hexadecimal digits"
    );
    set(secret, KEPT, secure)
}

/// The cookie that ends it.
pub(crate) fn ending(secure: bool) -> Header {
    set("", 0, secure)
}

fn set(value: &str, seconds: u64, secure: bool) -> Header {
    let secure = if secure { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    [(header::SET_COOKIE, cookie)]
}

/// Whether the browser reached us over https, itself or through a proxy that says so. Whoever lies about it
/// harms their own cookie only.
pub(crate) fn is_secure(uri: &Uri, headers: &HeaderMap) -> bool {
    let forwarded = headers
        .get("x-forwarded-proto")
        .and_then(|proto| proto.to_str().ok());
    // Of several proxies the first one saw the browser.
    let forwarded = forwarded.and_then(|proto| proto.split(',').next());
    uri.scheme() == Some(&Scheme::HTTPS)
        || forwarded.is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let [(name, text)] = starting("5ec4e7", true);
        assert_eq!(name, header::SET_COOKIE);
        assert_eq!(
            text,
            "proximity_session=5ec4e7; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(!starting("5ec4e7", false)[0].1.contains("Secure"));
        assert!(
            ending(false)[0]
                .1
                .starts_with("proximity_session=; Path=/; Max-Age=0;")
        );
    }

    #[test]
    fn the_secret_is_found_among_other_cookies() {
        let header = HeaderValue::from_static("theme=dark; proximity_session=abc; a=b");
        assert_eq!(
            session_cookie(&HeaderMap::from_iter([(header::COOKIE, header)])).as_deref(),
            Some("abc")
        );
        assert_eq!(session_cookie(&HeaderMap::new()), None);
    }

    #[test]
    fn a_proxy_tells_how_the_browser_came() {
        let secure = |proto: &'static str| {
            let headers = [(
                HeaderName::from_static("x-forwarded-proto"),
                HeaderValue::from_static(proto),
            )];
            is_secure(&Uri::from_static("/"), &HeaderMap::from_iter(headers))
        };
        assert!(secure("https") && secure("HTTPS, http"));
        assert!(!secure("http") && !secure("http, https"));
        assert!(!is_secure(&Uri::from_static("/"), &HeaderMap::new()));
    }
}
