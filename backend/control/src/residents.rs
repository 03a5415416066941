//! Which guest of the cluster is which of our apps.

use std::collections::BTreeMap;

use api::AppReference;

use crate::{Control, Error};

impl Control {
    /// The apps that have a container, by its number.
    pub async fn residents(&self) -> Result<BTreeMap<u32, AppReference>, Error> {
        Ok(self.site.store.apps().residents().await?)
    }
}
