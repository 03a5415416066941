//! One death of the service.

use std::{collections::BTreeMap, time::Instant};

use chrono::{DateTime, Utc};
use rand::{RngExt as _, rngs::StdRng};

use super::{Ears, Plan};
use crate::world::{PATIENCE, Service};

/// A death, and what was under way then.
pub(crate) struct Kill {
    pub(crate) time: DateTime<Utc>,
    /// By operation the step that it was in, as far as anybody had heard.
    pub(crate) under_way: BTreeMap<String, String>,
}

/// Waits for a random moment at which something is under way, kills the service and starts it again.
pub(crate) async fn kill(
    service: &mut Service,
    ears: &Ears,
    rng: &mut StdRng,
    plan: &Plan,
) -> Kill {
    let begun = ears.count();
    if rng.random() {
        let count = begun + rng.random_range(1..=plan.most_events);
        // Where a step takes its time there is little to hear; then this moment is as good as any.
        let _ = tokio::time::timeout(plan.longest * 4, ears.until(count)).await;
    } else {
        ears.until(begun + 1).await;
        let moment = plan.longest.mul_f64(rng.random());
        tokio::time::sleep(moment).await;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut under_way = ears.under_way();
    while under_way.is_empty() {
        assert!(Instant::now() < deadline, "nobody does anything any more");
        ears.until(ears.count() + 1).await;
        under_way = ears.under_way();
    }
    service.kill();
    let time = DateTime::<Utc>::from(std::time::SystemTime::now());
    service.launch().await;
    Kill { time, under_way }
}
