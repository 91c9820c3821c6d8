//! The process that started a container, to decide whether it is still needed.
//!
//! A process id alone is not enough: ids are reused, also after a reboot, and another PID namespace (a job in a
//! container that shares the engine) has its own ids. When in doubt, the process counts as alive.

use std::fmt;
use std::fs;
use std::path::Path;

/// The label with the [`Owner`] of a container.
pub(super) const LABEL: &str = "org.shardproof.owner";

/// A process, for as long as the machine keeps its disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    boot: String,
    namespace: String,
    pid: u32,
    /// When it started, in the kernel's ticks since boot.
    started: String,
}

impl Owner {
    pub(super) fn ours() -> Self {
        let pid = std::process::id();
        Self {
            boot: boot(),
            namespace: namespace(),
            pid,
            started: started(pid).unwrap_or_default(),
        }
    }

    /// Parses the output of [`fmt::Display`].
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let owner = Self {
            boot: parts.next()?,
            namespace: parts.next()?,
            pid: parts.next()?.parse().ok()?,
            started: parts.next()?,
        };
        parts.next().is_none().then_some(owner)
    }

    /// Whether it is known to have ended.
    pub(super) fn is_dead(&self) -> bool {
        let (boot, namespace) = (boot(), namespace());
        if boot.is_empty() || self.boot.is_empty() {
            return false;
        }
        if self.boot != boot {
            return true;
        }
        self.namespace == namespace && started(self.pid).as_ref() != Some(&self.started)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            boot,
            namespace,
            pid,
            started,
        } = self;
        write!(f, "{boot}/{namespace}/{pid}/{started}")
    }
}

/// Empty outside Linux.
fn boot() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    boot.trim().to_owned()
}

fn namespace() -> String {
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    namespace.display().to_string()
}

fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    // The name in parentheses may hold anything; the fields after it are numbers, the start time the 20th of them.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::Owner;

    #[test]
    fn an_owner_is_read_back_as_it_was_written() {
        let ours = Owner::ours();
        assert_eq!(Owner::parse(&ours.to_string()), Some(ours));
        assert_eq!(Owner::parse("a/b/1"), None);
        assert_eq!(Owner::parse("a/b/x/1"), None);
        assert_eq!(Owner::parse("a/b/1/2/3"), None);
    }

    #[test]
    fn only_a_process_known_to_have_ended_is_dead() {
        let ours = Owner::ours();
        assert!(!ours.is_dead(), "{ours}");
        let changed = |change: fn(&mut Owner)| {
            let mut owner = ours.clone();
            change(&mut owner);
            owner.is_dead()
        };
        assert!(changed(|owner| owner.started = "1".to_owned()));
        assert!(changed(|owner| owner.boot = "another".to_owned()));
        assert!(!changed(|owner| {
            owner.namespace = "another".to_owned();
            owner.pid = 1;
        }));
        assert!(!changed(|owner| owner.boot = String::new()));
    }
}
