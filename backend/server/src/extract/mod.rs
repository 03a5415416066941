//! What handlers take out of a request, each refused with a problem when it is not there.

mod body;
mod caller;
mod cookie;
mod origin;
mod path;
mod query;
mod until;

pub(crate) use body::Body;
pub(crate) use caller::{Admin, Caller, Needs, Read, Write};
pub(crate) use cookie::{Header, ending, is_secure, session_cookie, starting};
pub(crate) use origin::Origin;
pub use origin::{NoProxies, Proxies};
pub(crate) use path::{AppName, CatalogId, ContainerNumber, Segment};
pub(crate) use query::{List, Query};
pub(crate) use until::Until;
