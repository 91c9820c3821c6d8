//! The answers of a probe: the model of every report on it.

use schemars::JsonSchema;
use serde::Serialize;

/// Which capabilities a proxy offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Probe {
    /// `shardproof.probe/1`
    pub format: &'static str,
    /// Seed that repeats the run.
    pub seed: String,
    /// Name of the target, or address of a running proxy.
    pub proxy: String,
    /// The line of a target file: capabilities that are offered, and claimed ones that no request shows.
    pub capabilities: Vec<String>,
    /// Capabilities that the target file claims and the proxy does not offer.
    pub claimed_not_offered: Vec<String>,
    /// Capabilities that the proxy offers and the target file does not claim. Empty for a running proxy.
    pub offered_not_claimed: Vec<String>,
    /// Every capability, sorted by name.
    pub found: Vec<Found>,
}

/// One capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Found {
    /// Its name.
    pub capability: String,
    /// Whether the proxy offers it.
    pub offered: Offered,
    /// The request and its answer, or why nothing was asked. Absent if it is offered.
    pub why: Option<String>,
}

/// Whether a proxy offers a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Offered {
    /// It accepts the requests. Cases judge whether it answers them right.
    Yes,
    /// It does not.
    No,
    /// No harmless request shows it.
    Unknown,
}

impl Probe {
    /// A report of the answers; `claims` are those of a target file.
    #[must_use]
    pub fn new(seed: u64, proxy: String, mut found: Vec<Found>, claims: Option<&[String]>) -> Self {
        found.sort_by(|one, other| one.capability.cmp(&other.capability));
        let claimed = |found: &&Found| claims.is_some_and(|it| it.contains(&found.capability));
        let names = |keep: &dyn Fn(&&Found) -> bool| -> Vec<String> {
            let kept = found.iter().filter(|found| keep(found));
            kept.map(|found| found.capability.clone()).collect()
        };
        Self {
            format: "shardproof.probe/1",
            seed: format!("{seed:x}"),
            proxy,
            capabilities: names(&|found| match found.offered {
                Offered::Yes => true,
                Offered::No => false,
                Offered::Unknown => claimed(found),
            }),
            claimed_not_offered: names(&|it| it.offered == Offered::No && claimed(it)),
            offered_not_claimed: names(&|it| {
                claims.is_some() && it.offered == Offered::Yes && !claimed(it)
            }),
            found,
        }
    }

    /// Whether the proxy offers all that is claimed.
    #[must_use]
    pub fn as_claimed(&self) -> bool {
        self.claimed_not_offered.is_empty()
    }

    /// Why a capability is not offered, if it is not.
    #[must_use]
    pub fn lacks(&self, capability: &str) -> Option<&str> {
        let mut found = self.found.iter();
        let found = found.find(|found| found.capability == capability)?;
        (found.offered == Offered::No).then(|| found.why.as_deref().unwrap_or_default())
    }

    /// The line of a target file, wrapped at 100 columns.
    #[must_use]
    pub fn toml(&self) -> String {
        let mut text = "capabilities = [".to_owned();
        let mut width = usize::MAX;
        for name in &self.capabilities {
            let word = format!("\"{name}\",");
            if width.saturating_add(word.len() + 1) > 100 {
                text.push_str("\n   ");
                width = 3;
            }
            width += word.len() + 1;
            text.push(' ');
            text.push_str(&word);
        }
        if !self.capabilities.is_empty() {
            text.push('\n');
        }
        text + "]\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(claims: Option<&[&str]>) -> Probe {
        let found = [
            ("echo", Offered::Yes),
            ("eject", Offered::Unknown),
            ("time", Offered::No),
        ];
        let found = found.map(|(name, offered)| Found {
            capability: name.to_owned(),
            offered,
            why: None,
        });
        let claims: Option<Vec<String>> =
            claims.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        Probe::new(1, "x".to_owned(), found.to_vec(), claims.as_deref())
    }

    #[test]
    fn claims_are_compared_with_what_is_offered() {
        let exact = probe(Some(&["echo", "eject"]));
        assert!(exact.as_claimed());
        assert_eq!(exact.capabilities, ["echo", "eject"]);
        let more = probe(Some(&["echo", "time"]));
        assert!(!more.as_claimed());
        assert_eq!(more.claimed_not_offered, ["time"]);
        assert_eq!(more.capabilities, ["echo"]);
        let less = probe(Some(&[]));
        assert!(less.as_claimed());
        assert_eq!(less.offered_not_claimed, ["echo"]);
        let running = probe(None);
        assert!(running.as_claimed() && running.offered_not_claimed.is_empty());
        assert_eq!(running.lacks("time"), Some(""));
        assert_eq!(running.lacks("eject"), None);
    }

    #[test]
    fn the_list_is_toml() {
        let mut all = probe(None);
        assert_eq!(all.toml(), "capabilities = [\n    \"echo\",\n]\n");
        all.capabilities = (10..40)
            .map(|number| format!("capability-{number}"))
            .collect();
        let text = all.toml();
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        assert_eq!(text.matches("capability-").count(), 30);
        all.capabilities.clear();
        assert_eq!(all.toml(), "capabilities = []\n");
    }
}
