//! The same on several apps.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Operation, OperationKind};

/// Body of `POST /operations`: one operation for each of several apps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// What is done: `start`, `stop`, `restart` or `delete`.
    pub kind: OperationKind,
    /// Names or ids of the apps, 1 to 100. One that is named twice counts once.
    pub apps: Vec<String>,
}

/// Answer of `POST /operations`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BulkStarted {
    /// What became of each app, in the order of the request.
    pub items: Vec<BulkItem>,
}

/// What became of one app: either is there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BulkItem {
    /// The app, as the request named it.
    pub app: String,
    /// The operation that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Why nothing was begun for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// Why something was not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// A stable word for programs; the same as the `code` of a problem.
    pub code: String,
    /// The reason, in a sentence.
    pub message: String,
}
