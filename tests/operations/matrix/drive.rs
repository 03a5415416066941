//! Drives one operation through its case: arms the fault as its step begins, kills and begins processes, heals
//! and retries what is stuck, and writes down what was seen.

use std::{collections::BTreeMap, time::Duration};

use api::{Operation, OperationId, OperationKind};
use control::{Moment, Write};
use saga::{Event, Outcome, Plan};
use sim::{Visit, faults::Action, faults::Rule};
use store::Lease;

use super::{
    case::{Call, Case, Harm, Mark, Record, Way},
    town::{PATIENCE, Reached, Town},
};

/// How often whether a hanging call is reached is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// Rests as stuck that are healed and retried before it is said that there is no rest.
const RETRIES: usize = 3;

/// What was seen of one operation.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) operation: OperationId,
    /// The operation as it was told each time that it was stuck.
    pub(super) stuck: Vec<Operation>,
    /// The step that was under way when the harm was met; none when it was never met.
    pub(super) met_in: Option<String>,
    /// Writes and calls.
    pub(super) record: Record,
}

/// What drives.
pub(super) struct Driver<'t> {
    town: &'t mut Town,
    case: Option<&'t Case>,
    /// Whether the operation is turned back once its last step that can be undone has done all its work.
    turns_back: bool,
    plan: Plan,
    way: Way,
    counts: BTreeMap<Mark, u32>,
    lease: Option<Lease>,
    is_armed: bool,
    /// Visits before the step that is under way began.
    before: u64,
    has_turned: bool,
    seen: Seen,
}

/// What is done at a write.
enum Turn {
    Go,
    /// The process ends here, and the next one begins.
    Kill,
}

impl<'t> Driver<'t> {
    /// Asks for an operation and drives it to its rest. Without a case nothing goes wrong.
    pub(super) async fn run(
        town: &'t mut Town,
        kind: OperationKind,
        case: Option<&'t Case>,
        turns_back: bool,
    ) -> Result<Seen, String> {
        let operation = town.ask(kind, None).await.id;
        let mut driver = Self {
            town,
            case,
            turns_back,
            plan: control::operations::plan(kind),
            way: Way::Forward,
            counts: BTreeMap::new(),
            lease: None,
            is_armed: false,
            before: 0,
            has_turned: false,
            seen: Seen {
                operation,
                stuck: Vec::new(),
                met_in: None,
                record: Record::default(),
            },
        };
        let rested = driver.rest().await;
        driver.town.heal().await;
        rested.map(|()| driver.seen)
    }

    async fn rest(&mut self) -> Result<(), String> {
        loop {
            let reached = self.next().await?;
            let Some(Reached { moment, go }) = reached else {
                continue;
            };
            self.lease = Some(moment.lease.clone());
            let turn = self.at(&moment).await?;
            let is_end = moment.is_written && matches!(moment.write, Write::End(_));
            match turn {
                Turn::Kill => {
                    drop(go);
                    self.next_process(false).await;
                }
                Turn::Go => drop(go.send(())),
            }
            if is_end && self.rests(&moment).await? {
                return Ok(());
            }
        }
    }

    /// The next write; nothing when something else was done meanwhile.
    async fn next(&mut self) -> Result<Option<Reached>, String> {
        let hangs = self.is_armed && self.seen.met_in.is_none() && self.waits_in_call();
        let deadline = tokio::time::sleep(PATIENCE);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                biased;
                reached = self.town.reached() => return Ok(Some(reached)),
                () = &mut deadline => return Err(format!("it does not rest: nothing is written for {PATIENCE:?}")),
                () = tokio::time::sleep(LOOK), if hangs => {}
            }
            if self.is_used_up() {
                self.seen.met_in = self.case.map(|case| case.step.clone());
                match self.case.map(|case| &case.harm) {
                    Some(Harm::KillIn(_)) => self.next_process(true).await,
                    _ => self.cancel().await?,
                }
                return Ok(None);
            }
        }
    }

    fn waits_in_call(&self) -> bool {
        let harm = self.case.map(|case| &case.harm);
        matches!(harm, Some(Harm::KillIn(_) | Harm::CancelIn(_)))
    }

    /// Whether the armed rule has been met.
    fn is_used_up(&self) -> bool {
        let rules = self.town.cluster.cluster().faults().rules();
        rules.first().is_some_and(|rule| match rule.times {
            Some(times) => times == 0,
            // A lasting one is met by the first who comes.
            None => self.visits().iter().any(|visit| visit.on == rule.on),
        })
    }

    fn visits(&self) -> Vec<Visit> {
        self.town.cluster.cluster().faults().visits(self.before)
    }

    async fn cancel(&mut self) -> Result<(), String> {
        let (control, asked) = (self.town.control().clone(), self.town.asked().clone());
        let cancelled = control.cancel(&asked, self.seen.operation).await;
        cancelled
            .map(drop)
            .map_err(|error| format!("the cancel was refused: {}", error.detail()))
    }

    /// The process dies; a new one finds everything in the database. The dead one's lease is given back so that
    /// nobody has to wait for its end.
    async fn next_process(&mut self, heals: bool) {
        self.town.kill().await;
        if heals {
            self.town.heal().await;
        }
        self.town.begin().await;
        if let Some(lease) = &self.lease {
            // At its rest an operation is held by nobody.
            let _ = self.town.store().leases().release(lease).await;
        }
    }

    /// Decides what happens at a write.
    async fn at(&mut self, moment: &Moment) -> Result<Turn, String> {
        let (step, kind) = match &moment.write {
            Write::Event(event) => (event.step().to_owned(), event.kind()),
            Write::End(_) => (String::new(), "end"),
        };
        let mark = self.mark(step, kind, moment.is_written);
        if moment.is_written {
            self.written(moment).await?;
        } else {
            self.before_write(moment, &mark);
        }
        if self.turns(&mark, moment.is_written) {
            self.has_turned = true;
            self.cancel().await?;
            return Ok(Turn::Kill);
        }
        let Some(case) = self.case else {
            return Ok(Turn::Go);
        };
        if let Harm::Kill {
            mark: wanted,
            is_written,
        } = &case.harm
            && (wanted, *is_written, case.way) == (&mark, moment.is_written, self.way_of(moment))
            && self.seen.met_in.is_none()
        {
            self.seen.met_in = Some(mark.step.clone());
            return Ok(Turn::Kill);
        }
        Ok(Turn::Go)
    }

    /// With a failure the way back begins.
    fn way_of(&self, moment: &Moment) -> Way {
        match &moment.write {
            Write::Event(Event::Failed { .. }) => Way::Back,
            _ => self.way,
        }
    }

    fn index(&self, step: &str) -> usize {
        let found = self.plan.names.iter().position(|name| *name == step);
        found.expect("a step of the plan")
    }

    /// Numbers a write; the same before and after it.
    fn mark(&mut self, step: String, kind: &'static str, is_written: bool) -> Mark {
        let number = 0;
        let key = Mark { step, kind, number };
        let count = self.counts.entry(key.clone()).or_default();
        *count += u32::from(!is_written);
        Mark {
            number: *count,
            ..key
        }
    }

    /// Whether this is where the operation is turned back: the work of all steps is done, the last one's is not
    /// written down.
    fn turns(&self, mark: &Mark, is_written: bool) -> bool {
        let last = self.plan.pivot.unwrap_or(self.plan.names.len() - 1);
        self.turns_back
            && !self.has_turned
            && !is_written
            && (mark.kind, mark.step.as_str()) == ("finished", self.plan.names[last])
    }

    fn before_write(&mut self, moment: &Moment, mark: &Mark) {
        self.seen
            .record
            .marks
            .push((self.way_of(moment), mark.clone()));
        if matches!(mark.kind, "finished" | "undone") {
            let key = (self.way_of(moment), mark.step.clone());
            let calls = calls(&self.visits());
            self.seen.record.calls.entry(key).or_insert(calls);
        }
        if self.is_armed && self.seen.met_in.is_none() && self.meets_in_calls() && self.is_used_up()
        {
            self.seen.met_in = Some(mark.step.clone());
        }
        let is_over = self.case.is_some_and(|case| case.step == mark.step)
            && matches!(mark.kind, "finished" | "undone");
        if self.is_armed && is_over && self.seen.met_in.is_none() {
            // Its step made fewer calls this time; no other step's call is meant.
            self.town.harm(Vec::new());
        }
    }

    fn meets_in_calls(&self) -> bool {
        matches!(self.case.map(|case| &case.harm), Some(Harm::Call { .. }))
    }

    async fn written(&mut self, moment: &Moment) -> Result<(), String> {
        let begins = match &moment.write {
            Write::Event(Event::Started { step }) => Some((Way::Forward, step.clone())),
            Write::Event(Event::Failed { step, .. }) => {
                if self.is_undone(step) {
                    self.way = Way::Back;
                }
                Some((Way::Back, step.clone()))
            }
            Write::Event(Event::Undone { step }) => {
                let index = self.index(step);
                let before = index.checked_sub(1).map(|index| self.plan.names[index]);
                before.map(|step| (Way::Back, step.to_owned()))
            }
            _ => None,
        };
        let Some((way, step)) = begins else {
            return Ok(());
        };
        self.before = self.town.cluster.cluster().faults().visited();
        match self.case {
            Some(case) if !self.is_armed && (case.way, &case.step) == (way, &step) => {
                self.is_armed = true;
                self.arm(&case.harm.clone()).await
            }
            _ => Ok(()),
        }
    }

    /// Whether a failure in this step turns the operation back.
    fn is_undone(&self, step: &str) -> bool {
        let index = self.index(step);
        self.plan.pivot.is_none_or(|pivot| index <= pivot)
    }

    async fn arm(&mut self, harm: &Harm) -> Result<(), String> {
        let once = |call: &Call, action| {
            Rule::new(&call.place, action)
                .after(call.number - 1)
                .times(1)
        };
        match harm {
            Harm::Call {
                call,
                action,
                lasting,
            } => {
                let rule = if *lasting {
                    Rule::new(&call.place, *action)
                } else {
                    once(call, *action)
                };
                self.town.harm(vec![rule]);
            }
            Harm::CancelIn(call) | Harm::KillIn(call) => {
                self.town.harm(vec![once(call, Action::Hang)]);
            }
            Harm::Offline => {
                let node = self.town.node().await;
                self.town.take_offline(&node).await;
                self.seen.met_in = self.case.map(|case| case.step.clone());
            }
            Harm::Cancel => {
                self.seen.met_in = self.case.map(|case| case.step.clone());
                self.cancel().await?;
            }
            Harm::Kill { .. } => {}
        }
        Ok(())
    }

    /// Whether it rests; what is stuck is healed and tried again.
    async fn rests(&mut self, moment: &Moment) -> Result<bool, String> {
        let Write::End(Outcome::Stuck { .. }) = &moment.write else {
            return Ok(true);
        };
        let told = self.town.operation(self.seen.operation).await;
        self.seen.stuck.push(told);
        if self.seen.stuck.len() > RETRIES {
            return Err(format!("stuck again and again: {:#?}", self.seen.stuck));
        }
        self.town.heal().await;
        let (control, asked) = (self.town.control().clone(), self.town.asked().clone());
        let retried = control.retry(&asked, self.seen.operation).await;
        retried
            .map(|_| false)
            .map_err(|error| format!("the retry was refused: {}", error.detail()))
    }
}

/// Numbers the visits at each place.
fn calls(visits: &[Visit]) -> Vec<Call> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    visits
        .iter()
        .map(|visit| {
            let number = counts.entry(visit.on.as_str()).or_default();
            *number += 1;
            Call {
                place: visit.on.clone(),
                number: *number,
                on_node: visit.node.is_some(),
            }
        })
        .collect()
}
