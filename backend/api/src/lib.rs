//! The words: ids, states, request and answer types of the REST API.
//!
//! Everything that crosses a process border is here, once: the server answers with these types, the CLI
//! reads them, the store keeps the enums by their text. No behaviour lives here, only shapes; what a word
//! means is told in `docs/architecture.md`.
//!
//! Shapes are a public format: JSON in `snake_case`, RFC 3339 times in UTC, sizes in bytes.

mod app;
mod audit;
mod auth;
mod bulk;
mod catalog;
mod doctor;
mod event;
mod id;
mod node;
mod operation;
mod page;
mod plan;
mod problem;
mod reconciliation;
mod setting;
mod status;

pub use app::{App, AppState, Deploy, Deployed, Endpoint, Network, Resources, Started};
pub use audit::{AuditEntry, AuditOutcome};
pub use auth::{CreateToken, CreatedToken, Login, Principal, Scope, Session, Token};
pub use bulk::{Bulk, BulkItem, BulkStarted, Refusal};
pub use catalog::{
    CatalogApp, CatalogDetail, CatalogParameter, CheckRequest, Checked, Finding, FirstRun,
    ParameterOption, Severity,
};
pub use doctor::{Check, CheckState, Checkup};
pub use event::{Event, EventKind, ImageProgress};
pub use id::{AppId, IdError, OperationId, ReleaseId, SessionId, TokenId, UserId};
pub use node::{Node, NodeState, Storage};
pub use operation::{
    Abandon, Abandoned, AppReference, Operation, OperationError, OperationKind, OperationStatus,
    StepReport, StepStatus, UnknownWord,
};
pub use page::Page;
pub use plan::{Candidate, Plan, PlannedStep};
pub use problem::{FieldError, Problem};
pub use reconciliation::{Adopt, AdoptionPlan, Discrepancy, DiscrepancyKind, Reconciliation};
pub use setting::{Setting, SettingOrigin};
pub use status::{LiveOperations, Park, Parked, Status};
