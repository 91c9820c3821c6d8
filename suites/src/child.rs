//! Child processes that die with us, also when we are killed.
//!
//! Linux delivers the parent-death signal when the *thread* that forked ends, so every child is started by one thread
//! that lives as long as the process.

use std::process::{Child, Command, ExitStatus};
use std::sync::{LazyLock, mpsc};
use std::{io, thread};

use rustix::process::{Pid, Signal, kill_process};

/// A running child process; killed and reaped when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts `command`.
    ///
    /// # Errors
    /// As [`Command::spawn`].
    pub fn start(command: Command) -> io::Result<Self> {
        let (answer, started) = mpsc::channel();
        SPAWNER
            .send(Order { command, answer })
            .map_err(|_| io::Error::other("the spawning thread has ended"))?;
        started
            .recv()
            .map_err(|_| io::Error::other("the spawning thread has ended"))?
            .map(|child| Self { child })
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
        self.child.try_wait()
    }

    /// Sends a signal to a child that has not been reaped.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        kill_process(Pid::from_child(&self.child), signal).map_err(Into::into)
    }

    /// Kills the child and waits until it is gone, so that its ports are free again.
    pub fn kill(&mut self) {
        // It may have ended by itself, which is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
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
            // Whoever ordered may have been cancelled; the child then dies with the dropped handle's process.
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
    use std::os::unix::process::CommandExt;

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
