//! How long a deployment will take, judged by earlier ones.
//!
//! The median of each step in the last deployments of the same catalog entry; a step that none of them has seen is
//! judged by those of any entry. Where there are none, nobody knows, and nobody says a number.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use api::OperationKind;
use tokio::time::Instant;

use crate::{Control, Error};

/// How many deployments are looked at.
const RUNS: u64 = 12;
/// How long a judgement holds.
const KEPT: Duration = Duration::from_secs(30);
/// Most catalog entries that are remembered.
const MOST: usize = 500;

/// Seconds that each step is expected to take; a step without any is not in it.
pub(crate) type Estimate = BTreeMap<String, f64>;

/// The judgements that still hold, by catalog entry.
#[derive(Default)]
pub(crate) struct Estimates(Mutex<BTreeMap<String, (Instant, Arc<Estimate>)>>);

impl Estimates {
    fn get(&self, catalog_id: &str) -> Option<Arc<Estimate>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (made, estimate) = kept.get(catalog_id)?;
        (made.elapsed() < KEPT).then(|| estimate.clone())
    }

    fn keep(&self, catalog_id: &str, estimate: Arc<Estimate>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(catalog_id.to_owned(), (Instant::now(), estimate));
    }
}

impl Control {
    /// How long each step of a deployment of this entry is expected to take.
    pub(crate) async fn estimate(&self, catalog_id: &str) -> Result<Arc<Estimate>, Error> {
        if let Some(estimate) = self.site.estimates.get(catalog_id) {
            return Ok(estimate);
        }
        let events = self.site.store.events();
        let (any, own) = (
            events
                .step_seconds(OperationKind::Deploy, None, RUNS)
                .await?,
            events
                .step_seconds(OperationKind::Deploy, Some(catalog_id), RUNS)
                .await?,
        );
        let estimate = Arc::new(judge(any, own));
        self.site.estimates.keep(catalog_id, estimate.clone());
        Ok(estimate)
    }
}

fn judge(any: BTreeMap<String, Vec<f64>>, own: BTreeMap<String, Vec<f64>>) -> Estimate {
    // What is known of the entry itself goes before what is known of others.
    let steps = any.into_iter().chain(own);
    steps
        .filter_map(|(step, seconds)| Some((step, median(seconds)?)))
        .collect()
}

fn median(mut seconds: Vec<f64>) -> Option<f64> {
    seconds.sort_by(f64::total_cmp);
    let middle = seconds.len().checked_sub(1)? / 2;
    let (low, high) = (seconds[middle], seconds[seconds.len() / 2]);
    Some(f64::midpoint(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_run_does_not_make_a_step_slow() {
        assert_eq!(median(vec![2.0, 900.0, 3.0]), Some(3.0));
        assert_eq!(median(vec![2.0, 4.0]), Some(3.0));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn what_is_known_of_the_entry_goes_first() {
        let of = |step: &str, seconds| BTreeMap::from([(step.to_owned(), vec![seconds])]);
        let mut any = of("pull_images", 5.0);
        any.extend(of("create_container", 1.0));
        let estimate = judge(any, of("pull_images", 40.0));
        assert_eq!(
            (estimate["pull_images"], estimate["create_container"]),
            (40.0, 1.0)
        );
    }
}
