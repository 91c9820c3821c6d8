//! The table of laws, and every law on a double that breaks only it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::LAWS;

/// Files of the folder that are no laws.
const SHARED: &[&str] = &["findings", "mod", "tests", "text", "verdict"];

#[test]
fn every_law_is_one_file_and_one_row() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/law");
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let files = fs::read_dir(folder).unwrap();
    let stems: BTreeSet<String> = files.map(|file| stem(&file.unwrap().path())).collect();
    let laws = stems.iter().filter(|stem| !SHARED.contains(&stem.as_str()));
    let laws: BTreeSet<String> = laws.map(|stem| stem.replace('_', "-")).collect();
    let rows: Vec<String> = LAWS.iter().map(|law| law.id().to_owned()).collect();
    assert_eq!(rows.iter().cloned().collect::<BTreeSet<_>>(), laws);
    assert_eq!(rows.len(), laws.len(), "a law has two rows: {rows:?}");
}
