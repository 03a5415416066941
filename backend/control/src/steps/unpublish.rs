//! Taking the app out of sight.

use api::AppState;
use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};
use store::AppChange;

use crate::{broken, context::Context, operations::State};

/// Marks the app as being deleted and clears its address: nobody is sent there any more. After this there is no
/// way back.
///
/// *Writes down* all it does. *Recognises* nothing: the same is written again. *Undo*, when the operation is
/// cancelled before it got further, gives the address back; the state of before comes back with the operation's
/// end.
pub(crate) struct Unpublish;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for Unpublish {
    fn name(&self) -> &'static str {
        "unpublish"
    }

    fn pivot(&self) -> bool {
        true
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let gone = AppChange::to(AppState::Deleting).address(None);
        cx.context
            .store
            .apps()
            .change(&cx.context.lease, gone)
            .await
            .map_err(broken)
    }

    async fn undo(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let back = AppChange::none().address(cx.state.address);
        cx.context
            .store
            .apps()
            .change(&cx.context.lease, back)
            .await
            .map_err(broken)
    }
}
