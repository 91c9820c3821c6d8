//! Digests and hash tags: from the bytes of a key to the number that placement works with.
//!
//! Never allocates and never looks at nodes: what a digest is compared with is the business of a placement policy.

mod murmur2;
mod tag;

pub use murmur2::murmur2_64;
pub use tag::{TagRule, hashed_part};
