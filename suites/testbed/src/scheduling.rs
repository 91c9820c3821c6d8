//! How long threads waited for a processor: evidence that the machine was too busy, and not a program too slow.
//!
//! Source: `/proc/PID/task/TID/schedstat`, whose second field is the time spent in the run queue, in nanoseconds
//! (<https://docs.kernel.org/scheduler/sched-stats.html>). Without it there is no evidence.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::child;

/// The time that each thread of this process and of its children has waited for a processor since it began, by thread.
#[must_use]
pub fn waits() -> BTreeMap<u32, Duration> {
    let children = child::running();
    let of_children = children
        .iter()
        .flat_map(|child| threads(&child.to_string()));
    threads("self")
        .into_iter()
        .chain(of_children)
        .filter_map(|thread| Some((thread, wait(thread)?)))
        .collect()
}

fn threads(process: &str) -> Vec<u32> {
    let entries = fs::read_dir(Path::new("/proc").join(process).join("task"));
    let names = entries.into_iter().flatten().flatten();
    names
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Every thread has a folder in `/proc`, although only those of processes are listed there.
fn wait(thread: u32) -> Option<Duration> {
    let fields = fs::read_to_string(format!("/proc/{thread}/schedstat")).ok()?;
    let nanoseconds = fields.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::wait::{Probed, eventually};

    /// More busy threads than processors: each waits for one.
    #[tokio::test]
    async fn threads_that_compete_for_a_processor_wait() {
        let before: Duration = waits().values().sum();
        let many = 2 * thread::available_parallelism().unwrap().get();
        let busy: Vec<_> = (0..many).map(|_| Busy::begin()).collect();
        let waited = eventually(
            "a thread that waited",
            Duration::from_secs(60),
            async || {
                let waited = waits().values().sum::<Duration>().saturating_sub(before);
                match waited > Duration::from_millis(50) {
                    true => Probed::Break(waited),
                    false => Probed::Continue(format!("{waited:?}")),
                }
            },
        );
        assert!(waited.await.is_ok());
        drop(busy);
    }

    #[test]
    fn children_are_seen() {
        let mut command = std::process::Command::new("sleep");
        command.arg("60");
        let mut child = child::Running::start(command).unwrap();
        assert!(waits().contains_key(&child.pid()));
        child.kill();
        assert!(!waits().contains_key(&child.pid()));
    }

    /// A thread that works until it is dropped.
    struct Busy(std::sync::Arc<std::sync::atomic::AtomicBool>);

    impl Busy {
        fn begin() -> Self {
            let ends = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
            let busy = Self(std::sync::Arc::clone(&ends));
            thread::spawn(move || {
                while !ends.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
            busy
        }
    }

    impl Drop for Busy {
        fn drop(&mut self) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
}
