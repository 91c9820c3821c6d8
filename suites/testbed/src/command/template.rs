//! A command of the operator: words with placeholders, split as a shell does.
//!
//! Pure. Never a shell: placeholders are filled in after the text was split, so no value can add a word or a command.

/// The text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// Quotes.
    #[error("a quote is not closed, or a backslash ends the text")]
    Quotes,
    /// No word.
    #[error("it is empty, expected a command")]
    Empty,
}

/// A command with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    text: String,
    words: Vec<Vec<Piece>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(String),
}

impl Template {
    /// Splits a text as a shell does.
    pub(crate) fn split(text: &str) -> Result<Self, Mistake> {
        let words = shlex::split(text).ok_or(Mistake::Quotes)?;
        match words.is_empty() {
            true => Err(Mistake::Empty),
            false => Ok(Self {
                text: text.to_owned(),
                words: words.iter().map(|word| pieces(word)).collect(),
            }),
        }
    }

    /// As it was given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The names of its placeholders.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.words.iter().flatten().filter_map(|piece| match piece {
            Piece::Placeholder(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Whether it has a placeholder.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// The same with a placeholder as its last word, unless it has it.
    pub(crate) fn ending_with(mut self, name: &str) -> Self {
        if !self.has(name) {
            self.words.push(vec![Piece::Placeholder(name.to_owned())]);
        }
        self
    }

    /// The program and its arguments, with the value of each placeholder by its name.
    pub(crate) fn words(&self, value: &dyn Fn(&str) -> String) -> Vec<String> {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(name) => value(name),
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
