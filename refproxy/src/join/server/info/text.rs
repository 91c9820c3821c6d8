//! The text of INFO: its sections and fields.

use std::collections::{BTreeMap, BTreeSet};

/// One node's text: its sections in order, and its fields by name.
pub(super) struct NodeInfo<'a> {
    sections: Vec<(&'a str, Vec<&'a str>)>,
    /// Each with its values; more than one if the name repeats, as that of modules does.
    fields: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> NodeInfo<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let mut info = Self {
            sections: Vec::new(),
            fields: BTreeMap::new(),
        };
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("# ") {
                info.sections.push((name, Vec::new()));
            } else if let Some((name, value)) = line.split_once(':') {
                if let Some((_, names)) = info.sections.last_mut() {
                    names.push(name);
                }
                info.fields.entry(name).or_default().push(value);
            }
        }
        info
    }

    pub(super) fn values(&self, name: &str) -> &[&'a str] {
        self.fields.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value of a field whose name does not repeat.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).last().copied()
    }
}

/// All sections in the order of the first node that has them, each with its fields.
pub(super) fn sections<'a>(infos: &[&NodeInfo<'a>]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    // Clients can add names by errors, so there may be many.
    let mut seen = BTreeSet::new();
    for (section, names) in infos.iter().flat_map(|info| &info.sections) {
        let place = sections.iter().position(|(known, _)| known == section);
        let place = place.unwrap_or_else(|| {
            sections.push((section, Vec::new()));
            sections.len() - 1
        });
        for name in names {
            if seen.insert((place, *name)) {
                sections[place].1.push(name);
            }
        }
    }
    sections
}

/// One character per byte. Clients create some of the names, with any bytes, and each must come out unchanged.
pub(super) fn widened(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of a widened text.
pub(super) fn narrowed(text: &str) -> Vec<u8> {
    let bytes = text.chars().map(u8::try_from);
    bytes.filter_map(Result::ok).collect()
}
