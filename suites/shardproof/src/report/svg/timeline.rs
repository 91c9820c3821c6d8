//! The timeline of a chaos run: latency on a log scale, requests by node, errors by class, with faults and stalls shaded.

use std::collections::BTreeSet;

use askama::Template;
use chaos::report::{Bin, Timeline};

use super::{Picture, cut};

const LEFT: f64 = 62.0;
const WIDE: f64 = 640.0;
/// Names of faults, one row per fault that acts at the same time.
const HEAD: f64 = 18.0;
const HIGH: f64 = 110.0;
const GAP: f64 = 30.0;
const LEGEND: f64 = LEFT + WIDE + 14.0;
const LEGEND_ROW: f64 = 18.0;
/// The lowest latency of the picture, in microseconds.
const FASTEST_US: f64 = 100.0;
/// Most steps between marks of the x axis, and between lines across a panel.
const TIME_STEPS: u64 = 8;
const COUNT_STEPS: u64 = 3;
/// Characters of a fault's name.
const NAME: usize = 40;

/// The picture.
#[must_use]
pub(crate) fn timeline(timeline: &Timeline) -> Picture {
    let scale = Scale(timeline.load_ms.max(1));
    let rows = window_rows(timeline);
    let top = HEAD * (rows as f64 + 1.0);
    let series = [latency(timeline), rates(timeline), errors(timeline)];
    let panels: Vec<Panel> = (0..)
        .zip(series)
        .map(|(place, series)| {
            series.panel(top + f64::from(place) * (HIGH + GAP), &scale, timeline)
        })
        .collect();
    let bottom = top + 3.0 * (HIGH + GAP);
    let shade = |(row, window): (usize, &chaos::report::WindowReport)| Shade {
        x: scale.x(window.from_ms),
        width: (scale.x(window.to_ms) - scale.x(window.from_ms)).max(1.0),
        row: HEAD * ((row % rows.max(1)) as f64 + 0.8),
        name: cut(&format!("{}: {}", window.on, window.fault), NAME),
    };
    let stall =
        |(from, to): &(u64, u64)| (scale.x(*from), (scale.x(*to) - scale.x(*from)).max(1.0));
    Picture::new(&Drawing {
        width: LEGEND + 130.0,
        height: bottom + 18.0,
        top,
        bottom: bottom - GAP,
        shades: timeline.windows.iter().enumerate().map(shade).collect(),
        stalls: timeline.stalls_ms.iter().map(stall).collect(),
        panels,
        ticks: marks(timeline.load_ms, TIME_STEPS)
            .map(|ms| (scale.x(ms), ms))
            .collect(),
    })
}

/// Rows that the names of faults need: as many as follow each other too closely.
fn window_rows(timeline: &Timeline) -> usize {
    timeline.windows.len().min(3)
}

struct Scale(u64);

impl Scale {
    fn x(&self, ms: u64) -> f64 {
        LEFT + WIDE * ms.min(self.0) as f64 / self.0 as f64
    }
}

/// Lines with one value per bin; a bin without a value interrupts a line.
struct Series {
    title: &'static str,
    lines: Vec<(String, Vec<Option<f64>>)>,
    axis: Axis,
}

enum Axis {
    /// From [`FASTEST_US`] to this many microseconds.
    Log(f64),
    /// From 0 to this.
    Linear(f64),
}

impl Axis {
    /// The share of the height, from below.
    fn share(&self, value: f64) -> f64 {
        match self {
            Self::Log(max) => (value.max(FASTEST_US) / FASTEST_US).ln() / (max / FASTEST_US).ln(),
            Self::Linear(max) => value / max,
        }
    }

    /// Values with a line across, and their text.
    fn grid(&self) -> Vec<(f64, String)> {
        match self {
            Self::Log(max) => {
                let decades = (0..6).map(|power| FASTEST_US * 10_f64.powi(power));
                let inside = decades.take_while(|value| value <= max);
                inside.map(|us| (us, milliseconds(us))).collect()
            }
            Self::Linear(max) => {
                let values = marks(*max as u64, COUNT_STEPS);
                values
                    .map(|value| (value as f64, value.to_string()))
                    .collect()
            }
        }
    }
}

/// Round numbers from 0 to `max`, with at most `steps` steps of 1, 2 or 5 times a power of ten.
fn marks(max: u64, steps: u64) -> impl Iterator<Item = u64> {
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let mut widths = powers.flat_map(|power| [1, 2, 5].map(|digit| digit * power));
    let step = widths
        .find(|step| max / step <= steps)
        .unwrap_or(max.max(1));
    (0..=max / step).map(move |mark| mark * step)
}

fn milliseconds(us: f64) -> String {
    match us < 1000.0 {
        true => format!("{:.1} ms", us / 1000.0),
        false => format!("{:.0} ms", us / 1000.0),
    }
}

fn latency(timeline: &Timeline) -> Series {
    let slowest = timeline.bins.iter().map(|bin| bin.latency.max_us).max();
    let line = |name: &str, of: fn(&Bin) -> u64| {
        let value = |bin: &Bin| (of(bin) > 0).then(|| of(bin) as f64);
        (name.to_owned(), timeline.bins.iter().map(value).collect())
    };
    Series {
        title: "latency of answered requests",
        lines: vec![
            line("p50", |bin| bin.latency.p50_us),
            line("p99", |bin| bin.latency.p99_us),
            line("max", |bin| bin.latency.max_us),
        ],
        axis: Axis::Log((slowest.unwrap_or(0) as f64).max(10.0 * FASTEST_US)),
    }
}

fn rates(timeline: &Timeline) -> Series {
    let per_second = |count: u64| count as f64 * 1000.0 / timeline.bin_ms.max(1) as f64;
    let of_node = |node: usize| {
        let value = |bin: &Bin| bin.by_node.get(node).map(|count| per_second(*count));
        timeline.bins.iter().map(value).collect()
    };
    let letters = ('A'..='Z').map(|letter| format!("node {letter}"));
    let lines = letters.take(timeline.nodes.len()).enumerate();
    Series::linear(
        "requests per second at the nodes",
        lines.map(|(node, name)| (name, of_node(node))).collect(),
    )
}

fn errors(timeline: &Timeline) -> Series {
    let classes: BTreeSet<&String> = timeline
        .bins
        .iter()
        .flat_map(|bin| bin.errors.keys())
        .collect();
    let of_class = |class: &String| {
        let value = |bin: &Bin| Some(bin.errors.get(class).copied().unwrap_or(0) as f64);
        (cut(class, 16), timeline.bins.iter().map(value).collect())
    };
    Series::linear(
        "requests without an answer, by what the client saw",
        classes.into_iter().map(of_class).collect(),
    )
}

impl Series {
    fn linear(title: &'static str, lines: Vec<(String, Vec<Option<f64>>)>) -> Self {
        let values = lines.iter().flat_map(|(_, values)| values.iter().flatten());
        let max = values.fold(1.0, |max: f64, value| max.max(*value));
        Self {
            title,
            lines,
            axis: Axis::Linear(max),
        }
    }

    fn panel(self, top: f64, scale: &Scale, timeline: &Timeline) -> Panel {
        let y = |value: f64| top + HIGH * (1.0 - self.axis.share(value));
        let x = |bin: usize| scale.x(timeline.bins[bin].at_ms + timeline.bin_ms / 2);
        let drawn = |(index, (name, values)): (usize, &(String, Vec<Option<f64>>))| Drawn {
            name: name.clone(),
            path: path(values, x, y),
            row: top + 8.0 + index as f64 * LEGEND_ROW,
        };
        Panel {
            title: self.title,
            title_y: top - 6.0,
            grid: (self.axis.grid().into_iter())
                .map(|(value, text)| (y(value), text))
                .collect(),
            lines: self.lines.iter().enumerate().map(drawn).collect(),
        }
    }
}

/// A path that starts again after a bin without a value.
fn path(values: &[Option<f64>], x: impl Fn(usize) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut is_open = false;
    let mut path = String::new();
    for (bin, value) in values.iter().enumerate() {
        if let Some(value) = value {
            let command = if is_open { 'L' } else { 'M' };
            path += &format!("{command}{:.1} {:.1} ", x(bin), y(*value));
        }
        is_open = value.is_some();
    }
    path
}

#[derive(Template)]
#[template(path = "timeline.svg")]
struct Drawing {
    width: f64,
    height: f64,
    top: f64,
    bottom: f64,
    shades: Vec<Shade>,
    /// Place and width.
    stalls: Vec<(f64, f64)>,
    panels: Vec<Panel>,
    /// Place, and milliseconds.
    ticks: Vec<(f64, u64)>,
}

/// A fault while it acted.
struct Shade {
    x: f64,
    width: f64,
    /// The y of its name.
    row: f64,
    name: String,
}

struct Panel {
    title: &'static str,
    title_y: f64,
    /// The y of each line across, and its text.
    grid: Vec<(f64, String)>,
    lines: Vec<Drawn>,
}

struct Drawn {
    name: String,
    path: String,
    /// Its y in the legend.
    row: f64,
}

#[cfg(test)]
mod tests {
    use chaos::report::{Latency, WindowReport};

    use super::*;

    fn bin(at_ms: u64, max_us: u64) -> Bin {
        Bin {
            at_ms,
            by_node: vec![at_ms, 1],
            errors: [("<ERR>".to_owned(), at_ms)].into_iter().collect(),
            latency: Latency {
                p50_us: max_us / 2,
                max_us,
                ..Latency::default()
            },
            ..Bin::default()
        }
    }

    #[test]
    fn faults_are_shaded_where_they_acted_and_texts_are_escaped() {
        let picture = timeline(&Timeline {
            load_ms: 400,
            bin_ms: 100,
            bins: vec![bin(0, 1000), bin(100, 0), bin(200, 100_000), bin(300, 900)],
            windows: vec![WindowReport {
                fault: "latency <b>".to_owned(),
                on: "B".to_owned(),
                from_ms: 100,
                to_ms: 300,
            }],
            stalls_ms: vec![(10, 20)],
            samples: Vec::new(),
            nodes: vec!["127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned()],
        })
        .to_string();
        let shade = format!("x=\"{:.1}\" width=\"{:.1}\"", LEFT + WIDE / 4.0, WIDE / 2.0);
        assert!(picture.contains(&shade), "{picture}");
        assert!(
            picture.contains("latency &#60;b&#62;") && !picture.contains("<b>"),
            "{picture}"
        );
        assert!(
            picture.contains("&#60;ERR&#62;") && !picture.contains("NaN"),
            "{picture}"
        );
        // A bin without an answer interrupts the line of latencies.
        let path = path(
            &[Some(1.0), None, Some(2.0), Some(3.0)],
            |bin| bin as f64,
            |value| value,
        );
        assert_eq!(path, "M0.0 1.0 M2.0 2.0 L3.0 3.0 ");
    }

    #[test]
    fn marks_are_round_and_few() {
        let marks = |max, steps| super::marks(max, steps).collect::<Vec<_>>();
        assert_eq!(
            marks(1602, 8),
            [0, 200, 400, 600, 800, 1000, 1200, 1400, 1600]
        );
        assert_eq!(marks(688, 3), [0, 200, 400, 600]);
        assert_eq!(marks(1, 3), [0, 1]);
        assert_eq!(marks(0, 3), [0]);
        assert_eq!(marks(u64::MAX, 3).len(), 4);
    }

    #[test]
    fn a_run_without_requests_is_a_picture() {
        let empty = Timeline {
            load_ms: 0,
            bin_ms: 20,
            bins: Vec::new(),
            windows: Vec::new(),
            stalls_ms: Vec::new(),
            samples: Vec::new(),
            nodes: Vec::new(),
        };
        assert!(!timeline(&empty).to_string().contains("NaN"));
    }
}
