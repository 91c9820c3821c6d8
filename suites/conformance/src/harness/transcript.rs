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
    let times = clients.iter().map(|line| line.at);
    let of_events = events.iter().map(|event| since(event, begun));
    let mut order: Vec<(Duration, usize)> = times.chain(of_events).zip(0..).collect();
    order.sort();
    let text = |(_, place): &(Duration, usize)| match clients.get(*place) {
        Some(line) => shorter(line.clone()),
        None => shorter(line(&events[place - clients.len()], begun)),
    };
    let left_out = order.len().saturating_sub(LINES_MAX);
    if left_out == 0 {
        return order.iter().map(text).collect();
    }
    // Most lines of a long run are never formatted.
    let (before, rest) = order.split_at(LINES_MAX / 2);
    let gap = Line {
        at: rest[0].0,
        party: "...".to_owned(),
        way: Direction::Event,
        text: format!("{left_out} lines left out"),
    };
    let after = rest[left_out..].iter().map(text);
    before.iter().map(text).chain([gap]).chain(after).collect()
}

fn since(event: &Event, begun: Duration) -> Duration {
    event.at.saturating_sub(begun)
}

fn line(event: &Event, begun: Duration) -> Line {
    Line {
        at: since(event, begun),
        party: format!("node {}", letter(event.node)),
        way: match event.what {
            What::Asked(_) | What::GarbledRequest(_) => Direction::FromProxy,
            What::Answered(_) | What::Scripted(_) | What::GarbledReply(_) => Direction::ToProxy,
            What::Opened | What::Closed | What::Acted(_) | What::Left { .. } => Direction::Event,
        },
        text: format!("{} [connection {}]", event.what, event.connection),
    }
}

fn shorter(mut line: Line) -> Line {
    if let Some((end, _)) = line.text.char_indices().nth(CHARS_MAX) {
        line.text.truncate(end);
        line.text += "...";
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_transcript_loses_its_middle_and_a_long_line_its_end() {
        let at = Duration::from_millis;
        let line = |place: u64| Line {
            at: at(place),
            party: "client 1".to_owned(),
            way: Direction::ToProxy,
            text: format!("{place} {}", "x".repeat(500)),
        };
        let clients: Vec<Line> = (0..1000).step_by(2).map(line).collect();
        let event = |place: u64| Event {
            at: at(place + 7),
            node: 1,
            connection: 1,
            what: What::Opened,
        };
        let events: Vec<Event> = (1..1000).step_by(2).map(event).collect();
        let merged = merge(&clients, &events, at(7));
        assert_eq!(merged.len(), LINES_MAX + 1);
        assert!(merged.is_sorted_by_key(|line| line.at));
        let gap = &merged[LINES_MAX / 2];
        assert_eq!(gap.text, format!("{} lines left out", 1000 - LINES_MAX));
        assert_eq!(merged[0].text.chars().count(), CHARS_MAX + "...".len());
        assert_eq!((merged[1].party.as_str(), merged[1].at), ("node B", at(1)));
        assert_eq!(merged[LINES_MAX].at, at(999));
        assert_eq!(merge(&clients[..2], &[], at(0)).len(), 2);
    }
}
