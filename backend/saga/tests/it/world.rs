//! A model world that steps build in and undo tears down, with harm on demand at every point of
//! every step.
//!
//! A step makes one thing of two parts. It knows its thing again only by an identifier that it has
//! written down, so an engine that loses a state, skips an undo or confuses the order leaves
//! something behind or breaks a rule, and the world tells.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use saga::{Control, Failure};
use tokio_util::sync::CancellationToken;

use crate::work::Work;

/// Points of one attempt at which harm can be done: before the first part, between the two, after
/// both.
pub(crate) const POINTS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Run,
    Undo,
}

/// What can happen to a step at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Harm {
    Fail,
    Panic,
    Hang,
    /// A person cancels here.
    Cancel,
    /// The process ends here.
    Die,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Injection {
    pub(crate) step: &'static str,
    pub(crate) way: Way,
    pub(crate) point: usize,
    pub(crate) harm: Harm,
    /// Until [`World::repair`], or once only.
    pub(crate) lasting: bool,
}

/// Harm in the middle of a step, once.
pub(crate) fn harm(step: &'static str, way: Way, harm: Harm) -> Injection {
    let (point, lasting) = (1, false);
    Injection {
        step,
        way,
        point,
        harm,
        lasting,
    }
}

#[derive(Debug, Default)]
pub(crate) struct World {
    /// A person's wish; kept over the death of a process, as a column in a database is.
    pub(crate) cancel: CancellationToken,
    shutdown: Mutex<CancellationToken>,
    /// Does everything of each attempt twice.
    pub(crate) twice: bool,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    last_identifier: u64,
    things: BTreeMap<u64, Thing>,
    injections: Vec<Injection>,
    calls: BTreeMap<(&'static str, bool), usize>,
    broken: Vec<String>,
}

#[derive(Debug)]
struct Thing {
    step: &'static str,
    order: usize,
    parts: BTreeSet<usize>,
}

impl World {
    pub(crate) fn new(twice: bool, injections: &[Injection]) -> Self {
        let world = Self {
            twice,
            ..Self::default()
        };
        world.inside().injections = injections.to_vec();
        world
    }

    /// The two wishes as a process that begins now sees them.
    pub(crate) fn process(&self) -> Control {
        let shutdown = CancellationToken::new();
        *self.shutdown.lock().unwrap() = shutdown.clone();
        Control {
            cancel: self.cancel.clone(),
            shutdown,
        }
    }

    /// Takes all harm away.
    pub(crate) fn repair(&self) {
        self.inside().injections.clear();
    }

    /// How often `run` or `undo` of a step was called.
    pub(crate) fn calls(&self, step: &'static str, way: Way) -> usize {
        self.inside()
            .calls
            .get(&(step, way == Way::Run))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.inside().things.is_empty()
    }

    /// Whether each of these steps has made its thing, whole and once, and nothing else is there.
    pub(crate) fn is_complete(&self, steps: &[&str]) -> bool {
        let inside = self.inside();
        let whole = |step: &&str| {
            let mut own = inside.things.values().filter(|thing| thing.step == *step);
            own.next().is_some_and(|thing| thing.parts.len() == 2) && own.next().is_none()
        };
        inside.things.len() == steps.len() && steps.iter().all(whole)
    }

    /// Rules that were broken on the way.
    pub(crate) fn broken(&self) -> Vec<String> {
        self.inside().broken.clone()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn called(&self, step: &'static str, way: Way) {
        *self
            .inside()
            .calls
            .entry((step, way == Way::Run))
            .or_default() += 1;
    }

    pub(crate) fn fresh_identifier(&self) -> u64 {
        let mut inside = self.inside();
        inside.last_identifier += 1;
        inside.last_identifier
    }

    /// Where harm is done, if any is to be done here.
    pub(crate) async fn point(
        &self,
        step: &'static str,
        way: Way,
        point: usize,
    ) -> Result<(), Failure> {
        // Real work waits for something; without this no wish could ever be heard inside of a step.
        tokio::task::yield_now().await;
        match self.harm(step, way, point) {
            None => {}
            Some(Harm::Fail) => {
                return Err(Failure::new("broken", format!("{step} broke at {point}")));
            }
            // As a panic, but without a word on standard error: there are thousands of them.
            Some(Harm::Panic) => std::panic::resume_unwind(Box::new("harm")),
            Some(Harm::Hang) => std::future::pending::<()>().await,
            Some(Harm::Cancel) => {
                self.cancel.cancel();
                tokio::task::yield_now().await;
            }
            Some(Harm::Die) => {
                self.shutdown.lock().unwrap().cancel();
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }

    fn harm(&self, step: &str, way: Way, point: usize) -> Option<Harm> {
        let mut inside = self.inside();
        let here = |harm: &Injection| harm.step == step && harm.way == way && harm.point == point;
        let index = inside.injections.iter().position(here)?;
        let injection = inside.injections[index];
        if !injection.lasting {
            inside.injections.remove(index);
        }
        Some(injection.harm)
    }

    pub(crate) fn put(&self, work: &Work, identifier: u64, part: usize) {
        let mut inside = self.inside();
        let whole = |order| {
            inside
                .things
                .values()
                .any(|thing| thing.order == order && thing.parts.len() == 2)
        };
        if !(0..work.order).all(whole) {
            inside.broken.push(format!(
                "{} ran before what it builds on was whole",
                work.name
            ));
        }
        let other = |(id, thing): (&u64, &Thing)| thing.step == work.name && *id != identifier;
        if inside.things.iter().any(other) {
            inside
                .broken
                .push(format!("{} made a second thing", work.name));
        }
        let new = Thing {
            step: work.name,
            order: work.order,
            parts: BTreeSet::new(),
        };
        inside
            .things
            .entry(identifier)
            .or_insert(new)
            .parts
            .insert(part);
    }

    pub(crate) fn remove(&self, work: &Work, identifier: u64, part: usize) {
        let mut inside = self.inside();
        if inside.things.values().any(|thing| thing.order > work.order) {
            inside.broken.push(format!(
                "{} was undone under what was built on it",
                work.name
            ));
        }
        if let Some(thing) = inside.things.get_mut(&identifier) {
            thing.parts.remove(&part);
            if thing.parts.is_empty() {
                inside.things.remove(&identifier);
            }
        }
    }
}
