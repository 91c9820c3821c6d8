//! Temporary folders of this process. All are in one folder with a lock that the process holds, so that a later process
//! can remove the folder of a killed process.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use crate::mark;

/// How the folder of a process begins.
const RUN: &str = "shardproof-run-";
/// Its lock.
const LOCK: &str = "lock";

static CURRENT: Mutex<Weak<Run>> = Mutex::new(Weak::new());

/// A temporary folder, gone when dropped.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
    /// Outlives `folder`, which lies in it.
    _run: Arc<Run>,
}

impl Folder {
    /// Makes a folder with a name that begins with `prefix`.
    ///
    /// # Errors
    /// When the temporary directory cannot be written.
    pub fn create(prefix: &str) -> io::Result<Self> {
        let run = of_process()?;
        let folder = TempDir::with_prefix_in(prefix, &run.path)?;
        Ok(Self { folder, _run: run })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Whether this process has any.
#[must_use]
pub fn is_in_use() -> bool {
    let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    current.strong_count() > 0
}

/// The folder of this process, with a lock that shows that the process lives.
#[derive(Debug)]
pub(crate) struct Run {
    path: PathBuf,
    _lock: File,
}

impl Run {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // The next process sweeps the rest.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The folder of this process, created if it does not exist.
pub(crate) fn of_process() -> io::Result<Arc<Run>> {
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(run) = current.upgrade() {
        return Ok(run);
    }
    let temporary = std::env::temp_dir();
    sweep(&temporary);
    let run = Arc::new(create(&temporary)?);
    *current = Arc::downgrade(&run);
    Ok(run)
}

/// The folder gets its name only when it is locked, so that no other process sweeps it before.
fn create(temporary: &Path) -> io::Result<Run> {
    let folder = TempDir::with_prefix_in(".shardproof-new-", temporary)?;
    let lock = File::create(folder.path().join(LOCK))?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    let unique = folder.path().file_name().unwrap_or_default();
    let unique = unique.to_string_lossy().replace(".shardproof-new-", RUN);
    let path = temporary.join(unique);
    fs::rename(folder.path(), &path)?;
    // The folder has been renamed.
    let _ = folder.keep();
    Ok(Run { path, _lock: lock })
}

/// Removes the folders of processes that were killed, and ends the processes that these had started.
fn sweep(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(RUN) {
            sweep_one(&entry.path());
        }
    }
}

fn sweep_one(path: &Path) {
    // A folder of another user cannot be opened, and is left alone.
    let Ok(lock) = File::options().write(true).open(path.join(LOCK)) else {
        return;
    };
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return;
    }
    mark::end_run(path);
    if let Err(why) = fs::remove_dir_all(path) {
        tracing::warn!(
            "{} of a process that was killed stays: {why}",
            path.display()
        );
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use rustix::fs::{FlockOperation, flock};
    use tempfile::TempDir;

    use super::{LOCK, RUN, create, sweep};

    #[test]
    fn only_folders_of_dead_processes_are_swept() {
        let temporary = TempDir::new().unwrap();
        let alive = create(temporary.path()).unwrap();
        let dead = temporary.path().join(format!("{RUN}dead"));
        let unlocked = temporary.path().join(format!("{RUN}without-lock"));
        let foreign = temporary.path().join("other");
        for folder in [&dead, &unlocked, &foreign] {
            fs::create_dir(folder).unwrap();
        }
        File::create(dead.join(LOCK)).unwrap();
        File::create(foreign.join(LOCK)).unwrap();
        sweep(temporary.path());
        assert!(!dead.exists());
        assert!(alive.path.exists() && unlocked.exists() && foreign.exists());
        let path = alive.path.clone();
        drop(alive);
        assert!(!path.exists());
    }

    #[test]
    fn a_locked_folder_is_not_swept() {
        let temporary = TempDir::new().unwrap();
        let folder = temporary.path().join(format!("{RUN}x"));
        fs::create_dir(&folder).unwrap();
        let lock = File::create(folder.join(LOCK)).unwrap();
        flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
        sweep(temporary.path());
        assert!(folder.exists());
    }
}
