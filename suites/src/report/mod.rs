//! Reports: one format a file. Never judges, and never reads anything but what it is given.

pub mod json;
pub mod terminal;
