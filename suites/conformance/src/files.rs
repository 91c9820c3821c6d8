//! The files of this crate that are compiled in: cases and the sheets of the command matrix.

use include_dir::{Dir, include_dir};
use testbed::fixtures::{Error, Fixtures, Source};

static CASES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/conformance");
static SHEETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/matrix");

/// All case files, sorted by id.
///
/// # Errors
/// The file that cannot be read.
pub fn cases(fixtures: &Fixtures) -> Result<Vec<Source>, Error> {
    fixtures.all("conformance", &CASES, "case")
}

/// The case files and sheets of the user's folder that replace files of this build.
///
/// # Errors
/// The file that cannot be read.
pub fn replacing(fixtures: &Fixtures) -> Result<Vec<Source>, Error> {
    let mut files = fixtures.replacing("conformance", &CASES, "case")?;
    files.extend(fixtures.replacing("matrix", &SHEETS, "txt")?);
    Ok(files)
}

/// The sheets of the command matrix, sorted by id.
///
/// # Errors
/// The file that cannot be read.
pub fn sheets(fixtures: &Fixtures) -> Result<Vec<Source>, Error> {
    fixtures.all("matrix", &SHEETS, "txt")
}
