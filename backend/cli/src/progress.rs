//! An operation's progress, as lines: painted over where that is possible, one after the other elsewhere.

use std::{collections::HashMap, io};

use api::{Event, EventKind, ImageProgress};
use chrono::{DateTime, Utc};

use crate::{
    Console,
    text::{clean, length, words},
};

/// What is known from the events so far.
#[derive(Default)]
pub(crate) struct Progress {
    began: HashMap<String, DateTime<Utc>>,
}

impl Progress {
    /// Tells an event.
    pub(crate) fn tell(&mut self, console: &mut Console, event: &Event) -> io::Result<()> {
        let step = event.step.as_deref().map(words).unwrap_or_default();
        let message = event.message.as_deref().map(clean);
        let because = message
            .as_deref()
            .map(|message| format!(": {message}"))
            .unwrap_or_default();
        match event.kind {
            EventKind::StepStarted => {
                self.began.insert(step.clone(), event.time);
                if console.is_live {
                    return console.pass_by(&format!("  {step} …"));
                }
                console.note(&format!("{step}: started"))
            }
            EventKind::StepFinished => {
                let taken = self.taken(&step, event.time);
                let done = if console.is_live {
                    format!("{} {step}{taken}", console.green("✓"))
                } else {
                    format!("{step}: done{taken}")
                };
                console.note(&done)
            }
            EventKind::StepFailed => {
                let mark = if console.is_live {
                    console.red("✗ ")
                } else {
                    String::new()
                };
                console.note(&format!("{mark}{step}: failed{because}"))
            }
            EventKind::StepUndone => console.note(&format!("{step}: undone")),
            EventKind::StepUndoFailed => {
                console.note(&format!("{step}: could not be undone{because}"))
            }
            EventKind::StepLog | EventKind::StepCheckpoint if console.is_live => {
                console.pass_by(&format!("  {step} … {}", message.unwrap_or_default()))
            }
            EventKind::StepLog => console.note(&format!("  {}", message.unwrap_or_default())),
            EventKind::ImageProgress => image(console, event),
            EventKind::OperationCancelRequested => {
                console.note("cancelled: what was done is being undone")
            }
            EventKind::OperationRetried => console.note("tried again"),
            EventKind::OperationParked => console.note(&format!("parked{because}")),
            EventKind::OperationResumed => console.note("it goes on"),
            EventKind::StepCheckpoint
            | EventKind::OperationQueued
            | EventKind::OperationFinished
            | EventKind::OperationAbandoned => Ok(()),
        }
    }

    fn taken(&self, step: &str, now: DateTime<Utc>) -> String {
        let began = self.began.get(step);
        began
            .map(|began| format!(" ({})", length(now - *began)))
            .unwrap_or_default()
    }
}

fn image(console: &mut Console, event: &Event) -> io::Result<()> {
    let progress = event
        .data
        .clone()
        .map(serde_json::from_value::<ImageProgress>);
    let Some(Ok(progress)) = progress else {
        return Ok(());
    };
    let image = clean(&progress.image);
    if progress.complete {
        return console.note(&format!("  pulled {image}"));
    }
    let (done, total) = (progress.layers_done, progress.layers_total);
    console.pass_by(&format!("  pulling {image} … {done} of {total} layers"))
}
