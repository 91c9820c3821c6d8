//! The command of a hook: words with placeholders, split as a shell does.
//!
//! Pure. Never a shell: placeholders are filled in after the text was split, so no value can add a word or a command.

use std::fmt;
use std::str::FromStr;

/// What a hook is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// To put a fault in force.
    Apply,
    /// To end it.
    Heal,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apply => "apply",
            Self::Heal => "heal",
        })
    }
}

/// The values of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Values<'a> {
    pub(super) action: Action,
    pub(super) fault: &'a str,
    pub(super) kind: &'a str,
    pub(super) on: &'a str,
    pub(super) node: &'a str,
}

impl Values<'_> {
    /// The value of a placeholder, by its name without braces.
    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "action" => self.action.to_string(),
            "fault" => self.fault.to_owned(),
            "kind" => self.kind.to_owned(),
            "on" => self.on.to_owned(),
            "node" => self.node.to_owned(),
            _ => return None,
        })
    }
}

const PLACEHOLDERS: &[&str] = &["action", "fault", "kind", "on", "node"];

/// The text is no command of a hook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Quotes.
    #[error("a quote is not closed, or a backslash ends the text")]
    Quotes,
    /// No word.
    #[error("it is empty, expected a command")]
    Empty,
    /// A name in braces.
    #[error("{{{0}}} is unknown, expected {{action}}, {{fault}}, {{kind}}, {{on}} or {{node}}")]
    Unknown(String),
    /// The command could not tell faults or nodes apart.
    #[error("expected {{fault}} or {{kind}}, and {{node}} or {{on}}")]
    Blind,
}

/// A command with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    words: Vec<Vec<Piece>>,
}

/// As it was given.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(String),
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let words = shlex::split(text).ok_or(TemplateError::Quotes)?;
        let mut template = Self {
            text: text.to_owned(),
            words: words.iter().map(|word| pieces(word)).collect(),
        };
        template.check()?;
        if !template.has("action") {
            let action = Piece::Placeholder("action".to_owned());
            template.words.push(vec![action]);
        }
        Ok(template)
    }
}

impl Template {
    fn check(&self) -> Result<(), TemplateError> {
        if self.words.is_empty() {
            return Err(TemplateError::Empty);
        }
        let unknown = self
            .names()
            .find(|name| !PLACEHOLDERS.contains(&name.as_str()));
        if let Some(name) = unknown {
            return Err(TemplateError::Unknown(name.clone()));
        }
        let either = |one, other| self.has(one) || self.has(other);
        match either("fault", "kind") && either("node", "on") {
            true => Ok(()),
            false => Err(TemplateError::Blind),
        }
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.words.iter().flatten().filter_map(|piece| match piece {
            Piece::Placeholder(name) => Some(name),
            Piece::Text(_) => None,
        })
    }

    fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// The program and its arguments for one call.
    pub(super) fn words(&self, values: &Values<'_>) -> Vec<String> {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(name) => values.value(name).unwrap_or_default(),
        };
        let word = |pieces: &Vec<Piece>| pieces.iter().map(text).collect();
        self.words.iter().map(word).collect()
    }
}

/// Takes a word apart. Only lower-case letters between braces are a placeholder, so that JSON stays text.
fn pieces(word: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut text, mut rest) = (String::new(), word);
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let name = after.split_once('}').map(|(name, _)| name);
        let is_name = |name: &&str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        match name.filter(is_name) {
            Some(name) => {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Placeholder(name.to_owned()));
                rest = &after[name.len() + 1..];
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    pieces.push(Piece::Text(text));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> = Values {
        action: Action::Apply,
        fault: "latency 60ms jitter 30ms",
        kind: "latency",
        on: "B",
        node: "127.0.0.1:7002",
    };

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let template: Template = text.parse().unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(template.words(&VALUES), expected, "{text}");
    }

    #[track_caller]
    fn refused(text: &str, expected: &TemplateError) {
        assert_eq!(text.parse::<Template>().as_ref(), Err(expected), "{text}");
    }

    #[test]
    fn a_value_is_one_word_whatever_it_contains() {
        let fault = "latency 60ms jitter 30ms";
        check(
            "./hook {action} {fault} {node}",
            &["./hook", "apply", fault, "127.0.0.1:7002"],
        );
        let injected = Values {
            node: "a'; rm -rf / #{fault}",
            ..VALUES
        };
        let template: Template = "hook {action} {kind} 'on {node}'".parse().unwrap();
        let words = template.words(&injected);
        assert_eq!(
            words,
            ["hook", "apply", "latency", "on a'; rm -rf / #{fault}"]
        );
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        check(
            r#"sh -c 'echo "$1" "$2"' hook {action} {kind}-{on}.yaml two\ words ''"#,
            &[
                "sh",
                "-c",
                r#"echo "$1" "$2""#,
                "hook",
                "apply",
                "latency-B.yaml",
                "two words",
                "",
            ],
        );
    }

    #[test]
    fn without_its_placeholder_the_action_comes_last() {
        check("hook {kind} {on}", &["hook", "latency", "B", "apply"]);
    }

    #[test]
    fn braces_that_hold_no_name_are_text() {
        check(
            r#"hook {action} {kind} {on} '{"spec":{}}' -o=jsonpath={.items} {"#,
            &[
                "hook",
                "apply",
                "latency",
                "B",
                r#"{"spec":{}}"#,
                "-o=jsonpath={.items}",
                "{",
            ],
        );
    }

    #[test]
    fn what_no_fault_can_be_told_by_is_refused() {
        refused("", &TemplateError::Empty);
        refused("hook 'a {fault} {node}", &TemplateError::Quotes);
        refused(
            "hook {fault} {nodes}",
            &TemplateError::Unknown("nodes".to_owned()),
        );
        refused("hook {action} {fault}", &TemplateError::Blind);
        refused("hook {action} {node}", &TemplateError::Blind);
    }

    #[test]
    fn every_placeholder_has_a_value() {
        for name in PLACEHOLDERS {
            assert!(VALUES.value(name).is_some(), "{name}");
        }
        let all = TemplateError::Unknown(String::new()).to_string();
        for name in PLACEHOLDERS {
            assert!(all.contains(&format!("{{{name}}}")), "{all}");
        }
    }
}
