//! Writing the app's files into the container.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};
use ssh::Upload;

use crate::{context::Context, operations::State, project};

/// Writes the compose project: `compose.yaml` byte for byte, what Proximity changes, and `.env` with the values.
///
/// *Writes down* nothing: what it writes follows from the release. *Recognises* nothing, and writes each file
/// anew, whole, under another name first. *Undo* has nothing to take back, for the container goes as a whole.
pub(crate) struct UploadProject;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for UploadProject {
    fn name(&self) -> &'static str {
        "upload_project"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.limit(Duration::from_mins(3))
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let (vmid, compose) = (cx.state.vmid()?, cx.state.compose());
        let files = project::load(cx.context, cx.state)
            .await?
            .render(cx.state)?;
        for file in files {
            let path = format!("{}/{}", compose.folder(), file.path);
            cx.log(format!("writing {path}"));
            let upload = Upload {
                path,
                bytes: file.bytes,
                mode: file.mode,
                owner: None,
            };
            cx.context
                .hosts
                .upload(vmid, "writing the project", upload)
                .await?;
        }
        Ok(())
    }
}
