//! Lines: a share by a number, one line per name.

use askama::Template;

use super::Picture;

/// A line with its points, x ascending.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// Its subject.
    pub(crate) name: String,
    /// A number, and a share from 0 to 1.
    pub(crate) points: Vec<(usize, f64)>,
}

const LEFT: f64 = 50.0;
const TOP: f64 = 12.0;
const WIDE: f64 = 500.0;
const HIGH: f64 = 260.0;
/// Where the legend begins.
const LEGEND: f64 = LEFT + WIDE + 16.0;
const LEGEND_ROW: f64 = 20.0;

/// The picture; `label` is what x counts. The y axis goes to 100 %.
#[must_use]
pub(crate) fn lines(label: &str, lines: &[Line]) -> Picture {
    let all = || lines.iter().flat_map(|line| &line.points);
    let first = all().map(|(x, _)| *x).min().unwrap_or(0);
    let last = all().map(|(x, _)| *x).max().unwrap_or(1).max(first + 1);
    let x = |number: usize| LEFT + WIDE * (number - first) as f64 / (last - first) as f64;
    let y = |share: f64| TOP + HIGH * (1.0 - share);
    let drawn = |(index, line): (usize, &Line)| {
        let points = line.points.iter();
        let points: Vec<String> = points
            .map(|(number, share)| format!("{:.1},{:.1}", x(*number), y(*share)))
            .collect();
        Drawn {
            name: line.name.clone(),
            points: points.join(" "),
            row: TOP + 10.0 + index as f64 * LEGEND_ROW,
        }
    };
    Picture::new(&Drawing {
        width: LEGEND + 110.0,
        height: TOP + HIGH + 42.0,
        label,
        grid: [0, 25, 50, 75, 100].map(|percent| (percent, y(f64::from(percent) / 100.0))),
        ticks: ticks(first, last)
            .into_iter()
            .map(|number| (number, x(number)))
            .collect(),
        lines: lines.iter().enumerate().map(drawn).collect(),
    })
}

#[derive(Template)]
#[template(path = "lines.svg")]
struct Drawing<'a> {
    width: f64,
    height: f64,
    label: &'a str,
    /// Percent, and their y.
    grid: [(u8, f64); 5],
    /// Numbers, and their x.
    ticks: Vec<(usize, f64)>,
    lines: Vec<Drawn>,
}

struct Drawn {
    name: String,
    points: String,
    /// Its y in the legend.
    row: f64,
}

/// Powers of two, and both ends.
fn ticks(first: usize, last: usize) -> Vec<usize> {
    let powers = (0..usize::BITS).map(|power| 1 << power);
    let apart = (last - first) / 12;
    let inside = powers.filter(|number| *number > first + apart && *number + apart < last);
    [first].into_iter().chain(inside).chain([last]).collect()
}

#[cfg(test)]
mod tests {
    use super::{HIGH, LEFT, Line, TOP, WIDE, lines, ticks};

    #[test]
    fn a_line_spans_from_corner_to_corner() {
        let line = Line {
            name: "a<b".to_owned(),
            points: vec![(2, 1.0), (64, 0.0)],
        };
        let svg = lines("nodes", &[line]).to_string();
        let points = format!(
            "points=\"{LEFT:.1},{TOP:.1} {:.1},{:.1}\"",
            LEFT + WIDE,
            TOP + HIGH
        );
        assert!(svg.contains(&points), "{svg}");
        assert!(svg.contains("a&#60;b") && !svg.contains("NaN"));
        assert!(!lines("nothing", &[]).to_string().contains("NaN"));
    }

    #[test]
    fn ticks_do_not_touch() {
        assert_eq!(ticks(2, 64), [2, 8, 16, 32, 64]);
        assert_eq!(ticks(2, 3), [2, 3]);
    }
}
