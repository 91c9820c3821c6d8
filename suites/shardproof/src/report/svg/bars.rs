//! Bars: keys per node, before and after.

use askama::Template;

use super::{Picture, cut};

/// One row of bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The name of the row.
    pub(crate) name: String,
    /// The lengths, in the order of the legend.
    pub(crate) lengths: Vec<usize>,
}

const NAME: usize = 160;
/// Letters of a name that fit: any IPv4 address with its port.
const LETTERS: usize = 21;
const FULL: usize = 420;
const BAR: usize = 14;
const GAP: usize = 14;

/// The picture: for each row a bar for each word of the legend.
#[must_use]
pub(crate) fn bars(legend: &[&str], rows: &[Row]) -> Picture {
    let longest = rows.iter().flat_map(|row| &row.lengths).max();
    let longest = (*longest.unwrap_or(&1)).max(1);
    let row_height = BAR * legend.len() + GAP;
    let place = |(place, row)| drawn(row, 30 + place * row_height, row_height, longest);
    Picture::new(&Drawing {
        width: NAME + FULL + 70,
        height: 30 + row_height * rows.len(),
        legend: (0..)
            .zip(legend)
            .map(|(index, word)| (NAME + index * 150, *word))
            .collect(),
        rows: rows.iter().enumerate().map(place).collect(),
    })
}

#[derive(Template)]
#[template(path = "bars.svg")]
struct Drawing<'a> {
    width: usize,
    height: usize,
    /// Left edge and word.
    legend: Vec<(usize, &'a str)>,
    rows: Vec<Drawn>,
}

struct Drawn {
    name: String,
    middle: usize,
    bars: Vec<Bar>,
}

struct Bar {
    y: usize,
    wide: usize,
    keys: usize,
}

fn drawn(row: &Row, y: usize, height: usize, longest: usize) -> Drawn {
    let bar = |(index, keys): (usize, &usize)| Bar {
        y: y + index * BAR,
        wide: keys * FULL / longest,
        keys: *keys,
    };
    Drawn {
        name: cut(&row.name, LETTERS),
        middle: y + (height - GAP) / 2 + 4,
        bars: row.lengths.iter().enumerate().map(bar).collect(),
    }
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
        let svg = bars(&["before", "after"], &[row(&[10, 20]), row(&[0, 5])]).to_string();
        assert_eq!(svg.matches(&format!("width=\"{FULL}\"")).count(), 1);
        assert!(svg.contains("a&#60;b"));
        assert!(
            bars(&["before"], &[row(&[0])])
                .to_string()
                .contains("width=\"0\"")
        );
    }
}
