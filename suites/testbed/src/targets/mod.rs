//! Targets: a file that describes a proxy, and the running proxy that is started from it.
//!
//! What a proxy is and where it deviates is data; no code here depends on the name of a proxy.

mod capability;
mod document;
mod field;
mod file;
mod launcher;
mod parse;
mod proxy;
mod seen;
mod setting;
mod template;
mod version;

pub use capability::{CAPABILITIES, Capability, correction};
pub use field::{FIELDS, Field, Kind, Presence};
pub use file::{Deviation, Limits, Occurs, Rescale, Target};
pub use launcher::{Launcher, Serve};
pub use parse::{Error as FileError, load_all};
pub use proxy::{Error, Proxy};
pub use seen::{Seen, Version};
pub use setting::Setting;
pub use template::VARIABLES;
pub use version::version;
