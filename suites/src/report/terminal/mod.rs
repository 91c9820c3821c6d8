//! Text for people at a terminal: plain, so that it reads the same in a log.

mod rescale;

pub use rescale::{claim, rescale};
