//! Looking on while a journal is written: for tests that stop the process at a certain write.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use saga::{Event, Outcome};
use store::Lease;

/// What is called before and after each write of a driven operation. The driver goes on when it returns; one
/// that never returns holds the operation at this very point, as a frozen process would.
#[derive(Clone)]
pub struct Probe(Arc<dyn Fn(Moment) -> BoxFuture<'static, ()> + Send + Sync>);

/// A write, before or after it.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Under which lease it is written.
    pub lease: Lease,
    /// What is written.
    pub write: Write,
    /// Whether it is written already.
    pub is_written: bool,
}

/// What is written.
#[derive(Clone, Debug)]
pub enum Write {
    /// An event of the journal.
    Event(Event),
    /// How the operation came to rest.
    End(Outcome),
}

impl Probe {
    /// A probe that calls this.
    pub fn new(look: impl Fn(Moment) -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    pub(crate) async fn look(&self, lease: &Lease, write: &Write, is_written: bool) {
        let moment = Moment {
            lease: lease.clone(),
            write: write.clone(),
            is_written,
        };
        (self.0)(moment).await;
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Probe").finish_non_exhaustive()
    }
}
