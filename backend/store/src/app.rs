//! The row of an app, what a new one is made of, and what of it may change.

use std::net::IpAddr;

use api::{AppId, AppState, Endpoint, Network, OperationId, ReleaseId};
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::{NotSet, Set};
use serde_json::{Map, Value};

use crate::{
    Hidden, Result,
    entity::app::{ActiveModel, Model},
    text,
};

/// An installed app, or what is remembered of a deleted one.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    /// Identifier.
    pub id: AppId,
    /// Name as typed; unique among the apps that are not deleted.
    pub name: String,
    /// Host name of its container; unique in the same way.
    pub hostname: String,
    /// Catalog entry.
    pub catalog_id: String,
    /// Version of that entry.
    pub version: String,
    /// The release that is, or is being, installed.
    pub release: ReleaseId,
    /// Where it is.
    pub state: AppState,
    /// What a person should know and do about it.
    pub attention: Option<String>,
    /// Node of its container; kept after deletion, as number and address are.
    pub node: Option<String>,
    /// Number of its container.
    pub vmid: Option<u32>,
    /// Address of its container.
    pub address: Option<IpAddr>,
    /// Proof of ownership that its container carries.
    pub nonce: String,
    /// Storage of its root file system.
    pub storage: Option<String>,
    /// What was promised to it.
    pub reserved: Reserved,
    /// How its container is attached.
    pub network: Network,
    /// Values of its parameters without secrets.
    pub parameters: Map<String, Value>,
    /// All its answers, secrets too, sealed.
    pub sealed: Hidden<Vec<u8>>,
    /// What can be opened.
    pub endpoints: Vec<Endpoint>,
    /// Name of who deployed it.
    pub owner: String,
    /// The operation that lives on it now, stuck ones included.
    pub operation: Option<OperationId>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When its row last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What a container was promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    /// CPU cores.
    pub cores: u32,
    /// Memory, bytes.
    pub memory: u64,
    /// Swap, bytes.
    pub swap: u64,
    /// Root file system, bytes.
    pub disk: u64,
}

/// An app to be.
#[derive(Clone, Debug)]
pub struct NewApp {
    /// From [`Store::new_app_id`](crate::Store::new_app_id).
    pub id: AppId,
    /// Name as typed.
    pub name: String,
    /// Host name made from it.
    pub hostname: String,
    /// Proof of ownership that its container will carry.
    pub nonce: String,
    /// What it is promised.
    pub reserved: Reserved,
    /// How its container is attached.
    pub network: Network,
    /// Values of its parameters without secrets.
    pub parameters: Map<String, Value>,
    /// All its answers, sealed.
    pub sealed: Hidden<Vec<u8>>,
    /// What will be there to open, as far as it is known.
    pub endpoints: Vec<Endpoint>,
    /// Name of who deploys it.
    pub owner: String,
}

impl App {
    pub(crate) fn from_row(row: Model, operation: Option<OperationId>) -> Result<Self> {
        Ok(Self {
            id: text::parse("apps.id", &row.id)?,
            release: text::parse("apps.release_id", &row.release_id)?,
            state: text::parse("apps.state", &row.state)?,
            vmid: row
                .vmid
                .map(|vmid| text::count("apps.vmid", vmid))
                .transpose()?,
            address: text::parse_some("apps.address", row.address.as_deref())?,
            reserved: Reserved {
                cores: text::count("apps.cores", row.cores.into())?,
                memory: text::count("apps.memory", row.memory)?,
                swap: text::count("apps.swap", row.swap)?,
                disk: text::count("apps.disk", row.disk)?,
            },
            network: text::from_json("apps.network", &row.network)?,
            parameters: text::from_json("apps.parameters", &row.parameters)?,
            endpoints: text::from_json("apps.endpoints", &row.endpoints)?,
            name: row.name,
            hostname: row.hostname,
            catalog_id: row.catalog_id,
            version: row.version,
            attention: row.attention,
            node: row.node,
            nonce: row.nonce,
            storage: row.storage,
            sealed: row.sealed.into(),
            owner: row.owner,
            operation,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        })
    }
}

/// Who told a person to look after an app, when it was a look at the cluster and no operation.
pub(crate) const OBSERVED: &str = "reconciliation";

/// What changes of an app, together with the operation that changes it. Begins empty: `AppChange::none()` or
/// `AppChange::to(state)`, then one call per thing that changes.
#[derive(Clone, Debug, Default)]
pub struct AppChange {
    columns: ActiveModel,
}

impl AppChange {
    /// Nothing changes.
    pub fn none() -> Self {
        Self::default()
    }

    /// The app is now in this state. [`AppState::Deleted`] frees its name, host name and number, and keeps
    /// everything else as history.
    pub fn to(state: AppState) -> Self {
        let mut change = Self::none();
        change.columns.state = Set(state.as_str().to_owned());
        if state == AppState::Deleted {
            change.columns.live_name = Set(None);
            change.columns.live_hostname = Set(None);
            change.columns.live_vmid = Set(None);
        }
        change
    }

    /// The node of its container, and the storage of its root file system.
    #[must_use]
    pub fn place(mut self, node: &str, storage: &str) -> Self {
        self.columns.storage = Set(Some(storage.to_owned()));
        self.node(node)
    }

    /// The node on which its container was seen.
    #[must_use]
    pub fn node(mut self, node: &str) -> Self {
        self.columns.node = Set(Some(node.to_owned()));
        self
    }

    /// The address of its container.
    #[must_use]
    pub fn address(mut self, address: Option<IpAddr>) -> Self {
        self.columns.address = Set(address.map(|address| address.to_string()));
        self
    }

    /// What can be opened.
    #[must_use]
    pub fn endpoints(mut self, endpoints: &[Endpoint]) -> Self {
        self.columns.endpoints = Set(text::json(&endpoints));
        self
    }

    /// What a person should know and do about it; `None` when all is well again.
    #[must_use]
    pub fn attention(mut self, attention: Option<&str>) -> Self {
        self.columns.attention = Set(attention.map(text::clean));
        self.columns.attention_by = Set(None);
        self
    }

    /// What a look at the cluster shows, or that it shows nothing to look after any more: see
    /// [`Apps::attend`](crate::Apps::attend).
    pub(crate) fn observed(attention: Option<&str>) -> Self {
        let mut change = Self::none().attention(attention);
        change.columns.attention_by = Set(attention.map(|_| OBSERVED.to_owned()));
        change
    }

    /// It has no container any more: node, storage, number and address are forgotten.
    #[must_use]
    pub fn without_container(mut self) -> Self {
        self.columns.node = Set(None);
        self.columns.storage = Set(None);
        self.columns.vmid = Set(None);
        self.columns.live_vmid = Set(None);
        self.columns.address = Set(None);
        self
    }

    pub(crate) fn columns(mut self, now: DateTime<Utc>) -> ActiveModel {
        if self.columns.state == Set(AppState::Deleted.as_str().to_owned()) {
            self.columns.deleted_at = Set(Some(now));
        }
        self.columns.updated_at = Set(now);
        self.columns.id = NotSet;
        self.columns
    }
}
