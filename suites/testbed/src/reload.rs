//! The operator's command that changes the cluster of a running proxy, and changes it back however a run ends.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::command::{Calls, Change, Failure, Mistake, Template, UNABLE, after};

/// The placeholder of the number of nodes.
const NODES: &str = "nodes";

/// The text is no command that changes a cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The words.
    #[error(transparent)]
    Words(#[from] Mistake),
    /// A name in braces.
    #[error("{{{0}}} is unknown, expected {{nodes}}")]
    Unknown(String),
}

/// A command with the placeholder `{nodes}`, which is the last word if the text does not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadCommand(Template);

/// As it was given.
impl fmt::Display for ReloadCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.text())
    }
}

impl FromStr for ReloadCommand {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        let command = Template::split(text)?;
        if let Some(name) = command.names().find(|name| *name != NODES) {
            return Err(CommandError::Unknown(name.to_owned()));
        }
        Ok(Self(command.ending_with(NODES)))
    }
}

impl ReloadCommand {
    fn words(&self, nodes: usize) -> Vec<String> {
        self.0.words(&|_| nodes.to_string())
    }
}

/// The command did not end as expected. Never a verdict on a proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The cluster may be the old or the new one.
    #[error("the reload command failed for {nodes} nodes: {why}")]
    There {
        /// Number of nodes that it was to change to.
        nodes: usize,
        /// The cause.
        why: String,
    },
    /// The proxy may still have the changed cluster.
    #[error(
        "the reload command failed for {nodes} nodes, so the proxy may still have the changed cluster: {why}"
    )]
    Back {
        /// Number of nodes that it was to change back to.
        nodes: usize,
        /// The cause.
        why: String,
    },
}

/// A change of the cluster, there and back. When it is dropped, a call that still runs is killed, and the change is undone
/// if it is in force.
#[derive(Debug)]
pub struct Reload {
    calls: Arc<Calls<()>>,
    change: Change<()>,
    from: usize,
    to: usize,
}

impl Reload {
    /// A change between these numbers of nodes, by calls that take at most `within` each.
    #[must_use]
    pub fn new(command: &ReloadCommand, (from, to): (usize, usize), within: Duration) -> Self {
        Self {
            calls: Arc::new(Calls::new(within)),
            change: Change {
                label: (),
                apply: command.words(to),
                undo: command.words(from),
            },
            from,
            to,
        }
    }

    /// Changes the cluster.
    ///
    /// # Errors
    /// What the command did instead. It is called to change back then too.
    pub async fn there(&self) -> Result<(), Error> {
        let failed = |why| Error::There {
            nodes: self.to,
            why,
        };
        let called = self.call(|calls, change| {
            calls.apply(change).map_err(|failure| match failure {
                Failure::Other(why) => why,
                Failure::Unable(line) => format!("exit status: {UNABLE}{}", after(&line)),
            })
        });
        called.await.map_err(failed)
    }

    /// Changes it back. Does nothing if it was not changed.
    ///
    /// # Errors
    /// What the command did instead.
    pub async fn back(&self) -> Result<(), Error> {
        let called = self.call(Calls::undo).await;
        called.map_err(|why| self.not_back(why))
    }

    async fn call(
        &self,
        does: fn(&Calls<()>, &Change<()>) -> Result<(), String>,
    ) -> Result<(), String> {
        let (calls, change) = (Arc::clone(&self.calls), self.change.clone());
        let called = tokio::task::spawn_blocking(move || does(&calls, &change));
        // Only a runtime that ends drops it.
        called.await.unwrap_or_else(|why| Err(why.to_string()))
    }

    fn not_back(&self, why: String) -> Error {
        Error::Back {
            nodes: self.from,
            why,
        }
    }
}

impl Drop for Reload {
    fn drop(&mut self) {
        self.calls.stop();
        if let Err(why) = self.calls.undo(&self.change) {
            tracing::warn!("{}", self.not_back(why));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::wait;

    const WITHIN: Duration = Duration::from_secs(60);

    /// A command that writes down its number of nodes, then does `body`.
    fn reload(folder: &TempDir, body: &str) -> Reload {
        let log = folder.path().join("log");
        let command = format!("sh -c 'echo {{nodes}} >> {}\n{body}'", log.display());
        Reload::new(&command.parse().unwrap(), (3, 4), WITHIN)
    }

    fn calls(folder: &TempDir) -> String {
        fs::read_to_string(folder.path().join("log")).unwrap_or_default()
    }

    #[test]
    fn the_number_of_nodes_is_in_its_place_or_the_last_word() {
        for (text, expected) in [
            (
                "compose up --scale redis={nodes} -d",
                "compose|up|--scale|redis=4|-d",
            ),
            ("./reload.sh now", "./reload.sh|now|4"),
        ] {
            let command: ReloadCommand = text.parse().unwrap();
            assert_eq!(command.words(4).join("|"), expected);
            assert_eq!(command.to_string(), text);
        }
        for (text, why) in [
            ("", "it is empty, expected a command"),
            ("a {node}", "{node} is unknown, expected {nodes}"),
            (
                "a 'b",
                "a quote is not closed, or a backslash ends the text",
            ),
        ] {
            let refused = text.parse::<ReloadCommand>().unwrap_err();
            assert_eq!(refused.to_string(), why);
        }
    }

    #[tokio::test]
    async fn a_change_is_undone_once_however_the_run_ends() {
        let folder = TempDir::new().unwrap();
        let cut_off = reload(&folder, "");
        cut_off.there().await.unwrap();
        drop(cut_off);
        assert_eq!(calls(&folder), "4\n3\n");
        let whole = reload(&folder, "");
        whole.there().await.unwrap();
        whole.back().await.unwrap();
        drop(whole);
        assert_eq!(calls(&folder), "4\n3\n4\n3\n");
        drop(reload(&folder, ""));
        assert_eq!(calls(&folder), "4\n3\n4\n3\n", "nothing was changed");
    }

    #[tokio::test]
    async fn a_change_that_fails_is_undone() {
        let folder = TempDir::new().unwrap();
        let fails = reload(
            &folder,
            "[ {nodes} = 3 ] || { echo no such file >&2; exit 1; }",
        );
        let why = fails.there().await.unwrap_err().to_string();
        let expected = "the reload command failed for 4 nodes: exit status: 1: no such file";
        assert_eq!(why, expected);
        drop(fails);
        assert_eq!(calls(&folder), "4\n3\n");
    }

    #[tokio::test]
    async fn a_change_that_stays_is_told() {
        let folder = TempDir::new().unwrap();
        let stays = reload(&folder, "[ {nodes} = 4 ]");
        stays.there().await.unwrap();
        let why = stays.back().await.unwrap_err().to_string();
        let expected = "the reload command failed for 3 nodes, so the proxy may still have the changed cluster: exit status: 1";
        assert_eq!(why, expected);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_call_that_hangs_is_ended_before_the_change_is_undone() {
        let folder = TempDir::new().unwrap();
        let hangs = reload(&folder, "[ {nodes} = 3 ] || sleep 300");
        let called = async || wait::found(!calls(&folder).is_empty(), || "no call".to_owned());
        tokio::select! {
            _ = hangs.there() => panic!("it has ended"),
            called = wait::eventually("a call", WITHIN, called) => called.unwrap(),
        }
        drop(hangs);
        assert_eq!(calls(&folder), "4\n3\n");
    }
}
