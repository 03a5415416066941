//! What surrounds every request, whatever it asks for.

mod guard;
mod headers;
mod problem;
mod request_id;
mod watch;

pub(crate) use guard::{answer_panic, limit_time};
pub(crate) use headers::{Streamed, add_headers, may_compress};
pub(crate) use problem::write_problems;
pub(crate) use request_id::RequestId;
pub(crate) use watch::{Visitor, watch};
