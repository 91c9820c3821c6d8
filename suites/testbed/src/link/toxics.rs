//! The toxics of one link, by name, in the order of their addition.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::fault::{Counts, Toxic};

/// A toxic cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the link already has a toxic `{0}`")]
pub struct Taken(pub String);

/// An added toxic, distinguished from an earlier one of the same name.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) serial: u64,
    pub(super) toxic: Toxic,
    /// Its counters over all connections.
    pub(super) counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Clone, Default)]
struct Set {
    entries: Arc<[Entry]>,
    added: u64,
}

/// The toxics of a link. Clones share them; open connections follow each change.
#[derive(Debug, Clone, Default)]
pub struct Toxics {
    set: watch::Sender<Set>,
}

impl Toxics {
    /// Adds a toxic after all others of its direction.
    ///
    /// # Errors
    /// When its name is taken.
    pub fn add(&self, toxic: Toxic) -> Result<(), Taken> {
        let name = toxic.name.clone();
        let added = self.set.send_if_modified(|set| {
            let free = set.entries.iter().all(|entry| entry.toxic.name != name);
            if free {
                set.added += 1;
                let serial = set.added;
                let counts = Arc::default();
                let entry = Entry {
                    serial,
                    toxic,
                    counts,
                };
                set.entries = set.entries.iter().cloned().chain([entry]).collect();
            }
            free
        });
        added.then_some(()).ok_or(Taken(name))
    }

    /// Changes the toxic with this name; false if there is none. Its name and direction stay.
    pub fn update(&self, name: &str, change: impl FnOnce(&mut Toxic)) -> bool {
        self.set.send_if_modified(|set| {
            let mut entries = set.entries.to_vec();
            let found = entries.iter_mut().find(|entry| entry.toxic.name == name);
            let Some(Entry { toxic, .. }) = found else {
                return false;
            };
            let (name, stream) = (toxic.name.clone(), toxic.stream);
            change(toxic);
            (toxic.name, toxic.stream) = (name, stream);
            set.entries = entries.into();
            true
        })
    }

    /// Removes the toxics that `gone` selects and releases their bytes. Returns whether there were any.
    pub fn remove(&self, gone: impl Fn(&Toxic) -> bool) -> bool {
        self.set.send_if_modified(|set| {
            let stays = |entry: &&Entry| !gone(&entry.toxic);
            let before = set.entries.len();
            set.entries = set.entries.iter().filter(stays).cloned().collect();
            set.entries.len() < before
        })
    }

    /// All toxics in the order of their addition.
    #[must_use]
    pub fn list(&self) -> Vec<Toxic> {
        let set = self.set.borrow();
        set.entries
            .iter()
            .map(|entry| entry.toxic.clone())
            .collect()
    }

    /// The toxic with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Toxic> {
        let set = self.set.borrow();
        let mut toxics = set.entries.iter().map(|entry| &entry.toxic);
        toxics.find(|toxic| toxic.name == name).cloned()
    }

    pub(super) fn watch(&self) -> Watch {
        let mut set = self.set.subscribe();
        set.mark_changed();
        Watch { set }
    }
}

/// One connection's view of the toxics.
#[derive(Debug)]
pub(super) struct Watch {
    set: watch::Receiver<Set>,
}

impl Watch {
    /// The toxics, when they changed since the last look.
    pub(super) fn news(&mut self) -> Option<Arc<[Entry]>> {
        let changed = self.set.has_changed().unwrap_or(false);
        changed.then(|| self.set.borrow_and_update().entries.clone())
    }

    /// Waits for a change.
    pub(super) async fn changed(&mut self) {
        if self.set.changed().await.is_err() {
            // The toxics cannot change any more.
            std::future::pending::<()>().await;
        }
        self.set.mark_changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Hold, Latency, Noop, Stream, ToxicKind};

    fn toxic(kind: ToxicKind) -> Toxic {
        Toxic::new(Stream::Downstream, kind)
    }

    fn names(toxics: &Toxics) -> Vec<String> {
        toxics.list().into_iter().map(|toxic| toxic.name).collect()
    }

    #[test]
    fn names_are_unique_and_toxics_keep_their_order() {
        let toxics = Toxics::default();
        assert_eq!(toxics.add(toxic(ToxicKind::Hold(Hold {}))), Ok(()));
        assert_eq!(toxics.add(toxic(ToxicKind::Noop(Noop {}))), Ok(()));
        let again = toxics.add(toxic(ToxicKind::Hold(Hold {})));
        assert_eq!(again, Err(Taken("hold_downstream".to_owned())));
        assert_eq!(names(&toxics), ["hold_downstream", "noop_downstream"]);
        assert!(toxics.remove(|toxic| toxic.name == "hold_downstream"));
        assert!(!toxics.remove(|toxic| toxic.name == "hold_downstream"));
        assert_eq!(toxics.add(toxic(ToxicKind::Hold(Hold {}))), Ok(()));
        assert_eq!(names(&toxics), ["noop_downstream", "hold_downstream"]);
    }

    #[test]
    fn an_update_keeps_the_name_and_the_direction() {
        let toxics = Toxics::default();
        let slow = |latency_ms| {
            ToxicKind::Latency(Latency {
                latency_ms,
                jitter_ms: 0,
            })
        };
        toxics.add(toxic(slow(1))).unwrap();
        let change = |toxic: &mut Toxic| *toxic = Toxic::new(Stream::Upstream, slow(2));
        assert!(toxics.update("latency_downstream", change));
        assert_eq!(
            toxics.find("latency_downstream"),
            Some(Toxic::new(Stream::Downstream, slow(2)))
        );
        assert!(!toxics.update("other", change));
    }

    #[test]
    fn news_come_once() {
        let toxics = Toxics::default();
        let mut watch = toxics.watch();
        assert_eq!(watch.news().map(|entries| entries.len()), Some(0));
        assert!(watch.news().is_none());
        toxics.add(toxic(ToxicKind::Hold(Hold {}))).unwrap();
        assert_eq!(watch.news().map(|entries| entries.len()), Some(1));
    }
}
