//! API tokens.

use api::{CreateToken, CreatedToken, Page, Token, TokenId};
use axum::{Json, extract::State, http::StatusCode};
use control::Control;

use crate::{
    error::Error,
    extract::{Admin, Body, Caller, Segment},
};

/// Your API tokens.
#[utoipa::path(get, path = "/tokens", tag = "tokens", responses(
    (status = 200, description = "Those that are not revoked, without their secrets.", body = Page<Token>),
))]
pub(crate) async fn list(
    State(control): State<Control>,
    caller: Caller<Admin>,
) -> Result<Json<Page<Token>>, Error> {
    Ok(Json(Page {
        items: control.tokens(&caller.asked).await?,
        next: None,
    }))
}

/// Make an API token.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = CreateToken, responses(
    (status = 201, description = "Made; this is the only time that the token is shown.", body = CreatedToken),
))]
pub(crate) async fn create(
    State(control): State<Control>,
    caller: Caller<Admin>,
    Body(request): Body<CreateToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Error> {
    Ok((
        StatusCode::CREATED,
        Json(control.create_token(&caller.asked, request).await?),
    ))
}

/// Revoke an API token.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", params(("id" = TokenId, Path)), responses(
    (status = 204, description = "It is good for nothing any more."),
    (status = 404, description = "You have no such token."),
))]
pub(crate) async fn revoke(
    State(control): State<Control>,
    caller: Caller<Admin>,
    Segment(id): Segment<TokenId>,
) -> Result<StatusCode, Error> {
    control.revoke_token(&caller.asked, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
