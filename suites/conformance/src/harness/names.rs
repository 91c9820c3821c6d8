//! The names of keys in evidence: `$a1`, as in the case, in the place of a key of forty random letters.

use std::collections::BTreeMap;

use crate::cases::word::Scope;
use crate::verdict::Line;

/// The keys of one run of a case, with their names.
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    pub(crate) fn of(scope: &Scope) -> Self {
        let named = scope.keys.iter().map(|(variable, key)| {
            let key = String::from_utf8_lossy(key).into_owned();
            (variable.to_string(), key)
        });
        Self(named.collect())
    }

    /// The text with names in the place of keys.
    pub(crate) fn shown(&self, text: &str) -> String {
        let named = |text: String, (name, key): &(String, String)| text.replace(key, name);
        self.0.iter().fold(text.to_owned(), named)
    }

    /// A transcript with names in the place of keys.
    pub(crate) fn in_all(&self, mut transcript: Vec<Line>) -> Vec<Line> {
        for line in &mut transcript {
            line.text = self.shown(&line.text);
        }
        transcript
    }

    /// The keys by their names.
    pub(crate) fn keys(&self) -> BTreeMap<String, String> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::word::Variable;

    #[test]
    fn keys_have_the_names_of_the_case() {
        let variable = |node| Variable {
            node: Some(node),
            moved: None,
            number: 1,
        };
        let scope = Scope {
            keys: [
                (variable(0), b"sp-1-0a".to_vec()),
                (variable(1), b"sp-1-0b".to_vec()),
            ]
            .into(),
            ..Scope::default()
        };
        let names = Names::of(&scope);
        assert_eq!(
            names.shown("MGET sp-1-0a {sp-1-0b}:x sp-1-0c"),
            "MGET $a1 {$b1}:x sp-1-0c"
        );
        assert_eq!(names.keys()["$b1"], "sp-1-0b");
    }
}
