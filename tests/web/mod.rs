//! The pages, as people meet them: in a real browser, through `WebDriver`.
//!
//! Debian's `chromium` and `chromium-driver` are needed; `make test` installs them. Where they are missing the tests
//! say so and do nothing, except where `CI` is set: there they must run.

mod browser;
mod deploy;
mod first_run;
mod life;
mod looks;
mod people;

use serde_json::json;

use crate::world::{Actor, World};
use browser::{Browser, Options};

/// An app that is deployed already, by name.
async fn app(world: &World, catalog_id: &str, name: &str) -> Actor {
    let admin = world.admin().await;
    admin
        .deployed(json!({"catalog_id": catalog_id, "name": name}))
        .await;
    admin
}
