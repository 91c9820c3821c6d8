//! Lines: a share by a number, one line for each of a few names.

use std::fmt::Write;

use super::escaped;

/// A line with its points, x ascending.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// What it is of.
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

/// The picture, as an `svg` element; `label` is what x counts. The y axis goes to 100 %.
#[must_use]
pub(crate) fn lines(label: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points);
    let first = all().map(|(x, _)| *x).min().unwrap_or(0);
    let last = all().map(|(x, _)| *x).max().unwrap_or(1).max(first + 1);
    let x = |number: usize| LEFT + WIDE * (number - first) as f64 / (last - first) as f64;
    let y = |share: f64| TOP + HIGH * (1.0 - share);
    let (width, height) = (LEGEND + 110.0, TOP + HIGH + 42.0);
    let mut svg = format!(
        "<svg class=\"lines\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" aria-label=\"{}\">",
        escaped(label)
    );
    for percent in [0, 25, 50, 75, 100] {
        let at = y(f64::from(percent) / 100.0);
        let _ = write!(
            svg,
            "<line class=\"lane\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"name\" x=\"{}\" y=\"{:.1}\">{percent} %</text>",
            LEFT + WIDE,
            LEFT - 6.0,
            at + 4.0
        );
    }
    for number in ticks(first, last) {
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{}\">{number}</text>",
            x(number),
            TOP + HIGH + 16.0
        );
    }
    let _ = write!(
        svg,
        "<text class=\"tick\" x=\"{}\" y=\"{}\">{}</text>",
        LEFT + WIDE / 2.0,
        TOP + HIGH + 36.0,
        escaped(label)
    );
    for (index, line) in lines.iter().enumerate() {
        let points = line.points.iter();
        let points: Vec<String> = points
            .map(|(number, share)| format!("{:.1},{:.1}", x(*number), y(*share)))
            .collect();
        let row = TOP + 10.0 + index as f64 * LEGEND_ROW;
        let _ = write!(
            svg,
            "<polyline class=\"line line-{index}\" points=\"{}\"><title>{2}</title></polyline>\
             <line class=\"line line-{index}\" x1=\"{LEGEND}\" x2=\"{1}\" y1=\"{row}\" y2=\"{row}\"/>\
             <text x=\"{3}\" y=\"{4}\">{2}</text>",
            points.join(" "),
            LEGEND + 18.0,
            escaped(&line.name),
            LEGEND + 24.0,
            row + 4.0
        );
    }
    svg + "</svg>"
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
    fn a_line_goes_from_corner_to_corner() {
        let line = Line {
            name: "a<b".to_owned(),
            points: vec![(2, 1.0), (64, 0.0)],
        };
        let svg = lines("nodes", &[line]);
        let points = format!(
            "points=\"{LEFT:.1},{TOP:.1} {:.1},{:.1}\"",
            LEFT + WIDE,
            TOP + HIGH
        );
        assert!(svg.contains(&points), "{svg}");
        assert!(svg.contains("a&lt;b") && !svg.contains("NaN"));
        assert!(!lines("nothing", &[]).contains("NaN"));
    }

    #[test]
    fn ticks_do_not_touch() {
        assert_eq!(ticks(2, 64), [2, 8, 16, 32, 64]);
        assert_eq!(ticks(2, 3), [2, 3]);
    }
}
