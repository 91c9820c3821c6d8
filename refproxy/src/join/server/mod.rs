//! Replies about the server itself: many nodes answer as one server would.
//!
//! | command | file |
//! |---|---|
//! | INFO | `info/` |
//! | CONFIG GET | `config.rs` |
//! | LATENCY | `latency.rs` |
//! | SLOWLOG, COMMANDLOG | `slowlog.rs` |
//! | MODULE LIST | `modules.rs` |
//! | SCRIPT KILL, FUNCTION KILL, FUNCTION STATS | `scripts.rs` |

pub(super) mod config;
pub(super) mod info;
pub(super) mod latency;
pub(super) mod modules;
pub(super) mod scripts;
pub(super) mod slowlog;
