//! `/docs`: the API's description as a page for people. Made on the server, without scripts.

mod outline;
mod schema;

use std::sync::LazyLock;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{Html, IntoResponse},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use tera::{Context, Tera};

use crate::{
    extract::{Caller, Read},
    openapi,
};
use outline::Outline;

const TEMPLATE: &str = include_str!("../../../../web/templates/docs.html");

/// The page and the policy that lets its own style through and nothing else.
struct Page {
    html: String,
    policy: HeaderValue,
}

/// The API's description as a page.
#[utoipa::path(get, path = "/docs", tag = "service", responses(
    (status = 200, description = "A page for people.", body = String, content_type = "text/html"),
))]
pub(crate) async fn page(_: Caller<Read>) -> impl IntoResponse {
    static PAGE: LazyLock<Page> = LazyLock::new(render);
    let policy: (HeaderName, HeaderValue) = (header::CONTENT_SECURITY_POLICY, PAGE.policy.clone());
    ([policy], Html(PAGE.html.as_str()))
}

fn render() -> Page {
    let document =
        serde_json::from_slice(&openapi::json()).expect("the document was written as JSON");
    let mut tera = Tera::new();
    tera.add_raw_template("docs.html", TEMPLATE)
        .expect("the template is part of the program: a test renders it");
    let context =
        Context::from_serialize(&Outline::of(&document)).expect("an outline has text as keys");
    let html = tera
        .render("docs.html", &context)
        .expect("the template is part of the program: a test renders it");
    let policy = policy(&html);
    Page { html, policy }
}

/// A content security policy (CSP 3) with the digest of the page's one style element.
fn policy(html: &str) -> HeaderValue {
    let style = html
        .split_once("<style>")
        .and_then(|(_, rest)| rest.split_once("</style>"));
    let digest = style
        .map(|(style, _)| STANDARD.encode(Sha256::digest(style)))
        .unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("Base64 makes a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut escaped = Vec::new();
        tera::escape_html(text, &mut escaped).unwrap();
        String::from_utf8(escaped).unwrap()
    }

    #[test]
    fn the_page_tells_every_call_and_every_shape() {
        let Page { html, policy } = render();
        let document: serde_json::Value = serde_json::from_slice(&openapi::json()).unwrap();
        for path in document["paths"].as_object().unwrap().keys() {
            assert!(
                html.contains(&format!("<code>{}</code>", escaped(path))),
                "{path} is missing"
            );
        }
        for name in document["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
        {
            assert!(
                html.contains(&format!("id=\"schema-{name}\"")),
                "{name} is missing"
            );
        }
        for kind in crate::problem::KINDS {
            assert!(
                html.contains(&format!("id=\"problem-{}\"", kind.code)),
                "{} is missing",
                kind.code
            );
        }
        assert!(policy.to_str().unwrap().contains("style-src 'sha256-"));
    }

    #[test]
    fn the_page_has_no_script_and_no_dead_link() {
        let html = render().html;
        assert!(
            !html.contains("<script") && !html.contains(" style=") && !html.contains("onclick")
        );
        for target in html
            .split("href=\"#")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
        {
            assert!(
                html.contains(&format!("id=\"{target}\"")),
                "nothing is at #{target}"
            );
        }
    }
}
