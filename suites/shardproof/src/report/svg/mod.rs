//! Pictures as SVG. Colours are classes, which the page gives for light and dark.
//!
//! One file computes where everything is, and one in `templates/` draws it, with every text escaped.

pub(super) mod bars;
pub(super) mod flow;
pub(super) mod heat;
pub(super) mod lines;
pub(super) mod sequence;
pub(super) mod timeline;

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;

/// An `svg` element. The only text that a page treats as markup.
#[derive(Debug)]
pub(super) struct Picture(String);

impl Picture {
    fn new(drawing: &impl Template) -> Self {
        Self(drawing.to_string())
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl HtmlSafe for Picture {}

/// At most `length` characters, with a mark if some are left out.
fn cut(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}
