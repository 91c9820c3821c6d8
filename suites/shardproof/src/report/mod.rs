//! Reports: one format a file. Never judges, and never reads anything but what it is given.

pub mod html;
pub mod json;
pub mod junit;
mod summary;
mod svg;
pub mod terminal;
mod yaml;
