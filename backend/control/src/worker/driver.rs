//! Driving one operation.

use api::OperationKind;
use saga::{Interrupted, Journal, Outcome};
use tokio_util::sync::CancellationToken;

use super::{ending, heartbeat::heartbeat, told::Told};
use crate::{
    context::Context,
    operations::{Adopt, Delete, Deploy, Restart, Start, Stop},
};

/// Drives one operation until it rests or this process must let go of it.
pub(super) async fn drive(context: Context, shutdown: CancellationToken) {
    let (site, lease) = (context.site.clone(), context.lease.clone());
    let control = saga::Control {
        cancel: CancellationToken::new(),
        shutdown,
    };
    if lease.cancel_requested {
        control.cancel.cancel();
    }
    let journal = Told::new(site.clone(), lease.clone(), control.shutdown.clone());
    // A wish from before a crash is heard before anything is done again.
    if lease.attempt > 1
        && let Ok(renewed) = site.store.leases().renew(&lease, site.settings.lease).await
        && renewed.cancel_requested
    {
        control.cancel.cancel();
    }
    let driving = by_kind(lease.kind, &journal, &context, &control);
    tokio::pin!(driving);
    let ended = tokio::select! {
        // The lease first: a process that was frozen past it must not take another step when it thaws.
        biased;
        // Lost: the driver stops at its next breath. It must not be dropped before, it may be writing.
        () = heartbeat(&site, &lease, &control, journal.journal()) => {
            control.shutdown.cancel();
            driving.await
        }
        ended = &mut driving => ended,
    };
    ending::write(&context, ended).await;
}

async fn by_kind(
    kind: OperationKind,
    journal: &dyn Journal,
    context: &Context,
    control: &saga::Control,
) -> Result<Outcome, Interrupted> {
    match kind {
        OperationKind::Deploy => saga::drive::<Deploy>(journal, context, control).await,
        OperationKind::Start => saga::drive::<Start>(journal, context, control).await,
        OperationKind::Stop => saga::drive::<Stop>(journal, context, control).await,
        OperationKind::Restart => saga::drive::<Restart>(journal, context, control).await,
        OperationKind::Delete => saga::drive::<Delete>(journal, context, control).await,
        OperationKind::Adopt => saga::drive::<Adopt>(journal, context, control).await,
    }
}
