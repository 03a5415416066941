//! Forgetting what is old: a duty of one replica, now and then.

use std::time::Duration;

use store::{Duty, Forgotten, Store};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::context::Site;

/// Name of the duty.
const DUTY: &str = "retention";
/// How often it is done.
const EVERY: Duration = Duration::from_hours(1);
/// How long the duty is held between two batches.
const HELD: Duration = Duration::from_mins(2);
/// What others may write between two batches.
const BREATH: Duration = Duration::from_millis(50);

/// Does the duty at once and then every hour, until `shutdown`.
pub(crate) async fn run(site: &Site, holder: &str, shutdown: CancellationToken) {
    loop {
        let done = tokio::select! {
            () = shutdown.cancelled() => return,
            done = once(site, holder) => done,
        };
        match done {
            Ok(forgotten) if forgotten.is_nothing() => {}
            Ok(Forgotten {
                events,
                operations,
                apps,
                audit,
            }) => {
                tracing::info!(
                    events,
                    operations,
                    apps,
                    audit,
                    "forgot what is older than it is to be kept"
                );
            }
            Err(error) => tracing::warn!(%error, "what is old cannot be forgotten now"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(EVERY) => {}
        }
    }
}

async fn once(site: &Site, holder: &str) -> store::Result<Forgotten> {
    let store = &site.store;
    let Some(duty) = store.duties().claim(DUTY, holder, HELD).await? else {
        return Ok(Forgotten::default());
    };
    let done = batches(site, store, &duty).await;
    // Lost or not: the duty ends by itself, too.
    let _ = store.duties().release(&duty).await;
    done
}

async fn batches(site: &Site, store: &Store, duty: &Duty) -> store::Result<Forgotten> {
    store.sweep().await?;
    let mut all = Forgotten::default();
    loop {
        let some = store.forget(&site.settings.keep).await?;
        if some.is_nothing() {
            return Ok(all);
        }
        all = all.plus(some);
        store.duties().renew(duty, HELD).await?;
        sleep(BREATH).await;
    }
}
