//! Comparison of the proxy's answers with the placement, and the amount of evidence.

use schemars::JsonSchema;
use serde::Serialize;

use super::examples::add_examples;

/// Keys that must show that the proxy asks their node. Another placement over two nodes passes once in a thousand times.
const ENOUGH: u64 = 10;
/// Keys that must show the rule for hash tags, if any depend on it. One refutes another rule; the others allow for keys
/// that come and go.
const ENOUGH_TAGGED: u64 = 3;

/// Comparison of the proxy's answers with the placement.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Probed {
    /// Keys that the proxy finds if they are kept, and does not find if they are unreachable.
    pub agree: u64,
    /// Other keys: the proxy does not place them as described.
    pub differ: u64,
    /// Examples.
    pub examples: Vec<String>,
    /// Keys that the proxy finds and that only their right node has. Each proves that the proxy asks that node. At most
    /// a few hundred are counted per node.
    pub shown: u64,
    /// Keys whose node depends on the rule for hash tags.
    pub tagged: u64,
    /// Keys whose answer proves that the proxy has the described rule for hash tags.
    pub tagged_shown: u64,
    /// Keys that were written through the proxy and found on their right node only.
    pub written: u64,
}

impl Probed {
    pub(in crate::fleet) fn add(&mut self, other: Self) {
        self.agree += other.agree;
        self.differ += other.differ;
        add_examples(&mut self.examples, other.examples);
        self.shown += other.shown;
        self.tagged += other.tagged;
        self.tagged_shown += other.tagged_shown;
        self.written += other.written;
    }

    pub(in crate::fleet) fn differs(&mut self, example: String) {
        self.differ += 1;
        add_examples(&mut self.examples, vec![example]);
    }

    /// The missing proof that the proxy places keys as described. Keys that differ are reported separately.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        let shown = self.shown + self.written;
        if shown < ENOUGH {
            return Some(format!(
                "{shown} keys show that the proxy asks their node, and {ENOUGH} are needed"
            ));
        }
        let needed = self.tagged.min(ENOUGH_TAGGED);
        (self.tagged_shown < needed).then(|| {
            format!(
                "the node of {} keys depends on the rule for hash tags, and {} of them show the proxy's rule, where {needed} \
                 are needed",
                self.tagged, self.tagged_shown
            )
        })
    }
}
