//! Settings that a person gave through the setup page: kept in the database, sealed as a whole, secrets and all.

use std::collections::BTreeMap;

use store::Store;

use crate::{Error, SecretKey};

/// Values by the names of settings. No `Debug`: there are secrets among them.
pub type Answers = BTreeMap<String, String>;

/// The settings of the cluster.
pub(crate) const CLUSTER: &str = "cluster";
/// Those of a setup that is not finished.
pub(crate) const DRAFT: &str = "setup_draft";

/// The settings of the cluster that were saved; none before the setup.
pub async fn saved_cluster(store: &Store, secrets: &SecretKey) -> Result<Option<Answers>, Error> {
    read(store, secrets, CLUSTER).await
}

/// Opens what [`write()`] sealed.
pub(crate) async fn read<T: serde::de::DeserializeOwned>(
    store: &Store,
    secrets: &SecretKey,
    name: &str,
) -> Result<Option<T>, Error> {
    let Some(text) = store.settings().get(name).await? else {
        return Ok(None);
    };
    let internal = |error: Box<dyn std::error::Error + Send + Sync>| Error::Internal(error);
    let sealed = hex::decode(text).map_err(|error| internal(error.into()))?;
    let plain = secrets
        .open(&place(name), &sealed)
        .map_err(|error| internal(error.into()))?;
    // The parser's own message would quote what it met.
    serde_json::from_slice(&plain).map(Some).map_err(|_| {
        internal(format!("the setting `{name}` in the database has another shape").into())
    })
}

/// Seals and keeps a value.
pub(crate) async fn write(
    store: &Store,
    secrets: &SecretKey,
    name: &str,
    value: &(impl serde::Serialize + Sync),
) -> Result<(), Error> {
    let plain = serde_json::to_vec(value).map_err(|error| Error::Internal(error.into()))?;
    let sealed = hex::encode(secrets.seal(&place(name), &plain));
    Ok(store.settings().set(name, &sealed).await?)
}

/// What the ciphertext is bound to.
fn place(name: &str) -> String {
    format!("settings/{name}")
}
