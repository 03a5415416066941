//! Steps that build in the world, and the two sagas made of them.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use saga::{Failure, MemoryJournal, Outcome, Saga, Step, StepContext, StepError};
use serde::{Deserialize, Serialize};

use crate::world::{Way, World};

/// Time limit of each run.
pub(crate) const LIMIT: Duration = Duration::from_secs(7);
/// Time limit of each undo.
pub(crate) const UNDO_LIMIT: Duration = Duration::from_secs(9);

/// What a saga over the world remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    identifiers: BTreeMap<String, u64>,
}

/// A step that makes one thing.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) order: usize,
    pivot: bool,
}

impl Work {
    async fn make<S: Saga<State = State, Context = World>>(
        &self,
        cx: &mut StepContext<'_, S>,
    ) -> Result<(), StepError> {
        let known = cx.state.identifiers.get(self.name).copied();
        let identifier = known.unwrap_or_else(|| cx.context.fresh_identifier());
        if known.is_none() {
            cx.state
                .identifiers
                .insert(self.name.to_owned(), identifier);
            cx.checkpoint().await?;
        }
        for part in [0, 1] {
            cx.context.point(self.name, Way::Run, part).await?;
            cx.context.put(self, identifier, part);
        }
        cx.log("made");
        Ok(cx.context.point(self.name, Way::Run, 2).await?)
    }

    async fn unmake<S: Saga<State = State, Context = World>>(
        &self,
        cx: &mut StepContext<'_, S>,
    ) -> Result<(), StepError> {
        let identifier = cx.state.identifiers.get(self.name).copied();
        for part in [0, 1] {
            cx.context.point(self.name, Way::Undo, part).await?;
            if let Some(identifier) = identifier {
                cx.context.remove(self, identifier, part);
            }
        }
        cx.log("unmade");
        Ok(cx.context.point(self.name, Way::Undo, 2).await?)
    }
}

#[async_trait]
impl<S: Saga<State = State, Context = World>> Step<S> for Work {
    fn name(&self) -> &'static str {
        self.name
    }

    fn timeout(&self, _world: &World) -> Duration {
        LIMIT
    }

    fn undo_timeout(&self, _world: &World) -> Duration {
        UNDO_LIMIT
    }

    fn pivot(&self) -> bool {
        self.pivot
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        cx.context.called(self.name, Way::Run);
        if cx.context.twice {
            self.make(cx).await?;
        }
        self.make(cx).await
    }

    async fn undo(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        cx.context.called(self.name, Way::Undo);
        if cx.context.twice {
            self.unmake(cx).await?;
        }
        self.unmake(cx).await
    }
}

/// Four steps that can all be taken back.
pub(crate) struct Build;

impl Saga for Build {
    const KIND: &'static str = "build";
    type State = State;
    type Context = World;

    fn steps() -> &'static [&'static dyn Step<Self>] {
        &[
            &Work {
                name: "reserve",
                order: 0,
                pivot: false,
            },
            &Work {
                name: "create",
                order: 1,
                pivot: false,
            },
            &Work {
                name: "start",
                order: 2,
                pivot: false,
            },
            &Work {
                name: "check",
                order: 3,
                pivot: false,
            },
        ]
    }
}

/// Five steps with no way back after the third.
pub(crate) struct Replace;

impl Saga for Replace {
    const KIND: &'static str = "replace";
    type State = State;
    type Context = World;

    fn steps() -> &'static [&'static dyn Step<Self>] {
        &[
            &Work {
                name: "create",
                order: 0,
                pivot: false,
            },
            &Work {
                name: "check",
                order: 1,
                pivot: false,
            },
            &Work {
                name: "switch",
                order: 2,
                pivot: true,
            },
            &Work {
                name: "drain",
                order: 3,
                pivot: false,
            },
            &Work {
                name: "retire",
                order: 4,
                pivot: false,
            },
        ]
    }
}

/// An empty journal of a saga over the world.
pub(crate) fn fresh() -> MemoryJournal {
    MemoryJournal::new(&State::default())
}

/// The step and failure that a person is told.
pub(crate) fn unwound(outcome: Outcome) -> (String, Failure) {
    match outcome {
        Outcome::Unwound { step, failure } => (step, failure),
        other => panic!("not unwound: {other:?}"),
    }
}
