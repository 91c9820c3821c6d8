//! A sequence diagram of one transcript: clients on the left, the proxy in the middle, nodes on the right.

use askama::Template;

use super::{Picture, cut};
use conformance::verdict::{Direction, Line};

const LANE: usize = 190;
/// Used if there are many parties.
const LANE_NARROW: usize = 130;
const ROW: usize = 26;
const TOP: usize = 44;
const MARGIN: usize = 90;
/// Characters that fit between two lanes, a pixel each.
const LETTER: usize = 7;
/// Longer transcripts are cut in the picture; the text below it has all lines.
const ROWS_MAX: usize = 60;

/// The picture.
#[must_use]
pub(crate) fn sequence(transcript: &[Line]) -> Picture {
    let drawn = |line: &&Line| line.way != Direction::Event || !is_connection(&line.text);
    let lines: Vec<&Line> = transcript.iter().filter(drawn).take(ROWS_MAX).collect();
    let lanes = lanes(&lines);
    let lane = if lanes.len() > 5 { LANE_NARROW } else { LANE };
    let place = |name: &str| {
        let index = lanes.iter().position(|known| known == name).unwrap_or(0);
        MARGIN + index * lane
    };
    let row = |(row, line): (usize, &&Line)| {
        let (party, proxy, y) = (place(&line.party), place(PROXY), TOP + ROW * (row + 1));
        Row::new(line, party, proxy, y, lane / LETTER)
    };
    Picture::new(&Drawing {
        width: 2 * MARGIN + lane * (lanes.len() - 1),
        height: TOP + ROW * (lines.len() + 1),
        rows: lines.iter().enumerate().map(row).collect(),
        lanes: lanes
            .iter()
            .map(|name| (place(name), name.as_str()))
            .collect(),
    })
}

#[derive(Template)]
#[template(path = "sequence.svg")]
struct Drawing<'a> {
    width: usize,
    height: usize,
    /// Place and name.
    lanes: Vec<(usize, &'a str)>,
    rows: Vec<Row>,
}

/// An arrow with its text, or the text of an event.
struct Row {
    class: &'static str,
    ms: String,
    whole: String,
    y: usize,
    /// From, to, and the back of the head.
    arrow: Option<(usize, usize, usize)>,
    text_x: usize,
    text_y: usize,
    text: String,
}

impl Row {
    fn new(line: &Line, party: usize, proxy: usize, y: usize, letters: usize) -> Self {
        let ends = match line.way {
            Direction::ToProxy => Some((party, proxy)),
            Direction::FromProxy => Some((proxy, party)),
            Direction::Event => None,
        };
        let back = |(from, to)| (from, to, if to > from { to - 8 } else { to + 8 });
        Self {
            class: match (ends, line.text.starts_with('-')) {
                (None, _) => "event",
                (Some(_), true) => "arrow error",
                (Some(_), false) => "arrow",
            },
            ms: format!("{:.3}", line.at.as_secs_f64() * 1000.0),
            whole: line.text.clone(),
            y,
            arrow: ends.map(back),
            text_x: ends.map_or(party, |(from, to)| (from + to) / 2),
            text_y: if ends.is_some() { y - 5 } else { y },
            text: cut(&line.text, letters),
        }
    }
}

const PROXY: &str = "proxy";

/// Clients, the proxy, nodes, each in the order of their names.
fn lanes(lines: &[&Line]) -> Vec<String> {
    let named = |wanted: bool| {
        let mut names: Vec<String> = lines
            .iter()
            .map(|line| line.party.clone())
            .filter(|name| name != PROXY && is_node(name) == wanted)
            .collect();
        names.sort();
        names.dedup();
        names
    };
    let mut lanes = named(false);
    lanes.push(PROXY.to_owned());
    lanes.extend(named(true));
    lanes
}

fn is_node(party: &str) -> bool {
    party.starts_with("node")
}

/// Connections that open and close are in the text; the picture shows requests and replies.
fn is_connection(text: &str) -> bool {
    ["connected", "opened", "closed"]
        .iter()
        .any(|word| text.starts_with(word))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Direction, Line, sequence};

    fn line(party: &str, way: Direction, text: &str) -> Line {
        Line {
            at: Duration::from_millis(1),
            party: party.to_owned(),
            way,
            text: text.to_owned(),
        }
    }

    #[test]
    fn parties_have_a_lane_each_and_text_is_escaped() {
        let svg = sequence(&[
            line("client 1", Direction::ToProxy, "GET <b>"),
            line("node A", Direction::FromProxy, "GET <b>"),
            line("node A", Direction::ToProxy, "-ERR no"),
            line("node B", Direction::Event, "fault B down"),
            line("node C", Direction::Event, "opened"),
        ]);
        let svg = svg.to_string();
        assert_eq!(svg.matches("class=\"lane\"").count(), 4);
        assert_eq!(svg.matches("class=\"arrow\"").count(), 2);
        assert_eq!(svg.matches("class=\"arrow error\"").count(), 1);
        assert!(svg.contains("GET &#60;b&#62;") && !svg.contains("<b>"));
    }
}
