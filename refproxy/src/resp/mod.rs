//! RESP2 and RESP3 on the wire: where frames begin and end, and how proxy-made frames are written.
//!
//! Pure: works on byte slices. Builds no tree of a frame, reads no socket, and does not depend on commands.

mod args;
mod encode;
mod inline;
mod number;
mod read;
mod reply;
mod request;

pub use args::Args;
pub use encode::{
    Protocol, put_array, put_bulk, put_error, put_integer, put_map, put_null, put_set, put_simple,
    put_verbatim, request,
};
pub use inline::split_inline;
pub(crate) use number::strict;
pub use read::{bulk, elements, error_text, integer, is_error, text};
pub use reply::{ReplyError, ReplyLimits, ReplyScan};
pub use request::{Frame, Limits, ProtocolError, RequestScan, Scanned};
