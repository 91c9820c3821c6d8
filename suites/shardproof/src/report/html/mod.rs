//! Self-contained pages: they load nothing, and are light or dark and readable on a phone.
//!
//! One file computes what a page shows, and one in `templates/` lays it out. Templates escape every text; only
//! [pictures](super::svg::Picture) are markup.

mod card;
mod chaos;
mod conformance;
mod evidence;
mod fault;
mod matrix;
mod plan;
mod rescale;

pub use chaos::chaos;
pub use conformance::conformance;
pub use fault::faults;
pub use matrix::matrix;
pub use plan::plan;
pub use rescale::rescales;
