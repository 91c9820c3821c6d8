//! Carries a schedule out: faults applied and healed, the cluster rescaled, each with the time in which it acted.

use std::collections::BTreeMap;

use testbed::fault::Fault;
use tokio::time::Duration;

use super::clock::{Clock, nanoseconds};
use super::{Error, Means};
use crate::observed::{Span, Subject, Window};
use crate::scenario::{Change, Schedule, Step};

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
        let at = nanoseconds(step.at).saturating_add(acting.late(&step.change));
        clock.wait_until(at).await;
        say(&step.change.to_string());
        carried_out = acting.carry_out(step, means, clock).await;
        if carried_out.is_err() {
            break;
        }
    }
    let healed = acting.heal_all(means, clock).await;
    // A fault that is still in force matters more than one that never was.
    healed.and(carried_out)?;
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
    open: BTreeMap<usize, Open>,
    windows: Vec<Window>,
}

/// A fault that acts.
struct Open {
    fault: Fault,
    on: Subject,
    /// Its place among the windows.
    window: usize,
    /// How long after its time it was in force, in nanoseconds.
    late: u64,
}

impl Acting {
    async fn carry_out(
        &mut self,
        step: &Step,
        means: &mut Means<'_>,
        clock: &Clock,
    ) -> Result<(), Error> {
        match &step.change {
            Change::Apply(number, fault, on) => {
                let window = self.begin(fault.to_string(), *on, !fault.row().keeps_data, clock);
                let open = Open {
                    fault: fault.clone(),
                    on: *on,
                    window,
                    late: 0,
                };
                // Before it is applied: one that fails may be in force in part.
                self.open.insert(*number, open);
                means.apply(fault, *on).await?;
                let now = clock.now();
                if let Some(open) = self.open.get_mut(number) {
                    open.late = now.saturating_sub(nanoseconds(step.at));
                }
                if fault.row().lasts {
                    self.windows[window].in_force.from = now;
                }
                Ok(())
            }
            Change::Heal(number, ..) => self.heal(*number, means, clock).await,
            Change::Rescale(nodes) => {
                let fault = format!("rescale {nodes}");
                let window = self.begin(fault, Subject::Proxy, false, clock);
                let done = means.rescale((*nodes).into()).await;
                let window = &mut self.windows[window];
                window.span.to = clock.now();
                window.in_force = window.span;
                done
            }
        }
    }

    /// How much later a change is due than planned: a fault lasts as long as the scenario says from when it is in force.
    fn late(&self, change: &Change) -> u64 {
        match change {
            Change::Heal(number, ..) => self.open.get(number).map_or(0, |open| open.late),
            Change::Apply(..) | Change::Rescale(_) => 0,
        }
    }

    fn begin(&mut self, fault: String, on: Subject, empties: bool, clock: &Clock) -> usize {
        let now = clock.now();
        let span = Span { from: now, to: now };
        self.windows.push(Window {
            fault,
            on,
            span,
            in_force: span,
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
        let Some(open) = self.open.remove(&number) else {
            return Ok(());
        };
        let window = &mut self.windows[open.window];
        window.in_force.to = clock.now();
        let healed = means.heal(&open.fault, open.on).await;
        window.span.to = clock.now();
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
