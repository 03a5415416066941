//! Finding out who calls: ticket with the token against forged writes, or API token.

use axum::extract::Request;
use hyper::{Method, header};

use super::form;
use crate::failure::Failure;
use crate::model::Model;
use crate::model::identity::Identity;

/// The caller of a request, or the proxy's refusal.
pub(crate) fn identify(model: &Model, request: &Request) -> Result<Identity, Failure> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let authorization = header(header::AUTHORIZATION.as_str()).unwrap_or_default();
    if let Some(token) = api_token(authorization) {
        return model
            .identities
            .token(&form::percent_bytes(token)?)
            .map_err(Failure::unauthenticated);
    }
    let cookies = header(header::COOKIE.as_str()).unwrap_or_default();
    let ticket = cookie(cookies)
        .or_else(|| cookie(authorization))
        .ok_or_else(|| Failure::unauthenticated("No ticket"))?;
    let ticket = form::percent_bytes(ticket)?;
    let identity = model
        .identities
        .ticket(&ticket)
        .ok_or_else(|| Failure::unauthenticated("permission denied - invalid PVE ticket"))?;
    if *request.method() != Method::GET {
        let csrf = header("csrfpreventiontoken").unwrap_or_default();
        if !model.identities.csrf_fits(csrf, &identity) {
            return Err(Failure::unauthenticated(
                "Permission denied - invalid csrf token",
            ));
        }
    }
    Ok(identity)
}

fn api_token(authorization: &str) -> Option<&str> {
    let rest = authorization.strip_prefix("PVEAPIToken")?;
    rest.strip_prefix(['=', ' '])
        .map(|rest| rest.split(';').next().unwrap_or_default())
}

fn cookie(cookies: &str) -> Option<&str> {
    cookies
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix("PVEAuthCookie="))
}
