//! Taking the app out of sight.

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};

use crate::{broken, context::Context, operations::State};

/// Clears the app's address and endpoints: nobody is sent there any more. After this there is no way back.
///
/// *Writes down* all it does. *Recognises* nothing: the same is written again. *Undo* has nothing to take back
/// that a cancelled deletion would miss: the next start publishes anew, and the container is untouched.
pub struct Unpublish;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for Unpublish {
    fn name(&self) -> &'static str {
        "unpublish"
    }

    fn pivot(&self) -> bool {
        true
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let (store, lease) = (&cx.context.store, &cx.context.lease);
        store.apps().unpublish(lease, cx.state.app).await.map_err(broken)?;
        Ok(())
    }
}
