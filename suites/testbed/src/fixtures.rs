//! Where cases and target files come from: compiled in, or a folder of the user.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

static TARGETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/targets");

/// The laws that the suite runs by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fixtures {
    folder: Option<PathBuf>,
}

/// One file of the fixtures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path for messages.
    pub path: String,
    /// Path below its folder without the ending: the id of the file.
    pub id: String,
    /// Its content.
    pub text: String,
}

/// A fixture cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct Error {
    path: String,
    why: String,
}

impl Fixtures {
    /// The fixtures of this build.
    #[must_use]
    pub fn compiled_in() -> Self {
        Self::default()
    }

    /// The fixtures below `folder`, laid out as `fixtures/` is.
    #[must_use]
    pub fn below(folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
        }
    }

    /// All target files, sorted by id.
    ///
    /// # Errors
    /// The file that cannot be read.
    pub fn targets(&self) -> Result<Vec<Source>, Error> {
        self.all("targets", &TARGETS, "toml")
    }

    /// All files of the folder `name` with this ending, sorted by id; `compiled_in` is that folder in this build.
    ///
    /// # Errors
    /// The file that cannot be read.
    pub fn all(
        &self,
        name: &str,
        compiled_in: &Dir<'_>,
        ending: &str,
    ) -> Result<Vec<Source>, Error> {
        let mut sources = Vec::new();
        match &self.folder {
            Some(folder) => {
                read_below(&folder.join(name), &folder.join(name), ending, &mut sources)?
            }
            None => unpack(compiled_in, name, ending, &mut sources)?,
        }
        sources.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(sources)
    }
}

fn unpack(
    folder: &Dir<'_>,
    name: &str,
    ending: &str,
    sources: &mut Vec<Source>,
) -> Result<(), Error> {
    for file in folder.files().filter(|file| has(file.path(), ending)) {
        let path = format!("fixtures/{name}/{}", file.path().display());
        let text = file.contents_utf8().ok_or_else(|| Error {
            path: path.clone(),
            why: "not UTF-8".to_owned(),
        })?;
        sources.push(Source {
            id: id(file.path()),
            path,
            text: text.to_owned(),
        });
    }
    folder
        .dirs()
        .try_for_each(|inner| unpack(inner, name, ending, sources))
}

fn read_below(
    root: &Path,
    folder: &Path,
    ending: &str,
    sources: &mut Vec<Source>,
) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |why: std::io::Error| Error {
            path,
            why: why.to_string(),
        }
    };
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        if path.is_dir() {
            read_below(root, &path, ending, sources)?;
        } else if has(&path, ending) {
            sources.push(Source {
                id: id(path.strip_prefix(root).unwrap_or(&path)),
                text: fs::read_to_string(&path).map_err(failed(&path))?,
                path: path.display().to_string(),
            });
        }
    }
    Ok(())
}

fn has(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

fn id(path: &Path) -> String {
    path.with_extension("").display().to_string()
}
