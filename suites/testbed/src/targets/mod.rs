//! Targets: a file that describes a proxy, and the running proxy that is started from it.
//!
//! What a proxy is and where it deviates is data; no code here depends on the name of a proxy.

mod capability;
mod file;
mod proxy;
mod seen;
mod setting;
mod template;
mod version;

pub use capability::{CAPABILITIES, Capability, correction};
pub use file::{Deviation, Error as FileError, Limits, Occurs, Rescale, Target, load_all};
pub use proxy::{Error, Proxy};
pub use seen::{Seen, Version};
pub use setting::Setting;
pub use version::version;
