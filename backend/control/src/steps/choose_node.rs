//! Choosing the node.

use async_trait::async_trait;
use saga::{Failure, Saga, Step, StepContext, StepError, Turn};

use store::AppChange;

use crate::{
    broken,
    context::Context,
    explain,
    failures::sentence,
    operations::State,
    placement::{self, Choice, Demand, Placement},
    view::ClusterView,
};

/// Chooses node, storage and template, and promises the app its memory and disk.
///
/// *Writes down* the choice in the state and the promise in the app's row, the latter only if nobody, in whichever
/// process, has promised anything since the promises were read: two deployments at the same moment do not both take
/// the last room.
/// *Recognises* a choice that was made before a crash, and keeps it. *Undo* takes the promise back; there is
/// nothing to prove.
pub(crate) struct ChooseNode;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for ChooseNode {
    fn name(&self) -> &'static str {
        "choose_node"
    }

    async fn turn(&self, cx: &StepContext<'_, S>) -> Result<Turn, StepError> {
        // One after the other here, as each sees what the one before was promised. Other replicas are met below.
        // A turn is a moment: nothing to tell anybody of.
        Ok(cx.context.turns.take("placements", 1, |_| {}).await)
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        if cx.state.choice.is_some() {
            return Ok(());
        }
        let demand = demand(cx.state, cx.context);
        loop {
            let Some((placement, choice)) = choose(cx, &demand).await? else {
                cx.log("another replica promised room meanwhile; looking again");
                continue;
            };
            for candidate in &placement.candidates {
                cx.log(format!("{}: {}", candidate.node, candidate.reason));
            }
            cx.log(format!("chose {}", choice.node));
            cx.state.node = Some(choice.node.clone());
            cx.state.choice = Some(choice);
            return Ok(());
        }
    }

    async fn undo(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        let withdrawn = AppChange::none().without_container();
        cx.context
            .store
            .apps()
            .change(&cx.context.lease, withdrawn)
            .await
            .map_err(broken)
    }
}

/// Chooses by what is so now, and promises it; `None` when another replica promised something meanwhile.
async fn choose<S: Saga<State = State, Context = Context>>(
    cx: &StepContext<'_, S>,
    demand: &Demand,
) -> Result<Option<(Placement, Choice)>, StepError> {
    let (site, lease) = (&cx.context.site, &cx.context.lease);
    let gathered = site.gathering.look(&site.cluster).await;
    let gathered = gathered.map_err(|error| explain::proxmox("looking at the cluster", &error))?;
    let apps = site.store.apps();
    let seen = apps.promises_made().await.map_err(broken)?;
    let promises = apps.promised().await.map_err(broken)?;
    let placement = placement::choose(demand, &ClusterView::of(&gathered, &promises).nodes);
    let Some(choice) = placement.choice.clone() else {
        for candidate in &placement.candidates {
            cx.log(format!("{}: {}", candidate.node, candidate.reason));
        }
        return Err(no_node(&placement).into());
    };
    let place = AppChange::none().place(&choice.node, &choice.storage);
    let promised = apps.promise(lease, seen, place).await.map_err(broken)?;
    Ok(promised.then_some((placement, choice)))
}

/// What the operation asks of a node; also what its plan is made of.
pub(crate) fn demand(state: &State, context: &crate::context::Site) -> Demand {
    Demand {
        cores: state.size.cores,
        memory: state.size.memory,
        disk: state.size.disk,
        bridge: state
            .network
            .bridge
            .clone()
            .unwrap_or_else(|| context.settings.bridge.clone()),
        architectures: state.architectures.clone(),
        node: state.wanted_node.clone(),
        storage: context.settings.storage.clone(),
        template_storage: context.settings.template_storage.clone(),
    }
}

fn no_node(placement: &Placement) -> Failure {
    let mut failure = Failure::new("no_fitting_node", sentence(&placement.reason()))
        .hint("Free resources, ask for less, or change what the reasons name.");
    failure.evidence = placement.losers();
    failure
}
