//! Somebody who follows every event, across every death of the service.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use reqwest::Method;
use serde::Deserialize;
use tokio::sync::watch;

use crate::world::{Actor, PATIENCE};

/// One event, as far as it is looked at here.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Heard {
    pub(crate) id: i64,
    pub(crate) time: DateTime<Utc>,
    pub(crate) kind: String,
    pub(crate) operation: String,
    pub(crate) step: Option<String>,
}

/// Everything heard so far. Clones hear the same.
#[derive(Clone)]
pub(crate) struct Ears {
    heard: Arc<Mutex<Vec<Heard>>>,
    count: watch::Sender<usize>,
}

impl Ears {
    pub(crate) fn new() -> Self {
        Self {
            heard: Arc::default(),
            count: watch::Sender::new(0),
        }
    }

    /// Listens without end, and goes on after the last event heard whenever the stream breaks.
    pub(crate) async fn listen(self, actor: Actor) {
        loop {
            let last = self.heard().last().map_or(0, |event| event.id);
            let request = actor
                .request(Method::GET, "/api/v1/events")
                .header("accept", "text/event-stream")
                .header("last-event-id", last)
                // A stream has no end that a time limit would tell from a broken one.
                .timeout(Duration::from_hours(1));
            if let Ok(answer) = request.send().await {
                let mut body = answer.bytes_stream();
                let mut text = Vec::new();
                while let Some(Ok(piece)) = body.next().await {
                    text.extend_from_slice(&piece);
                    self.take(&mut text);
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Takes whole lines off `text`.
    fn take(&self, text: &mut Vec<u8>) {
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data:") else {
                continue;
            };
            let event: Heard = serde_json::from_slice(data).expect("an event");
            let mut heard = self.heard();
            let last = heard.last().map_or(0, |event| event.id);
            assert_eq!(event.id, last + 1, "each event once and in order");
            heard.push(event);
            let count = heard.len();
            drop(heard);
            self.count.send_replace(count);
        }
    }

    pub(crate) fn heard(&self) -> MutexGuard<'_, Vec<Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of events heard.
    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Waits until so many have been heard.
    pub(crate) async fn until(&self, count: usize) {
        let mut changes = self.count.subscribe();
        tokio::time::timeout(PATIENCE, changes.wait_for(|now| *now >= count))
            .await
            .unwrap_or_else(|_| panic!("no {count} events, only {}", self.count()))
            .expect("the sender is ours");
    }

    /// Operations that have begun and not come to rest, and the step each is in.
    pub(crate) fn under_way(&self) -> BTreeMap<String, String> {
        let mut steps = BTreeMap::new();
        for event in self.heard().iter() {
            match event.kind.as_str() {
                "step.started" => {
                    let step = event.step.clone().unwrap_or_default();
                    steps.insert(event.operation.clone(), step);
                }
                "operation.finished" => {
                    steps.remove(&event.operation);
                }
                _ => {}
            }
        }
        steps
    }
}
