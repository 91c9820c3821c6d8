//! Waits until the change of a running proxy's cluster shows, and all of its workers have it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Error;
use crate::ledger::Read;

/// How often the answers must be the same: workers of one proxy change one after another.
const STABLE: usize = 10;
/// Between two readings, each on a connection of its own.
pub(super) const BETWEEN: Duration = Duration::from_millis(100);

/// Reads keys until their answers differ from those `before` the change and stay the same. Returns at the end of `within`
/// too, if any answer differs: what it is then is what clients get.
///
/// # Errors
/// The proxy cannot be read, or nothing has changed within that time.
pub(super) async fn settled(
    read: impl AsyncFn() -> Result<Vec<Read>, Error>,
    before: &[Read],
    (within, between): (Duration, Duration),
) -> Result<(), Error> {
    let deadline = Instant::now() + within;
    let mut last: Option<(Vec<Read>, usize)> = None;
    loop {
        let reads = read().await;
        last = match (&reads, last) {
            (Ok(reads), _) if reads == before || has_errors(reads) => None,
            (Ok(reads), Some((same, times))) if *reads == same => Some((same, times + 1)),
            (Ok(reads), _) => Some((reads.clone(), 1)),
            // It restarts.
            (Err(_), _) => None,
        };
        if matches!(last, Some((_, STABLE))) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return match reads? {
                reads if reads != before => Ok(()),
                reads => Err(Error::Unchanged {
                    keys: reads.len(),
                    within,
                }),
            };
        }
        sleep(between).await;
    }
}

fn has_errors(reads: &[Read]) -> bool {
    reads.iter().any(|read| matches!(read, Read::Error(_)))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const HERE: Read = Read::Missing;

    fn there() -> Read {
        Read::Value(b"there".to_vec())
    }

    fn failed() -> Read {
        Read::Error("no node".to_owned())
    }

    /// Waits for a change that shows one answer per reading, the last one for ever. Returns how many readings it took.
    async fn readings(answers: &[Read], within: Duration) -> (Result<(), Error>, usize) {
        let count = Cell::new(0);
        let read = async || {
            let answer = answers[count.get().min(answers.len() - 1)].clone();
            count.set(count.get() + 1);
            Ok(vec![answer])
        };
        let settled = settled(read, &[HERE], (within, Duration::ZERO)).await;
        (settled, count.get())
    }

    #[tokio::test]
    async fn a_change_counts_when_it_stays() {
        let (settled, count) = readings(&[HERE, there()], LONG).await;
        assert!(settled.is_ok());
        assert_eq!(count, 1 + STABLE);
        // The other worker, and a restart, begin it anew.
        for between in [HERE, failed()] {
            let (settled, count) = readings(&[there(), there(), between, there()], LONG).await;
            assert!(settled.is_ok());
            assert_eq!(count, 3 + STABLE);
        }
    }

    #[tokio::test]
    async fn no_change_is_an_error_and_a_change_for_the_worse_is_none() {
        let (settled, _) = readings(&[HERE], Duration::ZERO).await;
        assert!(matches!(settled, Err(Error::Unchanged { keys: 1, .. })));
        let (settled, _) = readings(&[failed()], Duration::ZERO).await;
        assert!(settled.is_ok());
    }
}
