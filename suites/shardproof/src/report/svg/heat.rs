//! A matrix of squares: the darker, the more keys.

use std::fmt::Write;

use super::{cut, escaped};

const NAME: usize = 160;
const CELL: usize = 14;
const TOP: usize = 20;
/// Letters of a name that fit.
const LETTERS: usize = 21;

/// The picture, as an `svg` element: rows before, columns after. `keys` tells how many go from which to which.
#[must_use]
pub(crate) fn heat(before: &[String], after: &[String], keys: &[(usize, usize, u64)]) -> String {
    let most = keys
        .iter()
        .map(|(.., keys)| *keys)
        .max()
        .unwrap_or(0)
        .max(1);
    let width = NAME + after.len() * CELL + 10;
    let height = TOP + before.len() * CELL + 10;
    let mut svg = format!(
        "<svg class=\"heat\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" aria-label=\"keys that move from node to node\">\
         <text x=\"{NAME}\" y=\"13\">to, in the order of the table</text>"
    );
    for (row, name) in before.iter().enumerate() {
        let _ = write!(
            svg,
            "<text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
            NAME - 8,
            TOP + row * CELL + CELL - 3,
            escaped(&cut(name, LETTERS))
        );
    }
    for (from, to, keys) in keys {
        let _ = write!(
            svg,
            "<rect class=\"cell\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill-opacity=\"{:.3}\"><title>{} → {}: {keys} keys</title></rect>",
            NAME + to * CELL,
            TOP + from * CELL,
            CELL - 1,
            CELL - 1,
            // What is there is seen.
            0.08 + 0.92 * *keys as f64 / most as f64,
            escaped(&before[*from]),
            escaped(&after[*to]),
        );
    }
    svg + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::heat;

    #[test]
    fn the_most_is_the_darkest() {
        let names = ["a<".to_owned(), "b".to_owned()];
        let svg = heat(&names, &names, &[(0, 1, 10), (1, 0, 5)]);
        assert_eq!(svg.matches("fill-opacity=\"1.000\"").count(), 1);
        assert_eq!(svg.matches("fill-opacity=\"0.540\"").count(), 1);
        assert!(svg.contains("a&lt; → b: 10 keys"));
    }
}
