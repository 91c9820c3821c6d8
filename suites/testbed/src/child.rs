//! Child processes that die with us, also when we are killed.
//!
//! Linux delivers the parent-death signal when the *thread* that forked ends, so every child is started by one thread
//! that lives as long as the process. What a child starts in turn gets no such signal: it is ended with its process
//! group and by a mark in its environment, at the latest when the next process sweeps.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};
use std::{fs, io, thread};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

use crate::folder::{self, Run};
use crate::mark;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Children that have not been reaped, by process id.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// The process ids of all children that run.
pub(crate) fn running() -> BTreeSet<u32> {
    RUNNING
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// A running child process, with everything that it started; killed and reaped when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    mark: String,
    reaped: bool,
    /// Not swept as long as it is held.
    _run: Arc<Run>,
}

impl Running {
    /// Starts `command` in a new process group.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    pub fn start(mut command: Command) -> io::Result<Self> {
        let run = folder::of_process()?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mark = mark::of_child(run.path(), number);
        command.env(mark::VARIABLE, &mark).process_group(0);
        let (answer, started) = mpsc::channel();
        SPAWNER
            .send(Order { command, answer })
            .map_err(|_| io::Error::other("the spawning thread has ended"))?;
        let child = started
            .recv()
            .map_err(|_| io::Error::other("the spawning thread has ended"))??;
        RUNNING
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(child.id());
        Ok(Self {
            child,
            mark,
            reaped: false,
            _run: run,
        })
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, if the child has ended.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.reaped {
            return self.child.try_wait();
        }
        let pid = WaitId::Pid(Pid::from_child(&self.child));
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if waitid(pid, look)?.is_none() {
            return Ok(None);
        }
        self.end_group();
        self.forget();
        self.child.wait().map(Some)
    }

    /// Sends a signal to a child that has not been reaped.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        kill_process(Pid::from_child(&self.child), signal).map_err(Into::into)
    }

    /// Kills the child and everything that it started, and waits until it is gone, so that its ports are free again.
    pub fn kill(&mut self) {
        if !self.reaped {
            self.end_group();
            self.forget();
            // It may have ended by itself, as wanted.
            let _ = self.child.wait();
        }
        mark::end_all(&self.mark);
    }

    /// Its number is about to be free for another process.
    fn forget(&mut self) {
        self.reaped = true;
        RUNNING
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.child.id());
    }

    /// Only before the child is reaped: until then no other process group can have its number.
    fn end_group(&self) {
        // Fails if all have ended.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = kill_process(Pid::from_child(&self.child), Signal::KILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Resident memory of a process, in bytes. `None` if it has ended, or if there is no /proc.
#[must_use]
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

struct Order {
    command: Command,
    answer: mpsc::Sender<io::Result<Child>>,
}

static SPAWNER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
    let (sender, orders) = mpsc::channel::<Order>();
    thread::spawn(move || {
        for Order {
            mut command,
            answer,
        } in orders
        {
            die_with_parent(&mut command);
            // The caller may have been cancelled. The child must not outlive it.
            if let Err(mpsc::SendError(Ok(mut orphan))) = answer.send(command.spawn()) {
                let _ = orphan.kill();
                let _ = orphan.wait();
            }
        }
    });
    sender
});

#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "the parent-death signal can only be set between fork and exec; the closure makes two system calls and allocates nothing"
)]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    // SAFETY: only async-signal-safe system calls happen between fork and exec.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have died before the signal was set.
            if rustix::process::getppid() == Some(parent) {
                Ok(())
            } else {
                Err(io::Error::from(io::ErrorKind::NotFound))
            }
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command) {}
