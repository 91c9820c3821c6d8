//! Waiting for an event: polls up to a deadline. The error names the event and the last state found.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use tokio::time;

/// Between two probes: short next to anything that is awaited.
const PAUSE: Duration = Duration::from_millis(5);

/// The result of a probe: `Break` ends the waiting, `Continue` describes the current state instead.
pub type Probed<T> = ControlFlow<T, String>;

/// The event did not come in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: not within {} s, but {instead}", within.as_secs_f64())]
pub struct Late {
    /// The awaited event.
    pub what: String,
    /// How long.
    pub within: Duration,
    /// What the last probe found.
    pub instead: String,
}

/// Waiting for one event, for loops that end in more ways than [`eventually`] supports.
#[derive(Debug)]
pub struct Wait {
    what: String,
    within: Duration,
    deadline: time::Instant,
    is_over: bool,
}

impl Wait {
    /// Begins to wait.
    #[must_use]
    pub fn begin(what: &str, within: Duration) -> Self {
        Self {
            what: what.to_owned(),
            within,
            deadline: time::Instant::now() + within,
            is_over: within.is_zero(),
        }
    }

    /// Pauses before the next probe, after one that found something else. The last probe is made after the deadline, so
    /// a slow machine misses no event.
    ///
    /// # Errors
    /// When that was the last probe.
    pub async fn pause(&mut self, instead: String) -> Result<(), Late> {
        if self.is_over {
            return Err(late(&self.what, self.within, instead));
        }
        time::sleep(PAUSE).await;
        self.is_over = time::Instant::now() >= self.deadline;
        Ok(())
    }
}

/// Probes until the event comes.
///
/// # Errors
/// When it has not come in time.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut probe: impl AsyncFnMut() -> Probed<T>,
) -> Result<T, Late> {
    let mut wait = Wait::begin(what, within);
    loop {
        match probe().await {
            ControlFlow::Break(event) => return Ok(event),
            ControlFlow::Continue(instead) => wait.pause(instead).await?,
        }
    }
}

/// The same on a plain thread.
///
/// # Errors
/// When it has not come in time.
pub fn eventually_blocking<T>(
    what: &str,
    within: Duration,
    mut probe: impl FnMut() -> Probed<T>,
) -> Result<T, Late> {
    let deadline = Instant::now() + within;
    loop {
        let is_last = Instant::now() >= deadline;
        match probe() {
            ControlFlow::Break(event) => return Ok(event),
            ControlFlow::Continue(instead) if is_last => return Err(late(what, within, instead)),
            ControlFlow::Continue(_) => thread::sleep(PAUSE),
        }
    }
}

/// A probe that only checks for presence: `instead` describes the state if it is absent.
pub fn found(is_there: bool, instead: impl FnOnce() -> String) -> Probed<()> {
    if is_there {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(instead())
    }
}

fn late(what: &str, within: Duration, instead: String) -> Late {
    Late {
        what: what.to_owned(),
        within,
        instead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn third(seen: &mut u32) -> Probed<u32> {
        *seen += 1;
        match *seen {
            3 => ControlFlow::Break(3),
            number => ControlFlow::Continue(format!("number {number}")),
        }
    }

    #[tokio::test]
    async fn probes_until_the_event() {
        let (mut one, mut other) = (0, 0);
        let hour = Duration::from_secs(3600);
        let seen = eventually("number 3", hour, async || third(&mut one)).await;
        assert_eq!(seen, Ok(3));
        assert_eq!(
            eventually_blocking("number 3", hour, || third(&mut other)),
            Ok(3)
        );
    }

    #[tokio::test]
    async fn an_error_names_the_event_and_the_last_state() {
        let probe = || Probed::<()>::Continue("a red one".to_owned());
        let text = "a green light: not within 0 s, but a red one";
        let late = eventually("a green light", Duration::ZERO, async || probe()).await;
        assert_eq!(late.unwrap_err().to_string(), text);
        let late = eventually_blocking("a green light", Duration::ZERO, probe);
        assert_eq!(late.unwrap_err().to_string(), text);
    }
}
