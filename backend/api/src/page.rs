//! A page of a long list.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of a long list, newest first unless the call says otherwise.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Opaque cursor of the next page (`?cursor=`), absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
