//! Forgetting the release.

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};

use crate::{broken, context::Context, operations::State};

/// Gives the container's number back. Name and promise are freed with the operation's end; the history stays.
///
/// *Writes down* all it does. *Recognises* nothing: it is given back again. It comes after the pivot and is
/// never undone.
pub(crate) struct ForgetRelease;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for ForgetRelease {
    fn name(&self) -> &'static str {
        "forget_release"
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        cx.context
            .store
            .apps()
            .release_vmid(&cx.context.lease)
            .await
            .map_err(broken)
    }
}
