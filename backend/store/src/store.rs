//! The handle to the database: cheap to clone, shared by everything in the process.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use api::{AppId, OperationId, ReleaseId, SessionId, TokenId, UserId};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::sync::{Semaphore, watch};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::{
    Apps, Audit, Clock, Duties, Events, KnownHosts, Leases, Operations, Parking, Releases, Result,
    Sessions, Settings, Tokens, Users, feed::Feed, place::Place,
};

/// The database. Clones share one pool.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) connection: DatabaseConnection,
    pub(crate) place: Place,
    pub(crate) clock: Arc<dyn Clock>,
    /// SQLite has one writer at a time; its own waiting polls and is not fair, so that writers of this process
    /// queue here instead. `None` for PostgreSQL, which queues by row.
    pub(crate) writer: Option<Arc<Semaphore>>,
    /// Number of the newest event that this process has committed.
    pub(crate) newest_event: watch::Sender<i64>,
    /// The newest events, for those who follow.
    pub(crate) feed: Feed,
    /// Changes when this process has committed something that a worker may wait for: an operation to be driven, a
    /// wish, or that everything is parked or resumed.
    pub(crate) work: watch::Sender<u64>,
    /// Changes when this process has committed a wish to cancel. Apart from `work`, which changes with every
    /// operation that is asked for: each driver listens here.
    pub(crate) wishes: watch::Sender<u64>,
    identifiers: Mutex<ContextV7>,
    /// When somebody last looked whether the database can be written, and what was found.
    pub(crate) looked: tokio::sync::Mutex<Option<(tokio::time::Instant, bool)>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the connection: its options hold the address with the password.
        f.debug_struct("Store")
            .field("clock", &self.inner.clock)
            .finish_non_exhaustive()
    }
}

impl Store {
    pub(crate) fn new(connection: DatabaseConnection, place: Place, clock: Arc<dyn Clock>) -> Self {
        let single_writer = matches!(place, Place::File(_));
        Self {
            inner: Arc::new(Inner {
                connection,
                place,
                clock,
                writer: single_writer.then(|| Arc::new(Semaphore::new(1))),
                newest_event: watch::Sender::new(0),
                feed: Feed::default(),
                work: watch::Sender::new(0),
                wishes: watch::Sender::new(0),
                identifiers: Mutex::new(ContextV7::new()),
                looked: tokio::sync::Mutex::new(None),
            }),
        }
    }

    /// The time of day, as every row is stamped with it.
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    /// Wakes those who follow, unless they know that there are events up to this one.
    pub(crate) fn heard_of(&self, newest: i64) {
        self.inner.newest_event.send_if_modified(|known| {
            let is_news = newest > *known;
            *known = newest.max(*known);
            is_news
        });
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        Ok(self
            .inner
            .connection
            .execute_unprepared("SELECT 1")
            .await
            .map(drop)?)
    }

    /// Closes the pool after what is under way. Clones answer [`Error::Unavailable`](crate::Error) from then on.
    pub async fn close(&self) -> Result<()> {
        Ok(self.inner.connection.close_by_ref().await?)
    }

    /// Changes whenever there may be work: an operation to claim, or a wish to cancel one. Other replicas' changes are
    /// not seen here, so that a worker also looks now and then.
    pub fn work(&self) -> watch::Receiver<u64> {
        self.inner.work.subscribe()
    }

    /// Apps.
    pub fn apps(&self) -> Apps<'_> {
        Apps(self)
    }

    /// Releases.
    pub fn releases(&self) -> Releases<'_> {
        Releases(self)
    }

    /// Operations, as people see and wish them.
    pub fn operations(&self) -> Operations<'_> {
        Operations(self)
    }

    /// Who drives which operation.
    pub fn leases(&self) -> Leases<'_> {
        Leases(self)
    }

    /// Whether all work is parked.
    pub fn parking(&self) -> Parking<'_> {
        Parking(self)
    }

    /// Who does what only one replica may do.
    pub fn duties(&self) -> Duties<'_> {
        Duties(self)
    }

    /// What happened.
    pub fn events(&self) -> Events<'_> {
        Events(self)
    }

    /// Users.
    pub fn users(&self) -> Users<'_> {
        Users(self)
    }

    /// Logins.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }

    /// API tokens.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens(self)
    }

    /// Who did what.
    pub fn audit(&self) -> Audit<'_> {
        Audit(self)
    }

    /// SSH host keys.
    pub fn known_hosts(&self) -> KnownHosts<'_> {
        KnownHosts(self)
    }

    /// Settings kept in the database.
    pub fn settings(&self) -> Settings<'_> {
        Settings(self)
    }

    /// A new app's id. Made before the row is, because secrets are sealed with it as associated data.
    pub fn new_app_id(&self) -> AppId {
        AppId::from_uuid(self.identifier())
    }

    pub(crate) fn new_operation_id(&self) -> OperationId {
        OperationId::from_uuid(self.identifier())
    }

    pub(crate) fn new_release_id(&self) -> ReleaseId {
        ReleaseId::from_uuid(self.identifier())
    }

    pub(crate) fn new_user_id(&self) -> UserId {
        UserId::from_uuid(self.identifier())
    }

    pub(crate) fn new_session_id(&self) -> SessionId {
        SessionId::from_uuid(self.identifier())
    }

    pub(crate) fn new_token_id(&self) -> TokenId {
        TokenId::from_uuid(self.identifier())
    }

    /// A UUID of version 7: sorted by the clock, and by a counter within the same millisecond.
    fn identifier(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.timestamp()).expect("the clock is past 1970");
        Uuid::new_v7(Timestamp::from_unix(
            &self.inner.identifiers,
            seconds,
            now.timestamp_subsec_nanos(),
        ))
    }
}
