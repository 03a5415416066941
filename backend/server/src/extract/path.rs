//! What a path names. A name that nothing can have is the name of nothing: 404, not 400.

use std::{convert::Infallible, str::FromStr};

use api::{OperationId, TokenId};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use crate::error::Error;

/// A name in the path, as the kind of thing that it names.
pub(crate) struct Segment<T>(pub(crate) T);

/// Something that a path can name.
pub(crate) trait Named: FromStr {
    /// What it is called when there is none.
    const WHAT: &'static str;
}

/// An app's id or its name, which is any text.
pub(crate) struct AppName(pub(crate) String);

/// A catalog entry's id.
pub(crate) struct CatalogId(pub(crate) String);

impl FromStr for AppName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// Number of a container.
pub(crate) struct ContainerNumber(pub(crate) u32);

impl FromStr for ContainerNumber {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Named for ContainerNumber {
    const WHAT: &'static str = "container";
}

impl FromStr for CatalogId {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl Named for AppName {
    const WHAT: &'static str = "app";
}

impl Named for CatalogId {
    const WHAT: &'static str = "catalog app";
}

impl Named for OperationId {
    const WHAT: &'static str = "operation";
}

impl Named for TokenId {
    const WHAT: &'static str = "token";
}

impl<S: Send + Sync, T: Named> FromRequestParts<S> for Segment<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let nothing = || Error::from(control::Error::NotFound { what: T::WHAT });
        // Fails where the name is not UTF-8.
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| nothing())?;
        text.parse().map(Self).map_err(|_| nothing())
    }
}
