//! What must be true of every case: the operation rests, the cluster is as before or as completed, the rows
//! agree with it, and people are told what was wrong and nothing that they may not know.

use std::collections::BTreeSet;

use api::{AppState, Operation, OperationKind, OperationStatus};
use sim::faults::Action;

use super::{
    case::{Case, Fault, Harm, Way},
    drive::{Driver, Seen},
    form::Form,
    town::{SECRET, Town},
};

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The harm was met, and all is as it must be.
    Good,
    /// It lay behind the last look of a step that looks again and again: nothing went wrong.
    NotMet,
    /// The operation came to rest before the step began: on a busy machine what is only slow may run into a
    /// limit.
    NotPlayed,
}

/// What there was before.
struct Before {
    form: Form,
    app: Option<(api::AppId, AppState)>,
}

/// Plays a case and judges it.
pub(super) async fn judge(town: &mut Town, case: &Case) -> Result<Verdict, String> {
    town.prepare(case.kind).await;
    if needs_new_process(case) {
        town.kill().await;
        town.begin().await;
    }
    let before = Before {
        form: town.form().await?,
        app: town.app().await,
    };
    let seen = Driver::run(town, case.kind, Some(case), case.way == Way::Back).await?;
    let ended = town.operation(seen.operation).await;
    let checked = check(town, case, &before, &seen, &ended).await;
    checked.map_err(|why| {
        let path: Vec<String> = seen
            .record
            .marks
            .iter()
            .map(|(_, mark)| format!("{} {}", mark.kind, mark.step))
            .collect();
        format!(
            "{why}\n    {} {:?} {:?}\n    stuck {:?}\n    {}",
            ended.status,
            ended.error,
            seen.met_in,
            seen.stuck
                .iter()
                .map(|told| &told.error)
                .collect::<Vec<_>>(),
            path.join(" · ")
        )
    })
}

/// Logging in and connecting are done once in a process, where a container was is remembered by it, and what placing
/// learns of the nodes is kept for a while.
fn needs_new_process(case: &Case) -> bool {
    if case.kind == OperationKind::Deploy {
        return true;
    }
    match &case.harm {
        Harm::Call { call, .. } | Harm::CancelIn(call) | Harm::KillIn(call) => {
            matches!(call.place.as_str(), "login" | "ssh_connect" | "resources")
        }
        _ => false,
    }
}

async fn check(
    town: &Town,
    case: &Case,
    before: &Before,
    seen: &Seen,
    ended: &Operation,
) -> Result<Verdict, String> {
    rest(case, seen, ended)?;
    cluster(town, case, before, ended).await?;
    rows(town, case, before, ended).await?;
    explained(case, seen, ended)?;
    secrets(town, ended).await?;
    match &seen.met_in {
        Some(step) if *step == case.step => Ok(Verdict::Good),
        Some(step) => Err(format!("it was met in {step}")),
        None if is_repetition(case) => Ok(Verdict::NotMet),
        None if !began(case, seen) => Ok(Verdict::NotPlayed),
        None => Err("it was never met".to_owned()),
    }
}

fn began(case: &Case, seen: &Seen) -> bool {
    let mut marks = seen.record.marks.iter().map(|(_, mark)| mark);
    marks.any(|mark| mark.step == case.step && mark.kind == "started")
}

/// How often a step looks, and how often a process connects, is not the same in each run.
fn is_repetition(case: &Case) -> bool {
    match &case.harm {
        Harm::Call { call, .. } => call.number > 1 || call.place == "task_log",
        Harm::CancelIn(call) | Harm::KillIn(call) => call.place == "task_log",
        _ => false,
    }
}

/// Completed or unwound; stuck on the way only where that is the promise.
fn rest(case: &Case, seen: &Seen, ended: &Operation) -> Result<(), String> {
    if !matches!(
        ended.status,
        OperationStatus::Completed | OperationStatus::Unwound
    ) {
        return Err("it does not rest".to_owned());
    }
    let plan = control::operations::plan(case.kind);
    let index = plan.names.iter().position(|name| *name == case.step);
    let is_past_pivot = plan.pivot.is_some_and(|pivot| index > Some(pivot));
    let may_be_stuck = is_past_pivot || case.way == Way::Back || case.fault == Fault::NodeOffline;
    if !seen.stuck.is_empty() && !may_be_stuck {
        return Err("it was stuck".to_owned());
    }
    if case.way == Way::Back && ended.status != OperationStatus::Unwound {
        return Err("it was cancelled and is not unwound".to_owned());
    }
    let is_repeated = matches!(
        case.fault,
        Fault::StepTwice | Fault::KilledBeforeWrite | Fault::KilledAfterWrite | Fault::KilledInCall
    );
    if is_repeated && case.way == Way::Forward && ended.status != OperationStatus::Completed {
        return Err("only the process died, and it did not go on to its end".to_owned());
    }
    Ok(())
}

/// As before, or as completed.
async fn cluster(
    town: &Town,
    case: &Case,
    before: &Before,
    ended: &Operation,
) -> Result<(), String> {
    let now = town.form().await?;
    let app = town.control().app(&ended.app.id.to_string()).await;
    let app = app.map_err(|error| format!("the app is not there: {}", error.detail()))?;
    let is_completed = ended.status == OperationStatus::Completed;
    // The number that the app had while there was a container.
    let number = || app.vmid.map(u64::from).ok_or("the app has no number");
    let (now, wanted) = match (case.kind, is_completed) {
        (OperationKind::Deploy, true) => {
            let vmid = number()?;
            let container = now.container(vmid).ok_or("there is no container")?;
            if container["status"] != "running" {
                return Err("the container does not run".to_owned());
            }
            (now.minus(vmid), before.form.clone())
        }
        (OperationKind::Delete, true) => {
            let gone: BTreeSet<u64> = &before.form.numbers() - &now.numbers();
            let [vmid] = gone.into_iter().collect::<Vec<_>>()[..] else {
                return Err("not exactly one container is gone".to_owned());
            };
            (now, before.form.clone().minus(vmid))
        }
        (OperationKind::Start, true) => {
            (now, before.form.clone().with_status(number()?, "running"))
        }
        (OperationKind::Stop, true) => (now, before.form.clone().with_status(number()?, "stopped")),
        (OperationKind::Restart | OperationKind::Adopt, true) | (_, false) => {
            (now, before.form.clone())
        }
    };
    match now.difference(&wanted) {
        None => Ok(()),
        Some(difference) => Err(format!("the cluster is not as it must be: {difference}")),
    }
}

/// The rows agree with the cluster.
async fn rows(town: &Town, case: &Case, before: &Before, ended: &Operation) -> Result<(), String> {
    let is_completed = ended.status == OperationStatus::Completed;
    let wanted = match (case.kind, is_completed) {
        (
            OperationKind::Deploy
            | OperationKind::Start
            | OperationKind::Restart
            | OperationKind::Adopt,
            true,
        ) => Some(AppState::Running),
        (OperationKind::Stop, true) => Some(AppState::Stopped),
        (OperationKind::Delete, true) => None,
        (_, false) => before.app.map(|(_, state)| state),
    };
    let now = town.app().await;
    let state = now.map(|(_, state)| state);
    if state != wanted {
        return Err(format!("the app is {state:?} and not {wanted:?}"));
    }
    let database = |error: store::Error| error.to_string();
    let (held, there) = (
        town.store()
            .apps()
            .reserved_vmids()
            .await
            .map_err(database)?,
        town.form().await?.numbers(),
    );
    let mut held: BTreeSet<u64> = held.into_iter().map(u64::from).collect();
    if let (Some(loss), false) = (&town.loss, is_completed) {
        // Nobody's again, as it was before.
        let is_free = held.insert(loss.vmid.into());
        if !is_free {
            return Err(format!("number {} is still held", loss.vmid));
        }
    }
    if held != there {
        return Err(format!("numbers {held:?} are held, {there:?} are there"));
    }
    let promises = town.store().apps().promised().await.map_err(database)?;
    let wanted = 1 + usize::from(now.is_some());
    if promises.len() != wanted {
        return Err(format!("{} promises stand, not {wanted}", promises.len()));
    }
    Ok(())
}

/// A failure has a code, a sentence, evidence where there is any, and says what to do.
fn explained(case: &Case, seen: &Seen, ended: &Operation) -> Result<(), String> {
    let unwound = (ended.status == OperationStatus::Unwound).then_some(ended);
    for told in seen.stuck.iter().chain(unwound) {
        let Some(error) = &told.error else {
            return Err("it failed and does not say why".to_owned());
        };
        if error.code == "internal" || error.code.is_empty() {
            return Err(format!("the code `{}` explains nothing", error.code));
        }
        if !error.message.ends_with('.') || error.message.len() < 15 {
            return Err(format!("not a sentence: {}", error.message));
        }
        if error.hint.as_deref().is_none_or(|hint| hint.len() < 10) {
            return Err(format!("no hint with `{}`", error.code));
        }
    }
    // A task or a command that failed said something.
    let speaks = matches!(
        &case.harm,
        Harm::Call {
            action: Action::FailInTask | Action::Fail,
            ..
        }
    );
    let silent = unwound.and_then(|told| told.error.as_ref());
    match silent {
        Some(error) if speaks && case.way == Way::Forward && error.evidence.is_empty() => {
            Err(format!("no evidence with `{}`", error.code))
        }
        _ => Ok(()),
    }
}

/// Nothing that people see holds a secret.
async fn secrets(town: &Town, ended: &Operation) -> Result<(), String> {
    let events = town.events(ended.id).await;
    let texts = events
        .iter()
        .map(ToString::to_string)
        .chain([format!("{ended:?}")]);
    for text in texts {
        for secret in [SECRET, &town.cluster.password, &town.cluster.token_secret] {
            if text.contains(secret) {
                return Err(format!("a secret is told: {text}"));
            }
        }
    }
    Ok(())
}
