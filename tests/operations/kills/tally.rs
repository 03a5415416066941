//! What was done and how long it took.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Ears, hand::Asked, killer::Kill};

/// Everything that happened in one run.
pub(crate) struct Tally {
    pub(crate) kills: Vec<Kill>,
    pub(crate) asked: Vec<Asked>,
    /// Requests whose answer was lost.
    pub(crate) repeated: u32,
    pub(crate) ears: Ears,
}

impl Tally {
    /// Steps that were begun again because their driver had died in them.
    fn resumed_steps(&self) -> usize {
        let mut open = BTreeSet::new();
        let mut again = 0;
        for event in self.ears.heard().iter() {
            let step = (event.operation.clone(), event.step.clone());
            match event.kind.as_str() {
                "step.started" if !open.insert(step.clone()) => again += 1,
                "step.finished" | "step.failed" | "step.undone" => {
                    open.remove(&step);
                }
                _ => {}
            }
        }
        again
    }

    /// Milliseconds from each death to the next word of an operation that was under way; shortest first.
    fn resumed_after(&self) -> Vec<i64> {
        let heard = self.ears.heard();
        let mut times: Vec<i64> = { self.kills.iter() }
            .filter_map(|kill| {
                let resumed = heard.iter().find(|event| {
                    event.time > kill.time
                        && event.kind.starts_with("step.")
                        && kill.under_way.contains_key(&event.operation)
                })?;
                Some((resumed.time - kill.time).num_milliseconds())
            })
            .collect();
        times.sort_unstable();
        times
    }

    /// How often each step was the one that somebody died in.
    fn places(&self) -> BTreeMap<&str, usize> {
        let mut places = BTreeMap::new();
        for step in self.kills.iter().flat_map(|kill| kill.under_way.values()) {
            *places.entry(step.as_str()).or_default() += 1;
        }
        places
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.resumed_after();
        let at = |share: usize| times.get((times.len() * share / 100).min(times.len().max(1) - 1));
        writeln!(
            f,
            "{} kills, {} operations asked for ({} cancelled in time, {} with the answer lost and asked for again), {} events",
            self.kills.len(),
            self.asked.len(),
            self.asked.iter().filter(|asked| asked.cancelled).count(),
            self.repeated,
            self.ears.count(),
        )?;
        writeln!(
            f,
            "{} steps begun again; from a kill to the next word of what it met: median {} ms, 95 % {} ms, longest {} ms",
            self.resumed_steps(),
            at(50).unwrap_or(&0),
            at(95).unwrap_or(&0),
            at(100).unwrap_or(&0),
        )?;
        write!(f, "killed in: {:?}", self.places())
    }
}
