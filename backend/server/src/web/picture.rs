//! Pictures of apps: the sign that they are known by, what their entry brings along, or a letter on a colour.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse as _, Response},
};
use control::Credential;
use sha2::{Digest as _, Sha256};

use super::brand;
use crate::{error::Error, extract::session_cookie, site::Site};

/// Its address. Pages name it; browsers keep it for a day.
pub(crate) fn address(id: &str) -> String {
    let plain: String = id
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
        .take(60)
        .collect();
    format!("/pictures/{plain}.svg")
}

/// The picture of the app with this id: the sign that it is known by; else the one that its entry brings along, for those
/// who may see the catalog; else a letter. To strangers it shows nothing but the id that they ask with.
pub(crate) async fn serve(
    State(site): State<Site>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let id = name.strip_suffix(".svg").ok_or(Error::NoSuchPath)?;
    if id.is_empty() || address(id) != format!("/pictures/{name}") {
        return Err(Error::NoSuchPath);
    }
    if brand::find(id).is_none()
        && let Some((kind, bytes)) = site.control.catalog_icon(id)
        && is_known(&site, &headers).await
    {
        let about = picture(kind, "private, max-age=86400");
        return Ok((about, bytes.to_vec()).into_response());
    }
    let about = picture("image/svg+xml", "public, max-age=86400");
    Ok((about, draw(id)).into_response())
}

fn picture(kind: &'static str, kept: &'static str) -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept)]
}

async fn is_known(site: &Site, headers: &HeaderMap) -> bool {
    let Some(cookie) = session_cookie(headers) else {
        return false;
    };
    let shown = Credential::Session {
        cookie: &cookie,
        csrf: None,
        is_write: false,
    };
    site.control.authenticate(shown).await.is_ok()
}

fn draw(id: &str) -> String {
    let tile = |colour: &str, drawn: &str| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 48 48\"><rect width=\"48\" height=\"48\" \
             rx=\"11\" fill=\"{colour}\"/>{drawn}</svg>"
        )
    };
    if let Some(brand) = brand::find(id) {
        let [red, green, blue] = brand.colour;
        return tile(
            &format!("rgb({red},{green},{blue})"),
            &format!(
                "<g transform=\"translate(11 11) scale(1.0833)\" fill=\"#fff\">{}</g>",
                brand.drawing
            ),
        );
    }
    let digest = Sha256::digest(id);
    let hue = u16::from_be_bytes([digest[0], digest[1]]) % 360;
    let letter = id
        .chars()
        .find(char::is_ascii_alphanumeric)
        .unwrap_or('?')
        .to_ascii_uppercase();
    tile(
        &format!("hsl({hue},38%,40%)"),
        &format!(
            "<text x=\"24\" y=\"33\" text-anchor=\"middle\" font-family=\"system-ui,sans-serif\" font-size=\"26\" \
             font-weight=\"600\" fill=\"#fff\">{letter}</text>"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_without_a_sign_gets_its_letter() {
        assert!(draw("gitea").contains("<path"));
        let letter = draw("memos");
        assert!(letter.contains(">M</text>"));
        assert_eq!(letter, draw("memos"));
        assert_ne!(draw("memos"), draw("mealie"), "each has its own colour");
    }

    #[test]
    fn nothing_hostile_gets_into_an_address() {
        assert_eq!(address("a\"><script>/..-b"), "/pictures/ascript-b.svg");
    }
}
