//! Making the app visible as running.

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};
use store::AppChange;

use crate::{broken, context::Context, operations::State, project};

/// Writes the app's address and endpoints into its row: from now on people are sent there.
///
/// *Writes down* all it does, for that is all it does. *Recognises* nothing: the same values are written again.
/// *Undo* clears the address.
pub(crate) struct Publish;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for Publish {
    fn name(&self) -> &'static str {
        "publish"
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let endpoints = project::load(cx.context, cx.state)
            .await?
            .endpoints(cx.state);
        for endpoint in &endpoints {
            cx.log(format!("{}: {}", endpoint.name, endpoint.url));
        }
        let mut published = AppChange::none()
            .address(cx.state.address)
            .endpoints(&endpoints);
        if let Some(node) = &cx.state.node {
            // It may have been moved since the last time.
            published = published.node(node);
        }
        cx.context
            .store
            .apps()
            .change(&cx.context.lease, published)
            .await
            .map_err(broken)
    }

    async fn undo(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let cleared = AppChange::none().address(None);
        cx.context
            .store
            .apps()
            .change(&cx.context.lease, cleared)
            .await
            .map_err(broken)
    }
}
