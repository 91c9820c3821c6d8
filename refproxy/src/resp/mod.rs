//! RESP2 on the wire: where frames begin and end, and how proxy-made frames are written.
//!
//! Pure: works on byte slices. Never builds a tree of a frame, never reads a socket, never knows a command.

mod args;
mod encode;
mod inline;
mod number;
mod reply;
mod request;

pub use args::Args;
pub use encode::{put_array, put_bulk, put_error, put_integer, put_null_bulk, put_simple, request};
pub use inline::split_inline;
pub use reply::{ReplyError, ReplyScan, bulk, elements, integer};
pub use request::{Frame, Limits, ProtocolError, RequestScan, Scanned};
