//! Choosing the node.

use async_trait::async_trait;
use saga::{Failure, Saga, Step, StepContext, StepError};

use store::AppChange;

use crate::{
    broken,
    context::Context,
    explain,
    failures::sentence,
    operations::State,
    placement::{self, Demand, Placement},
    view::ClusterView,
};

/// Chooses node, storage and template, and promises the app its memory and disk.
///
/// *Writes down* the choice in the state and the promise in the app's row, in the same breath in which the
/// cluster was looked at, so that two deployments at the same moment do not both take the last room.
/// *Recognises* a choice that was made before a crash, and keeps it. *Undo* takes the promise back; there is
/// nothing to prove.
pub(crate) struct ChooseNode;

#[async_trait]
impl<S: Saga<State = State, Context = Context>> Step<S> for ChooseNode {
    fn name(&self) -> &'static str {
        "choose_node"
    }

    async fn run(&self, cx: &mut StepContext<'_, S>) -> Result<(), StepError> {
        if cx.state.choice.is_some() {
            return Ok(());
        }
        let demand = demand(cx.state, cx.context);
        let site = &cx.context.site;
        let _placing = site.placing.lock().await;
        let promises = site.store.apps().promised().await.map_err(broken)?;
        let view = ClusterView::gather(&site.cluster, &promises)
            .await
            .map_err(|error| explain::proxmox("looking at the cluster", &error))?;
        let placement = placement::choose(&demand, &view.nodes);
        for candidate in &placement.candidates {
            cx.log(format!("{}: {}", candidate.node, candidate.reason));
        }
        let Some(choice) = placement.choice.clone() else {
            return Err(no_node(&placement).into());
        };
        let place = AppChange::none().place(&choice.node, &choice.storage);
        site.store
            .apps()
            .change(&cx.context.lease, place)
            .await
            .map_err(broken)?;
        cx.log(format!("chose {}", choice.node));
        cx.state.node = Some(choice.node.clone());
        cx.state.choice = Some(choice);
        Ok(())
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
