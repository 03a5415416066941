//! The database: the only SQL of the project. SQLite inside the process or PostgreSQL beside it, by the same
//! statements.
//!
//! ```text
//!            Store ── apps() releases() operations() leases() events() users() …   one repository per noun
//!              │
//!   a read ────┼──► one statement on a pooled connection
//!   a write ───┴──► Write: BEGIN IMMEDIATE ▸ rows ▸ numbered events ▸ audit ▸ COMMIT ▸ wake the followers
//! ```
//!
//! What keeps the two databases equal:
//!
//! * **Compare-and-set.** A change of something that others may change states what it expects to find, and
//!   `rows_affected == 1` or it did not happen. No lock that only one of the two knows.
//! * **Fences.** Whoever drives an operation holds a [`Lease`] with a generation; everything written under it
//!   says `WHERE generation = mine`. A driver that was frozen for a while finds that out at its next write.
//! * **Order.** Events are numbered by a counter row that the transaction changes last, so that numbers appear
//!   in the order of commits and a follower who has seen 7 never misses a 6 ([`Events::after`]).
//! * **Turns.** Who claims changes the counter `claims` first of all, so that limits are counted by one claimer at a
//!   time; who promises room changes `promises`, and is refused when somebody promised since it looked.
//! * **Lock order.** `claims`, operation, app, `promises`, `events`: two transactions never wait for each other in a ring.
//! * **Uniqueness among the living.** A `live_…` column holds its value while the row lives and NULL afterwards.
//!
//! Rows that leave this crate are plain structs. It must not know HTTP, Proxmox, or what a step does.

mod adopt;
mod app;
mod apps;
mod audit;
mod begin;
mod claim;
mod clock;
mod connect;
mod copy;
mod dump;
mod duration;
mod duty;
mod entity;
mod error;
mod event;
mod feed;
mod finish;
mod follow;
mod hidden;
mod idempotency;
mod journal;
mod known_host;
mod lease;
mod load;
mod migration;
mod note;
mod operation;
mod page;
mod parking;
mod place;
mod placing;
mod readiness;
mod release;
mod retention;
mod session;
mod setting;
mod store;
mod text;
mod token;
mod user;
mod vmid;
mod wish;
mod write;

pub use adopt::{Adoption, Found};
pub use app::{App, AppChange, NewApp, Reserved};
pub use apps::{AppFilter, Apps};
pub use audit::{Audit, AuditFilter, AuditRecord};
pub use begin::{Begun, Deployment, NewOperation};
pub use claim::{Lane, Limits, Load};
pub use clock::{Clock, ManualClock, SystemClock};
pub use dump::Dumped;
pub use duty::{Duties, Duty};
pub use error::{Error, Result};
pub use event::{EventFilter, Events, History};
pub use follow::Follower;
pub use hidden::Hidden;
pub use idempotency::{IdempotencyKey, Replay};
pub use journal::OperationJournal;
pub use known_host::{KnownHost, KnownHosts};
pub use lease::{Lease, Leases, Renewed};
pub use operation::{Abandoned, Operation, OperationFilter, Operations};
pub use page::PageRequest;
pub use parking::{Parked, Parking};
pub use release::{NewRelease, Release, Releases};
pub use retention::{Forgotten, Keep};
pub use session::{NewSession, Session, Sessions};
pub use setting::Settings;
pub use store::Store;
pub use token::{NewToken, Token, Tokens};
pub use user::{NewUser, User, Users};
pub use vmid::Promise;
