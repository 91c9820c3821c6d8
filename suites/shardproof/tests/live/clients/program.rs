//! A client program: started, read, and killed if it is not done in time.

use std::io::{BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

/// Deadline of one program, which takes less than three seconds.
const DEADLINE: Duration = Duration::from_secs(60);

/// A program with its channels, killed when dropped.
pub(crate) struct Started {
    /// The process.
    pub(crate) child: Child,
    until: Instant,
}

impl Started {
    pub(crate) fn new(command: &mut Command) -> Result<Self, Failed> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn()?;
        let until = Instant::now() + DEADLINE;
        Ok(Self { child, until })
    }

    /// The next item from a reading thread; `None` when it has read all.
    pub(crate) fn next<T>(&self, from: &Receiver<T>) -> Result<Option<T>, Failed> {
        match from.recv_timeout(self.until.saturating_duration_since(Instant::now())) {
            Ok(read) => Ok(Some(read)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("not done after {} s", DEADLINE.as_secs()).into())
            }
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It has ended by itself, unless it was given up.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output of a program on both channels, with this input.
pub(crate) fn said(command: &mut Command, input: &str) -> Result<String, Failed> {
    let mut started = Started::new(command)?;
    let output = all_of(started.child.stdout.take().ok_or("no output")?);
    let errors = all_of(started.child.stderr.take().ok_or("no channel for errors")?);
    let mut channel = started.child.stdin.take().ok_or("no input")?;
    let input = input.to_owned();
    // A program that ends before it has read its input reports why.
    thread::spawn(move || channel.write_all(input.as_bytes()));
    let said = [started.next(&output)?, started.next(&errors)?];
    Ok(said.into_iter().flatten().collect())
}

/// Everything that comes from a channel until its end.
pub(crate) fn all_of(channel: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, read) = mpsc::channel();
    thread::spawn(move || {
        let mut said = Vec::new();
        // If a channel cannot be read, its text is only missing in the report. The receiver may be gone.
        let _ = BufReader::new(channel).read_to_end(&mut said);
        let _ = sender.send(String::from_utf8_lossy(&said).into_owned());
    });
    read
}
