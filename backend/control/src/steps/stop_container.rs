//! Stopping the container.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};

use super::power;
use crate::{context::Context, operations::State};

/// Shuts the container down, hard when it does not go by itself.
///
/// *Writes down* nothing. *Recognises* a container that is stopped. *Undo* leaves it to
/// [`ObserveContainer`](super::ObserveContainer).
pub(crate) struct StopContainer;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for StopContainer {
    fn name(&self) -> &'static str {
        "stop_container"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.limit(power::LIMIT) * 2
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        power::stop(cx).await
    }
}
