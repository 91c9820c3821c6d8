//! Location of a program: next to our own executable, then by environment variable, then on PATH.
//!
//! Never reads the environment itself: a main passes it in.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A program that the suite starts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// File name, such as `redis-server`.
    pub name: String,
    /// Environment variable that may hold its path.
    pub env: String,
    /// How to install it.
    pub install: String,
    /// The package of this workspace that builds it, if one does.
    pub package: Option<String>,
}

impl Program {
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
#[error(
    "program `{name}` is neither next to this executable, nor in ${env}, nor on PATH: {install}"
)]
pub struct Missing {
    name: String,
    env: String,
    install: String,
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
        in_folders(&self.own_folders, program)
            .or_else(|| named.map(PathBuf::from).filter(|path| is_program(path)))
            .or_else(|| in_folders(&self.path, program))
            .ok_or_else(|| Missing {
                name: program.name.clone(),
                env: program.env.clone(),
                install: program.install.clone(),
            })
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
