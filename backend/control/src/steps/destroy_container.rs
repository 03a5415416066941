//! Destroying the container.

use std::time::Duration;

use async_trait::async_trait;
use saga::{Saga, Step, StepContext, StepError};

use crate::{containers::destroy, context::Context, operations::State};

const LIMIT: Duration = Duration::from_mins(5);

/// Destroys the app's container with its disk.
///
/// *Writes down* nothing: number, node and nonce are those of the app. *Recognises* a container that is gone.
/// Before it destroys, it *proves* app and nonce in the container's own description; a guest of somebody else
/// under the same number is left alone.
pub(crate) struct DestroyContainer;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for DestroyContainer {
    fn name(&self) -> &'static str {
        "destroy_container"
    }

    fn timeout(&self, context: &Context) -> Duration {
        context.settings.limit(LIMIT) * 2
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        destroy(cx, LIMIT).await
    }
}
