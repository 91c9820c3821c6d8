//! Both sides of one broken promise, as `evidence.html` shows them.

use crate::report::svg::Picture;
use crate::report::svg::sequence::sequence;
use crate::report::terminal::lines;
use conformance::verdict::Evidence;

/// The fields of the template.
pub(super) struct Shown<'a> {
    pub(super) at: &'a str,
    pub(super) expected: &'a str,
    pub(super) got: &'a str,
    pub(super) picture: Option<Picture>,
    pub(super) transcript: String,
    pub(super) repeat: String,
}

impl<'a> Shown<'a> {
    /// With a picture of the transcript.
    pub(super) fn new(evidence: &'a Evidence, repeat: String) -> Self {
        Self {
            picture: Some(sequence(&evidence.transcript)),
            ..Self::without_picture(evidence, repeat)
        }
    }

    /// As text only.
    pub(super) fn without_picture(evidence: &'a Evidence, repeat: String) -> Self {
        let lines: Vec<String> = lines(evidence).collect();
        Self {
            at: &evidence.at,
            expected: &evidence.expected,
            got: &evidence.got,
            picture: None,
            transcript: lines.join("\n"),
            repeat,
        }
    }
}
