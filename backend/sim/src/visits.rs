//! Who came where: each time that somebody gets to a place where a fault might wait, whether one does or not.
//!
//! It answers what an operation asks of a cluster, in order. It knows nothing of faults.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Visits that are remembered; older ones are forgotten.
const KEPT: usize = 20_000;

/// Somebody got to a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Visit {
    /// Counted from 1 since the start of the cluster.
    pub number: u64,
    /// The place; see [`REST_PLACES`](crate::faults::REST_PLACES) and
    /// [`GUEST_PLACES`](crate::faults::GUEST_PLACES).
    pub on: String,
    /// On which node, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// For which guest, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vmid: Option<u32>,
}

/// The visits of one cluster.
#[derive(Debug, Default)]
pub(crate) struct Visits(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    count: u64,
    last: VecDeque<Visit>,
}

impl Visits {
    pub(crate) fn add(&self, on: &str, node: Option<&str>, vmid: Option<u32>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.count += 1;
        if kept.last.len() == KEPT {
            kept.last.pop_front();
        }
        let visit = Visit {
            number: kept.count,
            on: on.to_owned(),
            node: node.map(str::to_owned),
            vmid,
        };
        kept.last.push_back(visit);
    }

    pub(crate) fn count(&self) -> u64 {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.count
    }

    pub(crate) fn after(&self, number: u64) -> Vec<Visit> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = kept.last.iter().filter(|visit| visit.number > number);
        newer.cloned().collect()
    }
}
