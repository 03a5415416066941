//! Choosing how pages look. Open to strangers, for the login has a look, too; it changes nothing but a cookie.

use axum::{
    http::header,
    response::{AppendHeaders, IntoResponse as _, Response},
};

use super::{
    posted::{Fields, on_to},
    theme,
    viewer::local,
};

/// `POST /appearance` with `theme` or `density`, and `next`.
pub(crate) async fn choose(fields: Fields) -> Response {
    // A choice of "as the system says" is an empty text, so that `exact` tells whether anything was chosen.
    let cookies = [
        fields
            .exact("theme")
            .map(|text| theme::keep_theme(theme::theme(text))),
        fields
            .exact("density")
            .map(|text| theme::keep_density(theme::density(text))),
    ];
    let cookies: Vec<_> = cookies
        .into_iter()
        .flatten()
        .map(|cookie| (header::SET_COOKIE, cookie))
        .collect();
    (AppendHeaders(cookies), on_to(local(fields.text("next")))).into_response()
}
