//! A sequence diagram of one transcript: clients on the left, the proxy in the middle, nodes on the right.

use std::fmt::Write;

use super::{cut, escaped};
use conformance::verdict::{Line, Way};

const LANE: usize = 190;
/// Where there are many parties.
const LANE_NARROW: usize = 130;
const ROW: usize = 26;
const TOP: usize = 44;
const MARGIN: usize = 90;
/// Characters that fit between two lanes, a pixel each.
const LETTER: usize = 7;
/// Longer transcripts are cut in the picture; the text below it has all lines.
const ROWS_MAX: usize = 60;

/// The picture, as an `svg` element.
#[must_use]
pub(crate) fn sequence(transcript: &[Line]) -> String {
    let told = |line: &&Line| line.way != Way::Event || !is_connection(&line.text);
    let lines: Vec<&Line> = transcript.iter().filter(told).take(ROWS_MAX).collect();
    let lanes = lanes(&lines);
    let lane = if lanes.len() > 5 { LANE_NARROW } else { LANE };
    let (width, height) = (
        2 * MARGIN + lane * (lanes.len() - 1),
        TOP + ROW * (lines.len() + 1),
    );
    let mut svg = format!(
        "<svg class=\"sequence\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" aria-label=\"sequence of the transcript\">"
    );
    for (index, name) in lanes.iter().enumerate() {
        let x = MARGIN + index * lane;
        let _ = write!(
            svg,
            "<line class=\"lane\" x1=\"{x}\" y1=\"30\" x2=\"{x}\" y2=\"{height}\"/><text class=\"lane-name\" x=\"{x}\" y=\"20\">{}</text>",
            escaped(name)
        );
    }
    let place = |name: &str| {
        let index = lanes.iter().position(|known| known == name).unwrap_or(0);
        MARGIN + index * lane
    };
    for (row, line) in lines.iter().enumerate() {
        let y = TOP + ROW * (row + 1);
        svg.push_str(&message(
            line,
            place(&line.party),
            place(PROXY),
            y,
            lane / LETTER,
        ));
    }
    svg.push_str("</svg>");
    svg
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

/// Connections come and go in the text; the picture is about what was said.
fn is_connection(text: &str) -> bool {
    ["connected", "opened", "closed"]
        .iter()
        .any(|word| text.starts_with(word))
}

fn message(line: &Line, party: usize, proxy: usize, y: usize, letters: usize) -> String {
    let text = escaped(&cut(&line.text, letters));
    let whole = format!(
        "<title>{:.3} ms {}</title>",
        line.at.as_secs_f64() * 1000.0,
        escaped(&line.text)
    );
    let (from, to) = match line.way {
        Way::ToProxy => (party, proxy),
        Way::FromProxy => (proxy, party),
        Way::Event => {
            return format!(
                "<g class=\"event\">{whole}<text x=\"{party}\" y=\"{y}\">{text}</text></g>"
            );
        }
    };
    let class = if line.text.starts_with('-') {
        "arrow error"
    } else {
        "arrow"
    };
    // The head points along the arrow, in a triangle of its own: markers do not take the colour of their line.
    let back = if to > from { to - 8 } else { to + 8 };
    let (middle, above, up, down) = ((from + to) / 2, y - 5, y - 4, y + 4);
    format!(
        "<g class=\"{class}\">{whole}<line x1=\"{from}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\"/><path d=\"M{to} {y} L{back} {up} L{back} {down} Z\"/><text x=\"{middle}\" y=\"{above}\">{text}</text></g>"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Line, Way, sequence};

    fn line(party: &str, way: Way, text: &str) -> Line {
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
            line("client 1", Way::ToProxy, "GET <b>"),
            line("node A", Way::FromProxy, "GET <b>"),
            line("node A", Way::ToProxy, "-ERR no"),
            line("node B", Way::Event, "fault B down"),
            line("node C", Way::Event, "opened"),
        ]);
        assert_eq!(svg.matches("class=\"lane\"").count(), 4);
        assert_eq!(svg.matches("class=\"arrow\"").count(), 2);
        assert_eq!(svg.matches("class=\"arrow error\"").count(), 1);
        assert!(svg.contains("GET &lt;b&gt;") && !svg.contains("<b>"));
    }
}
