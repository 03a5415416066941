//! The settings that the service runs with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::operation::words;

/// Where a setting's value comes from; the first of these that gives one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingOrigin {
    /// An environment variable, or the file that one names.
    Environment,
    /// The TOML file.
    File,
    /// The setup page.
    Setup,
    /// Nobody gave one.
    Default,
}

words!(SettingOrigin {
    Environment = "environment", File = "file", Setup = "setup", Default = "default",
});

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Setting {
    /// Name of the environment variable; in lower case, the key in the TOML file.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// Where its value comes from.
    pub origin: SettingOrigin,
    /// The value; absent for a secret, and where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether it is a secret, whose value is never told.
    pub secret: bool,
}
