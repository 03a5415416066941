//! Apps: what users see and click.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{AppId, Operation, OperationId, operation::words};

/// Where an installed app is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppState {
    /// Its first deployment, or its adoption, is under way.
    Deploying,
    /// Up.
    Running,
    /// Its container is stopped.
    Stopped,
    /// Being removed.
    Deleting,
    /// Gone; only its history is left.
    Deleted,
}

words!(AppState {
    Deploying = "deploying",
    Running = "running",
    Stopped = "stopped",
    Deleting = "deleting",
    Deleted = "deleted",
});

/// An installed app.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct App {
    /// Identifier, `app_…`.
    pub id: AppId,
    /// Name as a person typed it: any text, unique among installed apps.
    pub name: String,
    /// Host name of its container, made from the name: also its folder and compose project.
    pub hostname: String,
    /// The catalog entry it was deployed from.
    pub catalog_id: String,
    /// Version of that entry, e.g. `2.5.0`.
    pub version: String,
    /// Where it is.
    pub state: AppState,
    /// Node that owns its container, once chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Number of its container, once reserved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vmid: Option<u32>,
    /// Address of its container, once known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// What a person or a client opens; the primary one first.
    pub endpoints: Vec<Endpoint>,
    /// What its container may use.
    pub resources: Resources,
    /// Values of its parameters; secrets are left out.
    #[schema(value_type = Object)]
    pub parameters: IndexMap<String, Value>,
    /// What a person should know and do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention: Option<String>,
    /// The operation that is working on it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Something of an app that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Endpoint {
    /// Name, e.g. `web`.
    pub name: String,
    /// Scheme, e.g. `http` or `postgres`.
    pub scheme: String,
    /// TCP port on the container.
    pub port: u16,
    /// Where to point a browser or a client; a secret in it is masked as `***`.
    pub url: String,
    /// Whether this is the one that "Open" opens.
    pub primary: bool,
}

/// What a container may use. Absent fields are taken from the catalog entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// CPU cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Swap in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<u64>,
    /// Root file system in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
}

/// How the container is attached. Absent fields are taken from the settings: their bridge, DHCP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Bridge, e.g. `vmbr0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,
    /// VLAN tag, 1 to 4094.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// Static address with prefix, e.g. `192.168.1.50/24`; DHCP when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Gateway of a static address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub gateway: Option<IpAddr>,
    /// Name servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub nameservers: Vec<IpAddr>,
}

/// Body of `POST /apps`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// Catalog entry.
    pub catalog_id: String,
    /// Name of the app; the catalog id, numbered when taken, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Values of the entry's parameters.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub parameters: serde_json::Map<String, Value>,
    /// Node; chosen by Proximity when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What its container may use.
    #[serde(default)]
    pub resources: Resources,
    /// How its container is attached.
    #[serde(default)]
    pub network: Network,
}

/// Answer of `POST /apps`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Deployed {
    /// The app as it stands now.
    pub app: App,
    /// The operation that deploys it.
    pub operation: Operation,
}

/// Answer of every other call that starts an operation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Started {
    /// The operation.
    pub operation: Operation,
}
