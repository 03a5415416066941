//! Starting the container.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};

use super::power;
use crate::{context::Context, operations::State};

/// Starts the container and waits for the task.
///
/// *Writes down* nothing. *Recognises* a container that runs. *Undo* leaves it to the step that knows what was
/// before: a new container is destroyed by [`CreateContainer`](super::CreateContainer), an old one is put back
/// by [`ObserveContainer`](super::ObserveContainer).
pub(crate) struct StartContainer;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for StartContainer {
    fn name(&self) -> &'static str {
        "start_container"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.limit(power::LIMIT) * 2
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        power::start(cx).await
    }
}
