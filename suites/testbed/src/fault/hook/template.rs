//! The command of a hook, and the placeholders that it can have.
//!
//! Pure.

use std::fmt;
use std::str::FromStr;

use crate::command::{self, Mistake};

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
    /// The words.
    #[error(transparent)]
    Words(#[from] Mistake),
    /// A name in braces.
    #[error("{{{0}}} is unknown, expected {{action}}, {{fault}}, {{kind}}, {{on}} or {{node}}")]
    Unknown(String),
    /// The command could not tell faults or nodes apart.
    #[error("expected {{fault}} or {{kind}}, and {{node}} or {{on}}")]
    Blind,
}

/// A command with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(command::Template);

/// As it was given.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.text())
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let command = command::Template::split(text)?;
        if let Some(name) = command.names().find(|name| !PLACEHOLDERS.contains(name)) {
            return Err(TemplateError::Unknown(name.to_owned()));
        }
        let either = |one, other| command.has(one) || command.has(other);
        match either("fault", "kind") && either("node", "on") {
            true => Ok(Self(command.ending_with("action"))),
            false => Err(TemplateError::Blind),
        }
    }
}

impl Template {
    /// The program and its arguments for one call.
    pub(super) fn words(&self, values: &Values<'_>) -> Vec<String> {
        self.0.words(&|name| values.value(name).unwrap_or_default())
    }
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
        refused("", &Mistake::Empty.into());
        refused("hook 'a {fault} {node}", &Mistake::Quotes.into());
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
