//! Leaving a container's power as it was found.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};

use super::power;
use crate::{context::Context, operations::State};

/// Stops the container again where it did not run when the operation began.
///
/// *Writes down* nothing: [`ObserveContainer`](super::ObserveContainer) did. *Recognises* a container that does not
/// run. *Undo* has nothing to take back, for that of `ObserveContainer` ends in the same state.
pub(crate) struct RestorePower;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for RestorePower {
    fn name(&self) -> &'static str {
        "restore_power"
    }

    fn timeout(&self, _context: &Context) -> Duration {
        power::LIMIT + Duration::from_secs(30)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        if cx.state.was_running == Some(false) {
            power::stop(cx).await?;
        }
        Ok(())
    }
}
