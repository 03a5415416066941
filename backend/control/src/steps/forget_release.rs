//! Forgetting the release.

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};

use crate::{broken, context::Context, operations::State};

/// Erases the app's secrets, number and promise; its name and history stay.
///
/// *Writes down* all it does. *Recognises* nothing: the same is erased again. It comes after the pivot and is
/// never undone.
pub struct ForgetRelease;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for ForgetRelease {
    fn name(&self) -> &'static str {
        "forget_release"
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let (store, lease) = (&cx.context.store, &cx.context.lease);
        store.apps().forget(lease, cx.state.app).await.map_err(broken)?;
        Ok(())
    }
}
