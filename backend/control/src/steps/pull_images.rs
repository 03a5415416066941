//! Pulling the images.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use saga::{Failure, Saga, Step, StepContext, StepError};
use ssh::Command;
use tokio::time::Instant;

use crate::{
    compose::PullProgress, context::Context, failures, hosts::said, operations::State, project,
};

/// Pulls each image of the app, one after the other, and tells how far each is.
///
/// One at a time costs little, for Docker itself limits how many layers it fetches at once, and it lets
/// progress and failures be told by image. *Writes down* nothing. *Recognises* images that are there: compose
/// pulls only what is missing. *Undo* has nothing to take back, for the container goes as a whole.
pub(crate) struct PullImages;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for PullImages {
    fn name(&self) -> &'static str {
        "pull_images"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.timeouts.image_pull + Duration::from_secs(30)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let images = project::load(cx.context, cx.state).await?.images();
        let deadline = Instant::now() + cx.context.settings.timeouts.image_pull;
        for (service, image) in images {
            pull(cx, &service, &image, deadline).await?;
        }
        Ok(())
    }
}

async fn pull<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    service: &str,
    image: &str,
    deadline: Instant,
) -> Result<(), StepError> {
    cx.log(format!("pulling {image}"));
    let progress = Arc::new(Mutex::new(PullProgress::new(image)));
    let (seen, context, step) = (progress.clone(), cx.context.clone(), cx.step());
    let argv = cx
        .state
        .compose()
        .command(["pull", "--policy", "missing", service]);
    let command = Command::new(argv)
        .deadline(
            deadline
                .saturating_duration_since(Instant::now())
                .max(Duration::from_secs(1)),
        )
        .on_line(move |_, line| {
            let mut progress = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(now) = progress.line(line) {
                context.image_progress(step, &now);
            }
        });
    let output = cx
        .context
        .hosts
        .exec(cx.state.vmid()?, "pulling an image", command)
        .await
        .map_err(named(image))?;
    if output.code == 0 {
        let whole = progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .complete();
        cx.context.image_progress(step, &whole);
        return Ok(());
    }
    let otherwise = Failure::new(
        "image_pull_failed",
        "An image of this app could not be pulled.",
    )
    .hint("The last lines tell why.");
    Err(named(image)(failures::explain(&said(&output), otherwise)).into())
}

/// Every failure of a pull says which image it was.
fn named(image: &str) -> impl Fn(Failure) -> Failure {
    move |mut failure| {
        failure.message = format!("{image}: {}", failure.message);
        failure
    }
}
