//! A matrix of squares: the darker, the more keys.

use askama::Template;

use super::Picture;

const NAME: usize = 160;
const CELL: usize = 14;
const TOP: usize = 20;
/// Letters of a name that fit.
const LETTERS: usize = 21;

/// The picture: rows before, columns after. `keys` are the keys that go from one node to another, by their places.
#[must_use]
pub(crate) fn heat(before: &[String], after: &[String], keys: &[(usize, usize, u64)]) -> Picture {
    let most = keys.iter().map(|(.., keys)| *keys).max();
    let most = most.unwrap_or(0).max(1) as f64;
    let cell = |(from, to, keys): &(usize, usize, u64)| Cell {
        from: *from,
        to: *to,
        keys: *keys,
        // One key is visible.
        opacity: 0.08 + 0.92 * *keys as f64 / most,
    };
    Picture::new(&Drawing {
        width: NAME + after.len() * CELL + 10,
        height: TOP + before.len() * CELL + 10,
        before,
        after,
        cells: keys.iter().map(cell).collect(),
    })
}

#[derive(Template)]
#[template(path = "heat.svg")]
struct Drawing<'a> {
    width: usize,
    height: usize,
    before: &'a [String],
    after: &'a [String],
    cells: Vec<Cell>,
}

struct Cell {
    from: usize,
    to: usize,
    keys: u64,
    opacity: f64,
}

#[cfg(test)]
mod tests {
    use super::heat;

    #[test]
    fn the_most_is_the_darkest() {
        let names = ["a<".to_owned(), "b".to_owned()];
        let svg = heat(&names, &names, &[(0, 1, 10), (1, 0, 5)]).to_string();
        assert_eq!(svg.matches("fill-opacity=\"1.000\"").count(), 1);
        assert_eq!(svg.matches("fill-opacity=\"0.540\"").count(), 1);
        assert!(svg.contains("a&#60; → b: 10 keys"));
    }
}
