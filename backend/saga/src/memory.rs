//! A journal in memory: for tests, and for sagas that need not outlive their process.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;

use crate::{Entry, Event, Interrupted, Journal};

/// Keeps everything in memory, and fails on demand: see [`fail`](Self::fail).
#[derive(Debug)]
pub struct MemoryJournal(Mutex<Kept>);

/// How one append goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller dies, or the database is gone, before the event is kept.
    WriteLost,
    /// The event is kept, but the caller never hears of it.
    AcknowledgementLost,
    /// Another driver has taken over; nothing is kept.
    LeaseLost,
}

#[derive(Debug)]
struct Kept {
    asked: Value,
    entries: Vec<Entry>,
    notes: Vec<(String, String)>,
    appends: usize,
    faults: BTreeMap<usize, Fault>,
}

impl MemoryJournal {
    /// An empty journal of an operation that is asked with `state`.
    ///
    /// Panics when the state cannot be written as JSON.
    pub fn new(state: &impl Serialize) -> Self {
        let asked = serde_json::to_value(state).expect("a saga's state can be written as JSON");
        Self(Mutex::new(Kept {
            asked,
            entries: Vec::new(),
            notes: Vec::new(),
            appends: 0,
            faults: BTreeMap::new(),
        }))
    }

    /// Makes the append with this number fail, counted from zero over the journal's whole life (see
    /// [`appends`](Self::appends)), once.
    pub fn fail(&self, append: usize, fault: Fault) {
        self.kept().faults.insert(append, fault);
    }

    /// How many appends have been tried, lost ones included.
    pub fn appends(&self) -> usize {
        self.kept().appends
    }

    /// What has been kept, in order.
    pub fn entries(&self) -> Vec<Entry> {
        self.kept().entries.clone()
    }

    /// The events that have been kept, in order.
    pub fn events(&self) -> Vec<Event> {
        self.kept()
            .entries
            .iter()
            .map(|entry| entry.event.clone())
            .collect()
    }

    /// Step and text of every line noted, in order.
    pub fn notes(&self) -> Vec<(String, String)> {
        self.kept().notes.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing in here panics halfway through a change, so a poisoned lock guards whole data.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, event: &Event, state: &Value) -> Result<(), Interrupted> {
        let mut kept = self.kept();
        let number = kept.appends;
        kept.appends += 1;
        let fault = kept.faults.remove(&number);
        match fault {
            Some(Fault::WriteLost) => return Err(Interrupted::journal("the write was lost")),
            Some(Fault::LeaseLost) => return Err(Interrupted::LeaseLost),
            Some(Fault::AcknowledgementLost) | None => {}
        }
        kept.entries.push(Entry {
            event: event.clone(),
            state: state.clone(),
        });
        match fault {
            Some(_) => Err(Interrupted::journal("the acknowledgement was lost")),
            None => Ok(()),
        }
    }

    async fn load(&self) -> Result<(Vec<Event>, Value), Interrupted> {
        let kept = self.kept();
        let state = kept
            .entries
            .last()
            .map_or(&kept.asked, |entry| &entry.state)
            .clone();
        Ok((
            kept.entries
                .iter()
                .map(|entry| entry.event.clone())
                .collect(),
            state,
        ))
    }

    fn note(&self, step: &str, line: &str) {
        self.kept().notes.push((step.to_owned(), line.to_owned()));
    }
}
