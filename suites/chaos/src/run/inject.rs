//! Carries a schedule out: faults applied and healed, the cluster rescaled, each with the time in which it acted.

use std::collections::BTreeMap;

use testbed::fault::Fault;
use tokio::time::Duration;

use super::clock::{Clock, nanoseconds};
use super::{Error, Means};
use crate::observed::{Span, Subject, Window};
use crate::scenario::{Change, Schedule};

/// Executes every step at its time. `say` is called with each.
///
/// # Errors
/// The first step that failed. All faults are healed before.
pub(super) async fn carry_out(
    schedule: &Schedule,
    means: &mut Means<'_>,
    clock: &Clock,
    say: &dyn Fn(&str),
) -> Result<Vec<Window>, Error> {
    let mut acting = Acting::default();
    let mut carried_out = Ok(());
    for step in &schedule.steps {
        clock.wait_until(nanoseconds(step.at)).await;
        say(&step.change.to_string());
        carried_out = acting.carry_out(&step.change, means, clock).await;
        if carried_out.is_err() {
            break;
        }
    }
    let healed = acting.heal_all(means, clock).await;
    carried_out.and(healed)?;
    Ok(acting.windows)
}

/// When a load ends that is to last for `duration`: later by as much as the last change took longer than planned. A
/// container takes its time to start, and what follows a fault is to be seen all the same.
pub(super) fn load_end(duration: Duration, schedule: &Schedule, windows: &[Window]) -> u64 {
    let planned = schedule.steps.last().map_or(0, |step| nanoseconds(step.at));
    let done = windows.iter().map(|window| window.span.to).max();
    let late = done.unwrap_or(0).saturating_sub(planned);
    nanoseconds(duration).saturating_add(late)
}

/// Faults that act, and the windows of those that did.
#[derive(Default)]
struct Acting {
    open: BTreeMap<usize, (Fault, Subject, usize)>,
    windows: Vec<Window>,
}

impl Acting {
    async fn carry_out(
        &mut self,
        change: &Change,
        means: &mut Means<'_>,
        clock: &Clock,
    ) -> Result<(), Error> {
        match change {
            Change::Apply(number, fault, on) => {
                let window = self.begin(fault.to_string(), *on, !fault.row().keeps_data, clock);
                self.open.insert(*number, (fault.clone(), *on, window));
                means.apply(fault, *on).await
            }
            Change::Heal(number, ..) => self.heal(*number, means, clock).await,
            Change::Rescale(nodes) => {
                let fault = format!("rescale {nodes}");
                let window = self.begin(fault, Subject::Proxy, false, clock);
                let done = means.rescale((*nodes).into()).await;
                self.windows[window].span.to = clock.now();
                done
            }
        }
    }

    fn begin(&mut self, fault: String, on: Subject, empties: bool, clock: &Clock) -> usize {
        let now = clock.now();
        self.windows.push(Window {
            fault,
            on,
            span: Span { from: now, to: now },
            empties,
        });
        self.windows.len() - 1
    }

    async fn heal(
        &mut self,
        number: usize,
        means: &mut Means<'_>,
        clock: &Clock,
    ) -> Result<(), Error> {
        let Some((fault, on, window)) = self.open.remove(&number) else {
            return Ok(());
        };
        let healed = means.heal(&fault, on).await;
        self.windows[window].span.to = clock.now();
        healed
    }

    async fn heal_all(&mut self, means: &mut Means<'_>, clock: &Clock) -> Result<(), Error> {
        let mut healed = Ok(());
        for number in self.open.keys().copied().collect::<Vec<_>>() {
            healed = healed.and(self.heal(number, means, clock).await);
        }
        healed
    }
}

/// The time that no schedule reaches.
pub(super) const MARGIN: Duration = Duration::from_millis(500);
