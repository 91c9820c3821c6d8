//! The RESP codec of the judge: strict, because a proxy's mistake must not be mended by whoever looks for it.
//!
//! Never opens a socket and shares nothing with refproxy.

mod decode;
mod encode;
mod value;

pub use decode::{Arguments, Malformed, reply, request};
pub use encode::request as encode_request;
pub use value::{Value, quoted};
