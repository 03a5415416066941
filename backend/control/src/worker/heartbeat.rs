//! What goes on beside an operation while it is driven.

use saga::Control;
use store::{Lease, OperationJournal};
use tokio::time::{Instant, sleep, timeout_at};

use super::LOOK;
use crate::context::Site;

/// Keeps the lease, hears the cancel wish, writes lines of progress. Ends only when the lease is lost.
pub(super) async fn heartbeat(
    site: &Site,
    lease: &Lease,
    control: &Control,
    journal: &OperationJournal,
) {
    let renewing = renewing(site, lease);
    let wished = async {
        loop {
            match site.store.leases().cancel_wish(lease, LOOK).await {
                Ok(()) => {
                    control.cancel.cancel();
                    return std::future::pending::<()>().await;
                }
                Err(error) => {
                    tracing::warn!(%error, operation = %lease.operation, "the cancel wish cannot be read");
                    sleep(LOOK).await;
                }
            }
        }
    };
    let flushing = async {
        loop {
            if matches!(journal.keep_flushing().await, store::Error::LeaseLost) {
                return;
            }
            sleep(LOOK).await;
        }
    };
    tokio::select! { () = renewing => {}, () = wished => {}, () = flushing => {} }
}

/// Holds the lease as long as the database can be reached and says that it is ours. Ends when it is lost, and, by this
/// process's own clock, before it is over: whoever cannot ask must take it for lost, because another may begin then.
async fn renewing(site: &Site, lease: &Lease) {
    let length = site.settings.lease;
    // Claimed a moment ago, which the margin covers.
    let mut until = Instant::now() + length * 9 / 10;
    loop {
        sleep(length / 3).await;
        let asked = Instant::now();
        let answer = match timeout_at(until, site.store.leases().renew(lease, length)).await {
            // Thawed, or so slow that it comes to the same: what the answer was does not matter any more.
            _ if Instant::now() >= until => Err(None),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Some(error)),
            Err(_) => Err(None),
        };
        match answer {
            Ok(()) => until = asked + length * 9 / 10,
            Err(Some(store::Error::LeaseLost)) => return,
            Err(Some(error)) => {
                tracing::warn!(%error, operation = %lease.operation, "the lease could not be renewed; trying again");
            }
            Err(None) => {
                tracing::warn!(operation = %lease.operation, "the lease of {} could not be renewed in time", lease.operation);
                return;
            }
        }
    }
}
