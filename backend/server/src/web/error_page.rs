//! Errors for people: what happened, what to do, and the request's name where the log tells more.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::{
    page::{self, Frame, Head},
    posted,
    site::Web,
    theme::Look,
};
use crate::error::Error;

/// What the answer to an error needs to know of the request.
pub(crate) struct Reader {
    look: Look,
    /// Where to go on after logging in, when what they asked for can be asked for again.
    back: Option<String>,
}

#[derive(Serialize)]
struct View<'a> {
    status: u16,
    title: &'a str,
    detail: String,
    advice: &'static str,
    request_id: &'a str,
}

/// Whether the answer is for a person: a browser asks for a page, and not of the API.
pub(crate) fn wants_page(request: &Request) -> bool {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    !request.uri().path().starts_with("/api/")
        && accept.is_some_and(|accept| accept.contains("text/html"))
}

impl Reader {
    /// Who sent this request.
    pub(crate) fn of(request: &Request) -> Self {
        let path = request.uri().path_and_query();
        let again = *request.method() == Method::GET;
        Self {
            look: Look::of(request.headers()),
            back: again
                .then(|| path.map(|path| path.as_str().to_owned()))
                .flatten(),
        }
    }

    /// The page for this error; for somebody who is not known, the way to the login.
    pub(crate) fn answer(
        self,
        web: &Web,
        error: &Error,
        request_id: &str,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Response {
        if matches!(error, Error::Control(control::Error::Unauthenticated)) {
            return posted::on_to(&self.login());
        }
        let mut frame = Frame::for_stranger(web, Head::new(error.title()), self.look, now);
        frame.request_id = request_id;
        let view = View {
            status: error.status().as_u16(),
            title: error.title(),
            detail: error.to_string(),
            advice: advice(error.status()),
            request_id,
        };
        let mut answer = match web.page("error.html", &frame, &view) {
            Ok(html) => page::answer(html),
            // The page of the error has an error of its own.
            Err(_) => error.to_string().into_response(),
        };
        *answer.status_mut() = error.status();
        retry_after(error, answer.headers_mut());
        answer
    }

    fn login(&self) -> String {
        match self.back.as_deref() {
            None | Some("/") => "/login".to_owned(),
            Some(back) => {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                query.append_pair("next", back);
                format!("/login?{}", query.finish())
            }
        }
    }
}

fn retry_after(error: &Error, headers: &mut HeaderMap) {
    if let Error::Control(control::Error::TooMany { retry_after }) = error {
        let seconds = retry_after.as_secs().max(1);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// What to do next.
fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "It may have been deleted, or the address is mistyped.",
        StatusCode::FORBIDDEN => {
            "If you sent a form: go back, reload the page and send it again. It may belong to an older login."
        }
        StatusCode::TOO_MANY_REQUESTS => "Wait a little, then try again.",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            "Nothing is lost. Reload this page in a moment."
        }
        StatusCode::CONFLICT => "Go back and look how it stands now.",
        status if status.is_server_error() => {
            "Reload this page. If it happens again, the log tells more under the name of the request."
        }
        _ => "Go back and try it another way.",
    }
}
