//! Answers of a link instead of the replies of its node, for replies that Redis never gives.
//!
//! The node still gets the request and its own reply is dropped, so replies keep the order of their requests. Does
//! nothing if the bytes are not RESP.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::fault::Request;
use crate::wire::{Dialogue, Malformed, Value};

/// The bytes that the proxy gets instead of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The bytes, possibly none.
    pub bytes: Vec<u8>,
    /// What happens after them.
    pub then: Then,
}

/// What happens to the connection after an [`Answer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The connection stays open.
    GoOn,
    /// It is closed with FIN.
    Close,
}

/// The scripted answers of a link. Clones share them; a change applies to requests that arrive after it.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    rules: Vec<(Vec<u8>, Answer)>,
    open: Vec<mpsc::UnboundedSender<Interjection>>,
}

/// Bytes for a connection that did not ask for them.
#[derive(Debug)]
pub(super) struct Interjection {
    pub(super) bytes: Vec<u8>,
    /// Used when they are on their way.
    pub(super) done: oneshot::Sender<()>,
}

impl Answers {
    /// From now on every request with this word, in any case, gets `answer`. The last rule for a word wins.
    pub fn set(&self, word: &[u8], answer: Answer) {
        let mut shared = self.shared();
        shared.rules.retain(|(known, _)| known != word);
        shared.rules.push((word.to_vec(), answer));
    }

    /// From now on the node answers for itself.
    pub fn clear(&self) {
        self.shared().rules.clear();
    }

    /// Sends bytes on every open connection although the proxy did not ask. The number of connections that got them.
    pub async fn interject(&self, bytes: &[u8]) -> usize {
        let mut pending = Vec::new();
        self.shared().open.retain(|connection| {
            let (done, sent) = oneshot::channel();
            let bytes = bytes.to_vec();
            pending.push(sent);
            connection.send(Interjection { bytes, done }).is_ok()
        });
        let mut count = 0;
        for sent in pending {
            // A connection that has ended drops its end of the channel.
            count += usize::from(sent.await.is_ok());
        }
        count
    }

    /// The interjections of a connection that opens now.
    pub(super) fn open(&self) -> mpsc::UnboundedReceiver<Interjection> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut shared = self.shared();
        shared.open.retain(|connection| !connection.is_closed());
        shared.open.push(sender);
        receiver
    }

    fn to<A: AsRef<[u8]>>(&self, request: &[A]) -> Option<Answer> {
        let shared = self.shared();
        let has = |word: &[u8]| {
            let mut words = request.iter();
            words.any(|other| other.as_ref().eq_ignore_ascii_case(word))
        };
        let mut rules = shared.rules.iter().rev();
        rules
            .find(|(word, _)| has(word))
            .map(|(_, answer)| answer.clone())
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A whole reply of the node.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) value: Value,
    /// In bytes.
    pub(super) length: usize,
    /// What the proxy gets instead.
    pub(super) answer: Option<Answer>,
    /// The request that it answers; `None` if it is a push or no request was seen.
    pub(super) request: Option<Arc<Request>>,
}

/// A request whose reply is due.
#[derive(Debug)]
struct Due {
    request: Arc<Request>,
    answer: Option<Answer>,
}

/// One connection: the requests whose replies are due, and how the next reply is read.
///
/// Every request is assumed to have one reply, as on the connections that proxies share among clients.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    answers: Answers,
    dialogue: Dialogue,
    /// Oldest first.
    due: VecDeque<Due>,
    /// How many of them are scripted.
    scripted: usize,
    /// The proxy has closed its side, or is gone.
    pub(super) hung_up: bool,
}

impl Exchange {
    pub(super) fn new(answers: Answers) -> Self {
        Self {
            answers,
            ..Self::default()
        }
    }

    /// The proxy sent a whole request.
    pub(super) fn asked<A: AsRef<[u8]>>(&mut self, request: &[A]) {
        self.dialogue.asked(request);
        let answer = self.answers.to(request);
        self.scripted += usize::from(answer.is_some());
        let request = Arc::new(Request::new(request));
        self.due.push_back(Due { request, answer });
    }

    /// Whether any reply that is due is scripted.
    pub(super) fn is_scripted(&self) -> bool {
        self.scripted > 0
    }

    /// Whether the next reply is scripted.
    pub(super) fn next_is_scripted(&self) -> bool {
        let next = self.due.front();
        next.is_some_and(|due| due.answer.is_some())
    }

    /// The first reply of the node in `bytes`, if it is complete.
    ///
    /// # Errors
    /// [`Malformed`], as [`Dialogue::reply`].
    pub(super) fn reply(&mut self, bytes: &[u8]) -> Result<Option<Reply>, Malformed> {
        let Some((value, length)) = self.dialogue.reply(bytes)? else {
            return Ok(None);
        };
        // A push answers no request.
        let due = match value {
            Value::Push(_) => None,
            _ => self.due.pop_front(),
        };
        let (request, answer) = match due {
            Some(due) => (Some(due.request), due.answer),
            None => (None, None),
        };
        self.scripted -= usize::from(answer.is_some());
        Ok(Some(Reply {
            value,
            length,
            answer,
            request,
        }))
    }
}
