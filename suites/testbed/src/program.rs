//! Location of a program: by environment variable, then next to our own executable, then on PATH.
//!
//! Never reads the environment itself: a main passes it in.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A program that the suite starts. In a file, its name alone or a table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(from = "Written")]
pub struct Program {
    /// File name, such as `redis-server`, which is searched; or a path.
    pub name: String,
    /// Environment variable that may hold its path.
    pub env: String,
    /// How to install it.
    pub install: String,
    /// The package of this workspace that builds it, if one does.
    pub package: Option<String>,
}

/// A program in a file.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    Table {
        name: String,
        env: Option<String>,
        install: Option<String>,
        package: Option<String>,
    },
}

impl From<Written> for Program {
    fn from(written: Written) -> Self {
        let (name, env, install, package) = match written {
            Written::Name(name) => (name, None, None, None),
            Written::Table {
                name,
                env,
                install,
                package,
            } => (name, env, install, package),
        };
        let or = |text: Option<String>, default: &str| text.unwrap_or_else(|| default.to_owned());
        Self {
            env: env.unwrap_or_else(|| variable(&name)),
            install: or(install, "install it, or set the variable"),
            name,
            package,
        }
    }
}

/// The variable that may hold the path of a program: `SHARDPROOF_MY_PROXY`.
fn variable(program: &str) -> String {
    let file = program.rsplit('/').next().unwrap_or(program);
    let word = |char: char| match char.is_ascii_alphanumeric() {
        true => char.to_ascii_uppercase(),
        false => '_',
    };
    format!("SHARDPROOF_{}", file.chars().map(word).collect::<String>())
}

impl Program {
    /// The same program; a path is taken from `folder`.
    #[must_use]
    pub fn found_from(self, folder: &Path) -> Self {
        match self.is_path() {
            false => self,
            true => Self {
                name: folder.join(&self.name).display().to_string(),
                ..self
            },
        }
    }

    fn is_path(&self) -> bool {
        self.name.contains('/')
    }

    /// Redis' own server, the node of every cluster that the suite starts.
    #[must_use]
    pub fn redis_server() -> Self {
        Self {
            name: "redis-server".to_owned(),
            env: "SHARDPROOF_REDIS_SERVER".to_owned(),
            install: "install Debian's package redis-server, or run `make setup`".to_owned(),
            package: None,
        }
    }

    /// Servers newer than Debian's Redis, which a cluster can be made of in its place: Redis 8 and Valkey.
    #[must_use]
    pub fn newer_servers() -> [Self; 2] {
        ["redis-8", "valkey"].map(|name| Self {
            name: format!("{name}-server"),
            env: format!(
                "SHARDPROOF_{}_SERVER",
                name.to_uppercase().replace('-', "_")
            ),
            install: "run `make servers`".to_owned(),
            package: None,
        })
    }
}

/// The program was not found. Says where it was searched and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// It is in none of the places.
    #[error("program `{}` is neither in ${}, nor next to this executable, nor on PATH: {}", .0.name, .0.env, .0.install)]
    Everywhere(Box<Program>),
    /// It has a path, at which no program is.
    #[error("`{}` is no program, and ${} is not set: {}", .0.name, .0.env, .0.install)]
    Path(Box<Program>),
    /// The environment variable names something else.
    #[error("${env} is {}, expected the path of a program", .path.display())]
    NoProgram {
        /// The variable.
        env: String,
        /// Its value.
        path: PathBuf,
    },
}

/// The places to look in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    own_folders: Vec<PathBuf>,
    variables: HashMap<OsString, OsString>,
    path: Vec<PathBuf>,
}

impl Search {
    /// The places that the executable of this process and its environment name.
    ///
    /// Cargo puts test binaries into `deps/` below the programs, and peers are installed into `peers/bin` next to the
    /// build profiles: both are searched.
    #[must_use]
    pub fn new(
        executable: &Path,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let folders = executable.ancestors().skip(1);
        let own_folders = folders
            .clone()
            .take(2)
            .map(Path::to_owned)
            .chain(folders.take(3).map(|folder| folder.join("peers/bin")))
            .collect();
        let variables: HashMap<_, _> = variables.into_iter().collect();
        // Daemons of Debian live in /usr/sbin, which an ordinary user's PATH leaves out.
        let path = variables
            .get(&OsString::from("PATH"))
            .map(|path| env::split_paths(path).collect())
            .unwrap_or_else(Vec::new)
            .into_iter()
            .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
            .collect();
        Self {
            own_folders,
            variables,
            path,
        }
    }

    /// The environment variable `name`, if it is set to text.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        let value = self.variables.get(&OsString::from(name))?;
        value.to_str().map(str::to_owned)
    }

    /// The same places, but nodes are made of this server.
    #[must_use]
    pub fn with_server(mut self, path: PathBuf) -> Self {
        let variable = Program::redis_server().env.into();
        self.variables.insert(variable, path.into());
        self
    }

    /// The path of `program`.
    ///
    /// # Errors
    /// [`Missing`], also when the environment variable names a file that is not executable.
    pub fn find(&self, program: &Program) -> Result<PathBuf, Missing> {
        let named = self.variables.get(&OsString::from(&program.env));
        // Empty is as good as absent.
        if let Some(path) = named.filter(|path| !path.is_empty()).map(PathBuf::from) {
            return match is_program(&path) {
                true => Ok(path),
                false => Err(Missing::NoProgram {
                    env: program.env.clone(),
                    path,
                }),
            };
        }
        if program.is_path() {
            // Absolute, because a proxy is started in a folder of its own.
            let path = std::path::absolute(&program.name).ok();
            let found = path.filter(|path| is_program(path));
            return found.ok_or_else(|| Missing::Path(Box::new(program.clone())));
        }
        in_folders(&self.own_folders, program)
            .or_else(|| in_folders(&self.path, program))
            .ok_or_else(|| Missing::Everywhere(Box::new(program.clone())))
    }
}

fn in_folders(folders: &[PathBuf], program: &Program) -> Option<PathBuf> {
    folders
        .iter()
        .map(|folder| folder.join(&program.name))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    /// Looks for `sh`, with the variable set to `named`.
    #[track_caller]
    fn check(own: &Path, named: Option<&str>, expected: Result<&str, &str>) {
        let program = Program {
            name: "sh".to_owned(),
            env: "SOME_SHELL".to_owned(),
            install: "it is everywhere".to_owned(),
            package: None,
        };
        let path = ("PATH".into(), "/bin".into());
        let named = named.map(|named| ("SOME_SHELL".into(), named.into()));
        let search = Search::new(own, named.into_iter().chain([path]));
        let found = search.find(&program);
        let found = found
            .as_ref()
            .map(|path| path.to_str().unwrap())
            .map_err(ToString::to_string);
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_variable_comes_before_the_own_folder_and_that_before_path() {
        let own = Folder::create("program-").unwrap();
        let executable = own.path().join("shardproof");
        check(&executable, None, Ok("/bin/sh"));
        let next_to_it = own.path().join("sh");
        std::os::unix::fs::symlink("/bin/sh", &next_to_it).unwrap();
        check(&executable, None, Ok(next_to_it.to_str().unwrap()));
        check(&executable, Some(""), Ok(next_to_it.to_str().unwrap()));
        check(&executable, Some("/bin/true"), Ok("/bin/true"));
    }

    #[test]
    fn a_variable_that_names_no_program_is_an_error() {
        let why = "$SOME_SHELL is /etc/passwd, expected the path of a program";
        check(
            Path::new("/nowhere/shardproof"),
            Some("/etc/passwd"),
            Err(why),
        );
    }
}
