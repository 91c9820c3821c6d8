//! Shorter scenarios: with the end cut off, or with every time halved.

use std::time::Duration;

use crate::scenario::{Moment, Scenario, Time};

/// No load is made shorter than this: clients have to connect, and to send a few requests.
const DURATION_MIN: Duration = Duration::from_millis(100);

/// Half as long: first without the second half, then with every time halved.
pub(super) fn shorter(scenario: &Scenario) -> Vec<Scenario> {
    let half = half(scenario.duration);
    if half < DURATION_MIN {
        return Vec::new();
    }
    let cut = cut(scenario, half);
    let has_times = !scenario.faults.is_empty() || !scenario.rescales.is_empty();
    let halved = (has_times || cut.is_none()).then(|| halved(scenario, half));
    [cut, halved].into_iter().flatten().collect()
}

/// Ends at `end`. None where a fault or rescale would no longer happen: candidates without it are others.
fn cut(scenario: &Scenario, end: Duration) -> Option<Scenario> {
    let faults = scenario.faults.iter().map(|row| row.at);
    let rescales = scenario.rescales.iter().map(|row| row.at);
    let mut times = faults.chain(rescales);
    times.all(|at| at.to.0 < end).then(|| {
        let mut shorter = scenario.clone();
        shorter.set_duration(end);
        for load in &mut shorter.loads {
            load.lasts = load.lasts.min(end);
        }
        shorter
    })
}

fn halved(scenario: &Scenario, end: Duration) -> Scenario {
    let mut shorter = scenario.clone();
    shorter.duration = end;
    for load in &mut shorter.loads {
        load.lasts = half(load.lasts);
    }
    for row in &mut shorter.faults {
        row.at = halved_moment(row.at);
        row.lasts = halved_moment(row.lasts);
        row.every = row.every.map(|every| Time(half(every.0)));
    }
    for row in &mut shorter.rescales {
        row.at = halved_moment(row.at);
    }
    shorter
}

fn halved_moment(moment: Moment) -> Moment {
    Moment {
        from: Time(half(moment.from.0)),
        to: Time(half(moment.to.0)),
    }
}

/// Half of a time, in whole milliseconds: files have no shorter ones.
fn half(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis() / 2).unwrap_or(u64::MAX))
}
