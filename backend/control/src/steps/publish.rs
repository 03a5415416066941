//! Making the app visible as running.

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};

use crate::{broken, context::Context, operations::State, project};

/// Writes the app's address and endpoints into its row: from now on people are sent there.
///
/// *Writes down* all it does, for that is all it does. *Recognises* nothing: the same values are written again.
/// *Undo* clears them.
pub struct Publish;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for Publish {
    fn name(&self) -> &'static str {
        "publish"
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let endpoints = project::load(cx.context, cx.state).await?.endpoints(cx.state);
        for endpoint in &endpoints {
            cx.log(format!("{}: {}", endpoint.name, endpoint.url));
        }
        let (store, lease, state) = (&cx.context.store, &cx.context.lease, &cx.state);
        store.apps().publish(lease, state.app, state.address, &endpoints).await.map_err(broken)?;
        Ok(())
    }

    async fn undo(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let (store, lease) = (&cx.context.store, &cx.context.lease);
        store.apps().publish(lease, cx.state.app, None, &[]).await.map_err(broken)?;
        Ok(())
    }
}
