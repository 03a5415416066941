//! Pictures of apps: the sign that they are known by, or a letter on a colour, as a tile.

use axum::{
    extract::Path,
    http::{HeaderName, header},
    response::IntoResponse,
};
use sha2::{Digest as _, Sha256};

use super::brand;
use crate::error::Error;

/// Its address. Pages name it; browsers keep it for a day.
pub(crate) fn address(id: &str) -> String {
    let plain: String = id
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
        .take(60)
        .collect();
    format!("/pictures/{plain}.svg")
}

/// The picture of the app with this id. Open to strangers: it shows nothing but the id that they ask with.
pub(crate) async fn serve(Path(name): Path<String>) -> Result<impl IntoResponse, Error> {
    let id = name.strip_suffix(".svg").ok_or(Error::NoSuchPath)?;
    if id.is_empty() || address(id) != format!("/pictures/{name}") {
        return Err(Error::NoSuchPath);
    }
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    Ok((headers, draw(id)))
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
