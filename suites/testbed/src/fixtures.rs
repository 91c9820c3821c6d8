//! Where cases and target files come from: compiled in, and a folder of the user that adds to them.

use std::fs;
use std::io;
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

    /// The fixtures of this build and those below `folder`, laid out as `fixtures/` is. A file there replaces the one of
    /// this build with the same name.
    #[must_use]
    pub fn with(folder: PathBuf) -> Self {
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
        let mut sources = self.own(name, ending)?;
        let mut built_in = Vec::new();
        unpack(compiled_in, name, ending, &mut built_in)?;
        built_in.retain(|source| !sources.iter().any(|own| own.id == source.id));
        sources.extend(built_in);
        sources.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(sources)
    }

    /// The files of the user's folder that replace files of the folder `name` in this build.
    ///
    /// # Errors
    /// The file that cannot be read.
    pub fn replacing(
        &self,
        name: &str,
        compiled_in: &Dir<'_>,
        ending: &str,
    ) -> Result<Vec<Source>, Error> {
        let mut built_in = Vec::new();
        unpack(compiled_in, name, ending, &mut built_in)?;
        let mut own = self.own(name, ending)?;
        own.retain(|source| built_in.iter().any(|it| it.id == source.id));
        Ok(own)
    }

    /// The target files of the user's folder that replace files of this build.
    ///
    /// # Errors
    /// The file that cannot be read.
    pub fn replacing_targets(&self) -> Result<Vec<Source>, Error> {
        self.replacing("targets", &TARGETS, "toml")
    }

    /// The files of the user's folder; none where it has no folder `name`.
    fn own(&self, name: &str, ending: &str) -> Result<Vec<Source>, Error> {
        let mut sources = Vec::new();
        if let Some(folder) = self.folder.as_ref().map(|folder| folder.join(name)) {
            match fs::metadata(&folder) {
                Err(why) if why.kind() == io::ErrorKind::NotFound => {}
                _ => read_below(&folder, &folder, ending, &mut sources)?,
            }
        }
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// The targets with a folder that has `files`, and the ids of those that it replaces.
    fn targets(files: &[&str]) -> (Vec<Source>, Vec<String>) {
        let folder = TempDir::new().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "of the user").unwrap();
        }
        let fixtures = Fixtures::with(folder.path().to_owned());
        let replacing = fixtures.replacing_targets().unwrap().into_iter();
        let ids = replacing.map(|source| source.id).collect();
        (fixtures.targets().unwrap(), ids)
    }

    #[test]
    fn a_folder_adds_to_the_built_in_files_and_replaces_those_of_its_names() {
        let built_in = Fixtures::compiled_in().targets().unwrap();
        let (with, replacing) = targets(&["conformance/a/b.case"]);
        assert_eq!(with, built_in);
        assert_eq!(replacing, Vec::<String>::new());
        let id = &built_in[0].id;
        let (with, replacing) = targets(&["targets/aa.toml", &format!("targets/{id}.toml")]);
        assert_eq!(replacing, [id.as_str()]);
        assert_eq!(with.len(), built_in.len() + 1);
        assert!(with.is_sorted_by(|one, other| one.id < other.id));
        for source in &with {
            let own = source.text == "of the user";
            assert_eq!(own, source.id == "aa" || source.id == *id, "{}", source.id);
        }
    }
}
