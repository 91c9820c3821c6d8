//! Signals that end the process: the subcommand is stopped and reports what it knows, remaining keys are removed, then the
//! process ends. A second signal ends it at once.

use std::time::Duration;

use testbed::command;
use testbed::folder;
use testbed::leftovers::{self, Left};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::Exit;

/// How long a subcommand may take to stop. One that only computes need not stop.
const STOPPED_WITHIN: Duration = Duration::from_secs(5);

/// How the subcommand ended.
pub(crate) enum End {
    /// By itself.
    Done(anyhow::Result<Exit>),
    /// By the signal of this number.
    Signal(u8),
}

/// The signals that are listened to.
pub(crate) struct Signals(Vec<(u8, Signal)>);

impl Signals {
    /// Listens to SIGHUP, SIGINT and SIGTERM; to none of them if the default action is right for the subcommand.
    ///
    /// A signal that was ignored when the process began stays ignored, as `nohup` and background jobs of shells expect.
    pub(crate) fn listen(none: bool) -> std::io::Result<Self> {
        let mut signals = Vec::new();
        let ignored = ignored();
        for kind in [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::terminate(),
        ] {
            let number = kind.as_raw_value();
            let is_ignored = ignored >> (number - 1) & 1 == 1;
            if !none && !is_ignored {
                signals.push((u8::try_from(number).unwrap_or(0), signal(kind)?));
            }
        }
        Ok(Self(signals))
    }

    async fn next(&mut self) -> u8 {
        std::future::poll_fn(|context| {
            for (number, signal) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(*number);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// The mask of ignored signals, as Linux tells it; empty elsewhere.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// Waits until the subcommand has ended or a signal ends it, and removes its remaining keys. `report` is called with
/// the result. `reports`: the subcommand writes a report when it is stopped.
pub(crate) async fn wait(
    mut signals: Signals,
    mut ended: oneshot::Receiver<Option<anyhow::Result<Exit>>>,
    (stop, reports): (watch::Sender<bool>, bool),
    report: &dyn Fn(&[Left]),
) -> End {
    let done = tokio::select! {
        done = &mut ended => Ok(done),
        number = signals.next() => Err(number),
    };
    let number = match done {
        Ok(done) => {
            let result = match done {
                Ok(Some(result)) => result,
                // Only a panic, which has been printed, drops the sender.
                _ => Err(anyhow::anyhow!("the subcommand ended without a result")),
            };
            tokio::select! {
                left = leftovers::clean() => report(&left),
                number = signals.next() => return End::Signal(number),
            }
            return End::Done(result);
        }
        Err(number) => number,
    };
    let clean = async {
        // Fails if it has just ended by itself.
        let _ = stop.send(true);
        if reports || !leftovers::is_empty() || folder::is_in_use() {
            // It may still compute. Keys that it writes are removed or expire.
            let within = STOPPED_WITHIN + command::undone_within();
            let _ = timeout(within, &mut ended).await;
        }
        report(&leftovers::clean().await);
    };
    tokio::select! {
        () = clean => {}
        _ = signals.next() => {}
    }
    End::Signal(number)
}
