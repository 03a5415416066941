//! Deleting several apps: what goes is told first, and has to be confirmed in words.

use api::AppState;
use axum::{http::StatusCode, response::Response};
use control::Control;
use serde::Serialize;

use super::{page::Head, posted::Posted};
use crate::{error::Error, extract::Write};

/// What would go.
#[derive(Serialize)]
pub(super) struct Deletion {
    apps: Vec<Doomed>,
    /// What has to be typed.
    phrase: String,
    /// What is wrong with what was typed.
    wrong: Option<&'static str>,
}

/// An app that would go.
#[derive(Serialize)]
struct Doomed {
    id: String,
    name: String,
    vmid: Option<u32>,
    node: Option<String>,
    /// Bytes of its disk.
    disk: Option<u64>,
    /// Whether something is at work on it now, and it would be refused.
    is_busy: bool,
}

impl Deletion {
    /// Of those of these apps that are there.
    pub(super) async fn of(control: &Control, ids: &[String]) -> Result<Self, Error> {
        let mut apps = Vec::new();
        for id in ids {
            match control.app(id).await {
                // Somebody else was quicker.
                Ok(app) if app.state == AppState::Deleted => {}
                Err(control::Error::NotFound { .. }) => {}
                Ok(app) => apps.push(Doomed {
                    id: app.id.to_string(),
                    name: app.name,
                    vmid: app.vmid,
                    node: app.node,
                    disk: app.resources.disk,
                    is_busy: app.operation.is_some(),
                }),
                Err(error) => return Err(error.into()),
            }
        }
        let phrase = match apps.as_slice() {
            [one] => format!("delete {}", one.name.trim()),
            several => format!("delete {} apps", several.len()),
        };
        Ok(Self {
            apps,
            phrase,
            wrong: None,
        })
    }

    /// Whether nothing is left to delete.
    pub(super) fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }

    /// Whether it was confirmed, in these words.
    pub(super) fn is_confirmed(&self, words: Option<&str>) -> bool {
        words == Some(&*self.phrase)
    }

    /// The apps' ids.
    pub(super) fn ids(self) -> Vec<String> {
        self.apps.into_iter().map(|app| app.id).collect()
    }

    /// The page that asks for it.
    pub(super) fn ask(mut self, posted: &Posted<Write>) -> Result<Response, Error> {
        let is_again = posted.fields.text("confirm").is_some();
        self.wrong = is_again.then_some("These are not the words. Nothing was done.");
        let head = Head::new("Delete several apps").under("home");
        let mut answer = posted.viewer.show("bulk_delete.html", head, &self)?;
        if is_again {
            *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        }
        Ok(answer)
    }
}
