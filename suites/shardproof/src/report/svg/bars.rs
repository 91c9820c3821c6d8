//! Bars: keys a node, before and after.

use std::fmt::Write;

use super::escaped;

/// One row of bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// What the bars are of.
    pub(crate) name: String,
    /// A length each, in the order of the legend.
    pub(crate) lengths: Vec<usize>,
}

const NAME: usize = 140;
const FULL: usize = 420;
const BAR: usize = 14;
const GAP: usize = 14;

/// The picture, as an `svg` element: for each row a bar for each word of the legend.
#[must_use]
pub(crate) fn bars(legend: &[&str], rows: &[Row]) -> String {
    let longest = rows.iter().flat_map(|row| &row.lengths).max();
    let longest = (*longest.unwrap_or(&1)).max(1);
    let row_height = BAR * legend.len() + GAP;
    let (width, height) = (NAME + FULL + 70, 30 + row_height * rows.len());
    let mut svg = format!(
        "<svg class=\"bars\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" aria-label=\"keys on each node\">"
    );
    for (index, word) in legend.iter().enumerate() {
        let x = NAME + index * 150;
        let _ = write!(
            svg,
            "<rect class=\"bar bar-{index}\" x=\"{x}\" y=\"4\" width=\"10\" height=\"10\"/><text x=\"{}\" y=\"13\">{}</text>",
            x + 15,
            escaped(word)
        );
    }
    for (place, row) in rows.iter().enumerate() {
        let y = 30 + place * row_height;
        let middle = y + (row_height - GAP) / 2 + 4;
        let _ = write!(
            svg,
            "<text class=\"name\" x=\"{}\" y=\"{middle}\">{}</text>",
            NAME - 8,
            escaped(&row.name)
        );
        for (index, length) in row.lengths.iter().enumerate() {
            let (y, wide) = (y + index * BAR, length * FULL / longest);
            let _ = write!(
                svg,
                "<rect class=\"bar bar-{index}\" x=\"{NAME}\" y=\"{y}\" width=\"{wide}\" height=\"{}\"/><text x=\"{}\" y=\"{}\">{length}</text>",
                BAR - 3,
                NAME + wide + 5,
                y + BAR - 4
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::{FULL, Row, bars};

    #[test]
    fn the_longest_bar_is_full_and_nothing_divides_by_zero() {
        let row = |lengths: &[usize]| Row {
            name: "a<b".to_owned(),
            lengths: lengths.to_vec(),
        };
        let svg = bars(&["before", "after"], &[row(&[10, 20]), row(&[0, 5])]);
        assert_eq!(svg.matches(&format!("width=\"{FULL}\"")).count(), 1);
        assert!(svg.contains("a&lt;b"));
        assert!(bars(&["before"], &[row(&[0])]).contains("width=\"0\""));
    }
}
