//! The case file: its headers, and one line per event.

use std::fmt::Write;

use conformance::{Case, Disturbed, letter, load, print};
use testbed::fixtures::Source;
use testbed::wire::Value;

use super::Refusal;
use super::doubt::Doubt;
use super::draft::{Draft, Event, Given};

/// What a case says before its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// The promise of the law, without a full stop.
    pub promise: &'a str,
    /// The source of the promise.
    pub spec: &'a str,
    /// Whether the promise is optional.
    pub optional: bool,
    /// The capabilities that a target must have for the requests.
    pub needs: &'a [String],
    /// Comments: where the case comes from.
    pub notes: &'a [String],
}

impl Draft {
    /// The case with its text. `said` are the replies of one plain Redis to the requests whose replies are expected.
    ///
    /// # Errors
    /// The text cannot be read as a case.
    pub fn case(
        &self,
        source: (&str, &str),
        header: &Header<'_>,
        said: &[Value],
    ) -> Result<(Case, String), Refusal> {
        let steps = self.steps(said);
        let first = read(source, header.text("") + &steps)?;
        let disturbs: Vec<&str> = first
            .0
            .disturbing()
            .into_iter()
            .map(Disturbed::name)
            .collect();
        let disturbs = match disturbs.is_empty() {
            true => String::new(),
            false => format!("disturbs {}\n", disturbs.join(" ")),
        };
        read(source, header.text(&disturbs) + &steps)
    }

    fn steps(&self, said: &[Value]) -> String {
        let given = |given: &Given| {
            let (node, key) = (letter(given.node.into()), print::word(&given.key));
            format!("given  {node} {key} = {}\n", print::word(&given.value))
        };
        let mut text: String = self.given.iter().map(given).collect();
        let mut doubt = Doubt::new(self);
        for event in &self.events {
            doubt.pass(event);
            self.event(event, &doubt, said, &mut text);
        }
        text
    }

    fn event(&self, event: &Event, doubt: &Doubt<'_>, said: &[Value], text: &mut String) {
        let client = |place: usize| self.requests[place].client;
        // Writing to a string does not fail.
        let _ = match event {
            Event::Send(places) => places.iter().try_for_each(|place| {
                let words = self.requests[*place].words.iter();
                let words: Vec<String> = words.map(|(_, word)| print::word(word)).collect();
                writeln!(text, "send   @{} {}", client(*place), words.join(" "))
            }),
            Event::Want(places) => places.iter().try_for_each(|place| {
                let said = said.get(*place);
                let wanted = said.map_or("any".to_owned(), |said| doubt.wanted(*place, said));
                writeln!(text, "want   @{} {wanted}", client(*place))
            }),
            Event::Heal { node, .. } => writeln!(text, "heal   {}", letter((*node).into())),
            Event::Fault { node, fault, .. } => {
                writeln!(text, "fault  {} {fault}", letter((*node).into()))
            }
        };
    }
}

impl Header<'_> {
    fn text(&self, disturbs: &str) -> String {
        let mut promise = self.promise.to_owned();
        if let Some(first) = promise.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let notes: String = self
            .notes
            .iter()
            .map(|note| format!("# {note}\n"))
            .collect();
        let level = match self.optional {
            true => "should",
            false => "must",
        };
        let needs = match self.needs {
            [] => String::new(),
            needs => format!("needs  {}\n", needs.join(" ")),
        };
        let spec = self.spec;
        format!("case 1\n# {promise}.\n{notes}spec   {spec}\nlevel  {level}\n{needs}{disturbs}")
    }
}

fn read((path, id): (&str, &str), text: String) -> Result<(Case, String), Refusal> {
    let source = Source {
        path: path.to_owned(),
        id: id.to_owned(),
        text: text.clone(),
    };
    let mut cases = load(&[source]).map_err(|errors| {
        let first = errors.first().map(ToString::to_string);
        Refusal::Unwritable(first.unwrap_or_default())
    })?;
    let case = cases.pop().ok_or(Refusal::NoRequest)?;
    Ok((case, text))
}
