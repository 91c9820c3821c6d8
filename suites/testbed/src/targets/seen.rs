//! The versions of a target's program that were judged, and those that showed a deviation.

use serde::Deserialize;

/// How to find out the version of a program. Without arguments it is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Arguments that make it print the version.
    pub args: Vec<String>,
    /// Text that the output contains for the version that the deviations were seen in; empty if none was judged.
    #[serde(default)]
    pub pinned: String,
    /// The same for other versions that were judged, the oldest first, up to the pinned one.
    #[serde(default)]
    pub earlier: Vec<String>,
}

impl Version {
    /// All judged versions, the oldest first.
    pub fn judged(&self) -> impl Iterator<Item = &str> {
        let earlier = self.earlier.iter().map(String::as_str);
        let pinned = Some(self.pinned.as_str()).filter(|it| !it.is_empty());
        earlier.chain(pinned)
    }

    /// The judged version that an output names.
    #[must_use]
    pub fn named_in(&self, output: &str) -> Option<&str> {
        // The pinned one first: it is the usual one, and its output may name others.
        let pinned = Some(self.pinned.as_str()).filter(|it| !it.is_empty());
        let mut all = pinned
            .into_iter()
            .chain(self.earlier.iter().map(String::as_str));
        all.find(|version| output.contains(version))
    }

    /// The place of a judged version among all.
    fn place(&self, version: &str) -> Option<usize> {
        self.judged().position(|judged| judged == version)
    }
}

/// The versions that showed a deviation: `1.40.0`, or `1.36.4 to 1.39.3` for all judged ones from the first to the last.
/// The default is any version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "String")]
pub struct Seen {
    /// Both are empty for any version.
    first: String,
    last: String,
}

impl From<String> for Seen {
    fn from(text: String) -> Self {
        let (first, last) = text.split_once(" to ").unwrap_or((&text, &text));
        Self {
            first: first.to_owned(),
            last: last.to_owned(),
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.first == self.last {
            true if self.is_any() => f.write_str("any version"),
            true => write!(f, "{}", self.first),
            false => write!(f, "{} to {}", self.first, self.last),
        }
    }
}

impl Seen {
    fn is_any(&self) -> bool {
        self.first.is_empty()
    }

    /// Whether `version` is one of them. A version that was never judged may show every deviation.
    #[must_use]
    pub fn covers(&self, version: &str, versions: &Version) -> bool {
        if self.is_any() {
            return true;
        }
        let Some(place) = versions.place(version) else {
            return true;
        };
        let from = versions.place(&self.first);
        let to = versions.place(&self.last);
        from.zip(to)
            .is_some_and(|(from, to)| (from..=to).contains(&place))
    }

    /// Whether any version is one of both.
    #[must_use]
    pub fn overlaps(&self, other: &Self, versions: &Version) -> bool {
        let mut judged = versions.judged();
        judged.any(|version| self.covers(version, versions) && other.covers(version, versions))
    }

    /// The problem of a text that names versions which were not judged, or in the wrong order.
    pub(super) fn check(&self, versions: &Version) -> Result<(), String> {
        if self.is_any() {
            return Ok(());
        }
        let place = |version: &str| {
            let judged: Vec<&str> = versions.judged().collect();
            let expected = judged.join(", ");
            let expected = match expected.is_empty() {
                true => "version.pinned with it".to_owned(),
                false => format!("one of {expected}"),
            };
            versions
                .place(version)
                .ok_or_else(|| format!("`{version}` was not judged, expected {expected}"))
        };
        let (first, last) = (place(&self.first)?, place(&self.last)?);
        match first <= last {
            true => Ok(()),
            false => Err(format!(
                "`{self}` is in the wrong order, expected the older version first"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions() -> Version {
        Version {
            args: Vec::new(),
            pinned: "1.10.0".to_owned(),
            earlier: ["1.8.2", "1.9.0"].map(str::to_owned).to_vec(),
        }
    }

    fn seen(text: &str) -> Seen {
        Seen::from(text.to_owned())
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let (versions, seen) = (versions(), seen(text));
        assert_eq!(seen.check(&versions), Ok(()));
        assert_eq!(seen.to_string(), text);
        let covered = versions.judged().filter(|it| seen.covers(it, &versions));
        assert_eq!(covered.collect::<Vec<_>>(), expected, "{text}");
        assert!(
            seen.covers("2.0", &versions),
            "a version that was not judged"
        );
    }

    #[test]
    fn a_range_covers_the_versions_between_its_ends() {
        check("1.10.0", &["1.10.0"]);
        check("1.8.2", &["1.8.2"]);
        check("1.8.2 to 1.9.0", &["1.8.2", "1.9.0"]);
        check("1.8.2 to 1.10.0", &["1.8.2", "1.9.0", "1.10.0"]);
    }

    #[test]
    fn ranges_overlap_in_a_version_of_both() {
        let versions = versions();
        let overlaps = |one, other| seen(one).overlaps(&seen(other), &versions);
        assert!(overlaps("1.8.2 to 1.9.0", "1.9.0 to 1.10.0"));
        assert!(!overlaps("1.8.2 to 1.9.0", "1.10.0"));
    }

    #[test]
    fn unknown_versions_and_a_wrong_order_are_errors() {
        let why = |text| seen(text).check(&versions()).unwrap_err();
        assert_eq!(
            why("1.7.0"),
            "`1.7.0` was not judged, expected one of 1.8.2, 1.9.0, 1.10.0"
        );
        assert_eq!(
            why("1.10.0 to 1.9.0"),
            "`1.10.0 to 1.9.0` is in the wrong order, expected the older version first"
        );
    }

    #[test]
    fn an_output_names_the_version() {
        let named = |output| versions().named_in(output).map(str::to_owned);
        assert_eq!(
            named("proxy version: 6eb0/1.9.0/Clean"),
            Some("1.9.0".to_owned())
        );
        assert_eq!(
            named("proxy version: 6eb0/1.10.0/Clean"),
            Some("1.10.0".to_owned())
        );
        assert_eq!(named("proxy version: 6eb0/1.7.0/Clean"), None);
    }
}
