//! The transcript of a run: requests and replies of clients and of nodes, by time.

use std::time::Duration;

use crate::cases::word::letter;
use crate::verdict::{Direction, Line};
use testbed::link::{Event, What};

/// Longer transcripts lose their middle.
const LINES_MAX: usize = 160;
/// Longer lines lose their end.
const CHARS_MAX: usize = 400;

/// Both sides, merged.
pub(crate) fn merge(clients: &[Line], events: &[Event], begun: Duration) -> Vec<Line> {
    let mut lines: Vec<Line> = clients
        .iter()
        .cloned()
        .chain(events.iter().map(|event| line(event, begun)))
        .collect();
    lines.sort_by_key(|line| line.at);
    shorten(&mut lines);
    lines
}

fn line(event: &Event, begun: Duration) -> Line {
    Line {
        at: event.at.saturating_sub(begun),
        party: format!("node {}", letter(event.node)),
        way: match event.what {
            What::Asked(_) | What::GarbledRequest(_) => Direction::FromProxy,
            What::Answered(_) | What::Scripted(_) | What::GarbledReply(_) => Direction::ToProxy,
            What::Opened | What::Closed | What::Acted(_) | What::Left { .. } => Direction::Event,
        },
        text: format!("{} [connection {}]", event.what, event.connection),
    }
}

fn shorten(lines: &mut Vec<Line>) {
    for line in lines.iter_mut() {
        if let Some((end, _)) = line.text.char_indices().nth(CHARS_MAX) {
            line.text.truncate(end);
            line.text += "...";
        }
    }
    if lines.len() > LINES_MAX {
        let left_out = lines.len() - LINES_MAX;
        let from = LINES_MAX / 2;
        let at = lines[from].at;
        let gap = Line {
            at,
            party: "...".to_owned(),
            way: Direction::Event,
            text: format!("{left_out} lines left out"),
        };
        lines.splice(from..from + left_out, [gap]);
    }
}
