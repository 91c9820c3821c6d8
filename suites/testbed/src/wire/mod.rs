//! The RESP codec of the judge. It is strict, so that it does not hide a proxy's mistake.
//!
//! Never opens a socket. Shares no code with refproxy.

mod decode;
mod dialogue;
mod encode;
mod frame;
mod protocol;
mod resp3;
mod scan;
mod value;

pub use decode::{Arguments, Requests, reply, request};
pub use dialogue::Dialogue;
pub use encode::request as encode_request;
pub use protocol::Protocol;
pub use scan::Malformed;
pub use value::{Value, quoted};

#[cfg(test)]
mod tests;
