//! Fetching the template.

use std::time::Duration;

use async_trait::async_trait;
use proxmox::StorageName;
use saga::{Saga, Step, StepContext, StepError, Turn};

use crate::{
    containers::follow_task, context::Context, explain, operations::State, template::TemplateChoice,
};

/// Longest time for the download of a template (about 4 MiB).
const LIMIT: Duration = Duration::from_mins(10);

/// Has the node download the chosen template where it is missing.
///
/// *Writes down* nothing. *Recognises* a template that is there by now; Proxmox itself checks a file that it
/// already has against its checksum. *Undo* leaves it: a template belongs to the node, and the next
/// deployment is glad of it.
pub(crate) struct FetchTemplate;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for FetchTemplate {
    fn name(&self) -> &'static str {
        "fetch_template"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.limit(LIMIT) + Duration::from_secs(30)
    }

    async fn turn(&self, cx: &StepContext<'_, S>) -> Result<Turn, StepError> {
        let Some(choice) = cx.state.choice.as_ref().filter(|it| it.template.download) else {
            return Ok(Turn::free());
        };
        // One download of a file at a time: the others find it there.
        let what = format!(
            "downloads of {} on {}",
            choice.template.volume(),
            choice.node
        );
        let tell = |text: String| cx.log(text);
        Ok(cx.context.turns.take(&what, 1, tell).await)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let Some(choice) = cx.state.choice.clone() else {
            return Ok(());
        };
        let mut template = choice.template;
        if !template.download {
            return Ok(());
        }
        if let Err(error) = download(cx, &template).await {
            let fallback = template
                .fallback
                .as_ref()
                .and_then(|volume| volume.split_once(":vztmpl/"));
            let (StepError::Failed(failure), Some((storage, file))) = (&error, fallback) else {
                return Err(error);
            };
            cx.log(format!("{} Using {file} instead.", failure.message));
            (template.storage, template.file) = (storage.to_owned(), file.to_owned());
        }
        template.download = false;
        if let Some(choice) = &mut cx.state.choice {
            choice.template = template;
        }
        Ok(())
    }
}

async fn download<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    template: &TemplateChoice,
) -> Result<(), StepError> {
    let (cluster, node) = (&cx.context.cluster, cx.state.node()?);
    let storage: StorageName = template
        .storage
        .parse()
        .map_err(|_| unusable(&template.storage))?;
    let doing = "downloading the template";
    let files = cluster.templates(&node, &storage).await;
    let files = files.map_err(|error| explain::proxmox(doing, &error))?;
    if files.iter().any(|file| file.volid == template.volume()) {
        return Ok(());
    }
    cx.log(format!(
        "downloading {} to {storage} on {node}",
        template.file
    ));
    let upid = cluster
        .download_template(&node, &storage, &template.file)
        .await;
    let upid = upid.map_err(|error| explain::proxmox(doing, &error))?;
    follow_task(cx, &upid, doing, LIMIT).await.map_err(|error| match error {
        StepError::Failed(mut failure) if failure.code == "task_failed" => {
            "template_download_failed".clone_into(&mut failure.code);
            failure.hint("Check that the node reaches download.proxmox.com, or put an Alpine template on the storage by hand.").into()
        }
        error => error,
    })
}

pub(super) fn unusable(storage: &str) -> saga::Failure {
    saga::Failure::new(
        "storage_unusable",
        format!("The storage name `{storage}` is not one that Proxmox accepts."),
    )
}
