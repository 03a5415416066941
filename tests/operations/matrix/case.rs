//! The cases: what goes wrong, where, and what it is called. All are generated, from the plan of each kind and
//! from what a run without any fault asked of the cluster.

use std::{collections::BTreeMap, fmt};

use api::OperationKind;
use sim::faults::{Action, actions_at};

/// The faults, as the report counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Refused,
    FailsInside,
    AnswerLost,
    Cut,
    Hangs,
    SshCut,
    NodeOffline,
    Cancelled,
    KilledBeforeWrite,
    KilledAfterWrite,
    KilledInCall,
    StepTwice,
    UndoTwice,
    UndoFails,
}

impl Fault {
    /// All of them, in the order of the report.
    pub(super) const ALL: [Self; 14] = [
        Self::Refused,
        Self::FailsInside,
        Self::AnswerLost,
        Self::Cut,
        Self::Hangs,
        Self::SshCut,
        Self::NodeOffline,
        Self::Cancelled,
        Self::KilledBeforeWrite,
        Self::KilledAfterWrite,
        Self::KilledInCall,
        Self::StepTwice,
        Self::UndoTwice,
        Self::UndoFails,
    ];

    /// Its name in the report.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::FailsInside => "fails inside",
            Self::AnswerLost => "answer lost",
            Self::Cut => "connection cut",
            Self::Hangs => "hangs past its limit",
            Self::SshCut => "SSH cut",
            Self::NodeOffline => "node offline",
            Self::Cancelled => "cancelled",
            Self::KilledBeforeWrite => "killed before a write",
            Self::KilledAfterWrite => "killed after a write",
            Self::KilledInCall => "killed in a call",
            Self::StepTwice => "step twice",
            Self::UndoTwice => "undo twice",
            Self::UndoFails => "undo fails",
        }
    }

    /// What an action at a place counts as.
    fn of(place: &str, action: Action) -> Self {
        let is_ssh = matches!(place, "ssh_connect" | "pct" | "pct_exec");
        match action {
            Action::Refuse => Self::Refused,
            Action::AnswerLost | Action::LostBefore | Action::Late => Self::AnswerLost,
            Action::Cut if is_ssh => Self::SshCut,
            Action::Cut => Self::Cut,
            Action::Hang | Action::HangInTask => Self::Hangs,
            Action::Offline => Self::NodeOffline,
            _ => Self::FailsInside,
        }
    }
}

/// Forward, or on the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Forward,
    Back,
}

/// A call that a step makes: the `number`-th (from 1) at this place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) place: String,
    pub(super) number: u32,
    /// Whether it is about a node, which can go offline then.
    pub(super) on_node: bool,
}

/// A write of the journal: the `number`-th (from 1) of this kind for this step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    /// The step; empty for the operation's end.
    pub(super) step: String,
    /// As [`saga::Event::kind`], or `end`.
    pub(super) kind: &'static str,
    pub(super) number: u32,
}

/// What is done, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    /// The step's call meets this; once, or until the operation rests.
    Call {
        call: Call,
        action: Action,
        lasting: bool,
    },
    /// The app's node is away from the step's beginning until the operation rests.
    Offline,
    /// A person cancels as the step begins.
    Cancel,
    /// A person cancels while the step's call is not answered.
    CancelIn(Call),
    /// The process ends at this write.
    Kill { mark: Mark, is_written: bool },
    /// The process ends while the step's call is not answered.
    KillIn(Call),
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) kind: OperationKind,
    pub(super) step: String,
    pub(super) way: Way,
    pub(super) fault: Fault,
    pub(super) harm: Harm,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, step, .. } = self;
        let way = match self.way {
            Way::Forward => "",
            Way::Back => "undo/",
        };
        let step = if step.is_empty() { "end" } else { step };
        write!(formatter, "{kind}/{way}{step}/")?;
        match &self.harm {
            Harm::Call {
                call,
                action,
                lasting,
            } => {
                let lasting = if *lasting { "/lasting" } else { "" };
                write!(
                    formatter,
                    "{action:?}/{}#{}{lasting}",
                    call.place, call.number
                )
            }
            Harm::Offline => write!(formatter, "Offline"),
            Harm::Cancel => write!(formatter, "Cancel"),
            Harm::CancelIn(call) => write!(formatter, "Cancel/{}#{}", call.place, call.number),
            Harm::KillIn(call) => write!(formatter, "Kill/{}#{}", call.place, call.number),
            Harm::Kill { mark, is_written } => {
                let when = if *is_written { "after" } else { "before" };
                write!(formatter, "Kill/{when}_{}#{}", mark.kind, mark.number)
            }
        }
    }
}

/// What a run without a fault did.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// Every write in order, with the way that the operation was on.
    pub(super) marks: Vec<(Way, Mark)>,
    /// What each step asked of the cluster, in order.
    pub(super) calls: BTreeMap<(Way, String), Vec<Call>>,
}

/// Reads that only look again at the same thing: the first two stand for all.
const LOOKS: u32 = 2;
/// Guests' own places: several visits are one affair (each layer of an image, each package).
const AFFAIRS: u32 = 1;

impl Call {
    /// Whether it stands for others and gets cases of its own.
    fn is_told_apart(&self) -> bool {
        let most = match self.place.as_str() {
            "ssh_connect" | "pct" | "pct_exec" => 4,
            place if actions_at(place).contains(&Action::FailInTask) => u32::MAX,
            place if sim::faults::REST_PLACES.contains(&place) => LOOKS,
            _ => AFFAIRS,
        };
        self.number <= most
    }

    fn is_remote(&self) -> bool {
        sim::faults::REST_PLACES.contains(&self.place.as_str())
            || matches!(self.place.as_str(), "ssh_connect" | "pct" | "pct_exec")
    }
}

/// All cases of a kind.
pub(super) fn cases(kind: OperationKind, record: &Record) -> Vec<Case> {
    let plan = control::operations::plan(kind);
    let mut all = Vec::new();
    let mut add = |step: &str, way, fault, harm| {
        let step = step.to_owned();
        all.push(Case {
            kind,
            step,
            way,
            fault,
            harm,
        });
    };
    for (index, step) in plan.names.iter().copied().enumerate() {
        let is_cancellable = plan.pivot.is_none_or(|pivot| index <= pivot);
        for way in [Way::Forward, Way::Back] {
            let calls = record.calls.get(&(way, step.to_owned()));
            for call in calls
                .into_iter()
                .flatten()
                .filter(|call| call.is_told_apart())
            {
                for action in actions_at(&call.place) {
                    if *action == Action::Offline && !call.on_node {
                        continue;
                    }
                    let harm = |lasting| Harm::Call {
                        call: call.clone(),
                        action: *action,
                        lasting,
                    };
                    add(step, way, Fault::of(&call.place, *action), harm(false));
                    if way == Way::Back && *action == Action::Refuse && call.number == 1 {
                        add(step, way, Fault::UndoFails, harm(true));
                    }
                }
                if call.is_remote() && call.number == 1 && way == Way::Forward {
                    if is_cancellable {
                        add(step, way, Fault::Cancelled, Harm::CancelIn(call.clone()));
                    }
                    add(step, way, Fault::KilledInCall, Harm::KillIn(call.clone()));
                }
            }
        }
        if is_cancellable {
            add(step, Way::Forward, Fault::Cancelled, Harm::Cancel);
        }
        add(step, Way::Forward, Fault::NodeOffline, Harm::Offline);
    }
    for (way, mark) in &record.marks {
        for is_written in [false, true] {
            let fault = match (mark.kind, is_written) {
                ("finished", false) => Fault::StepTwice,
                ("undone", false) => Fault::UndoTwice,
                (_, false) => Fault::KilledBeforeWrite,
                (_, true) => Fault::KilledAfterWrite,
            };
            let mark = mark.clone();
            let step = mark.step.clone();
            add(&step, *way, fault, Harm::Kill { mark, is_written });
        }
    }
    all
}

/// What is missing from the cases of a kind: every step has all faults of the process, every remote call all
/// faults of its place.
pub(super) fn missing(kind: OperationKind, record: &Record, cases: &[Case]) -> Vec<String> {
    let plan = control::operations::plan(kind);
    let mut missing = Vec::new();
    for (index, step) in plan.names.iter().enumerate() {
        let has = |fault| {
            cases
                .iter()
                .any(|case| case.step == *step && case.fault == fault)
        };
        let before_pivot = plan.pivot.is_none_or(|pivot| index <= pivot);
        let mut wanted = vec![
            Fault::NodeOffline,
            Fault::KilledBeforeWrite,
            Fault::KilledAfterWrite,
            Fault::StepTwice,
        ];
        if before_pivot {
            wanted.extend([Fault::Cancelled, Fault::UndoTwice]);
        }
        for fault in wanted {
            if !has(fault) {
                missing.push(format!("{step}: no case of “{}”", fault.name()));
            }
        }
    }
    for ((way, step), calls) in &record.calls {
        for call in calls {
            let has = cases.iter().any(|case| {
                matches!(&case.harm, Harm::Call { call: other, .. } if other.place == call.place)
                    && case.step == *step
                    && case.way == *way
            });
            if !has {
                missing.push(format!("{step}: no case of a fault at {}", call.place));
            }
        }
    }
    missing
}
