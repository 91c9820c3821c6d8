//! From the parts' replies to the reply.
//!
//! Pure. Most joins are a function in `ways`; `keys` is for MGET, `scan` for SCAN, `exec` for EXEC, and `server` for
//! requests about the servers themselves. `asked` keeps the parts of the request that they need.
//!
//! An error of a part is the reply, with the nodes on which the request was executed anyway. Four joins do better: MGET
//! has the error in place of each of the part's keys, INFO in the line of its node; one node that has found a value or
//! killed a script is enough.

mod asked;
mod exec;
mod keys;
mod scan;
mod server;
mod ways;

use std::rc::Rc;

use bytes::Bytes;

use crate::command::Join;
use crate::resp::{error_text, is_error, put_error};
pub(crate) use asked::Asked;
pub(crate) use exec::exec_misfit;
pub(crate) use scan::Pages;
pub(crate) use server::info::Facts;
use server::{config, info, latency, modules, scripts, slowlog};

/// How the parts' replies become one.
#[derive(Debug, PartialEq, Eq)]
enum How {
    /// According to the row.
    Row(Join),
    /// The last part's: the requests before it only prepare it.
    Last,
    /// The last part's, an array of this many elements, with replies of the proxy inserted at these places.
    LastWith(usize, Vec<(usize, Vec<u8>)>),
}

/// The parts' replies that have arrived, and how they are joined.
#[derive(Debug)]
pub(crate) struct Joining {
    how: How,
    /// The address of each part's node; omitted if all parts go to one.
    nodes: Vec<Rc<str>>,
    part_of_key: Vec<u16>,
    asked: Asked,
    replies: Vec<Bytes>,
    /// Parts whose reply is ignored, sorted.
    unheeded: Vec<u16>,
    left: usize,
}

/// The state of a reply after one of its parts has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Other parts are missing.
    Waits,
    /// This part is to be asked now, or the reply is made of those that have arrived.
    GoesOn(u16),
    Done,
}

impl Joining {
    /// Waits for a reply of each of `nodes`. `part_of_key` has the part of each key; only [`Join::InKeyOrder`] uses it.
    pub(crate) fn new(how: Join, nodes: Vec<Rc<str>>, part_of_key: Vec<u16>) -> Self {
        Self {
            part_of_key,
            ..Self::by(How::Row(how), nodes.len(), nodes)
        }
    }

    /// Waits for `parts` replies of one node. The last one counts, unless one before it is an error.
    pub(crate) fn last(parts: usize) -> Self {
        Self::by(How::Last, parts, Vec::new())
    }

    /// Waits for the reply to EXEC, which is the last of `parts` and has `queued` elements. The proxy's `own` replies
    /// are inserted at their places among the elements, in order. Errors before the last part cause an error of the
    /// last.
    pub(crate) fn exec(parts: usize, queued: usize, own: Vec<(usize, Vec<u8>)>) -> Self {
        Self::by(How::LastWith(queued, own), parts, Vec::new())
    }

    fn by(how: How, parts: usize, nodes: Vec<Rc<str>>) -> Self {
        Self {
            how,
            nodes,
            part_of_key: Vec::new(),
            asked: Asked::default(),
            replies: vec![Bytes::new(); parts],
            unheeded: Vec::new(),
            left: parts,
        }
    }

    /// Ignores the replies of these parts, which are sorted. At least one part must not be among them.
    pub(crate) fn unheeding(mut self, parts: Vec<u16>) -> Self {
        self.unheeded = parts;
        self
    }

    /// Adds the parts of the request that shape the reply.
    pub(crate) fn asked(mut self, asked: Asked) -> Self {
        self.asked = asked;
        self
    }

    /// Takes the reply of one part; each part answers once.
    pub(crate) fn take(&mut self, part: u16, reply: Bytes) -> Progress {
        let place = usize::from(part);
        if let Some(pages) = &mut self.asked.pages {
            let goes_on = pages.goes_on_after(&reply) && place + 1 < self.replies.len();
            self.keep(place, reply);
            return match goes_on {
                true => Progress::GoesOn(part + 1),
                false => Progress::Done,
            };
        }
        self.keep(place, reply);
        match self.left {
            0 => Progress::Done,
            _ => Progress::Waits,
        }
    }

    fn keep(&mut self, place: usize, reply: Bytes) {
        if let Some(place) = self.replies.get_mut(place) {
            *place = reply;
            self.left = self.left.saturating_sub(1);
        }
    }

    /// Bytes held until the last part arrives.
    pub(crate) fn held_bytes(&self) -> usize {
        self.replies.iter().map(Bytes::len).sum()
    }

    /// The one reply of all parts.
    pub(crate) fn reply(&self) -> Vec<u8> {
        if let How::LastWith(queued, own) = &self.how {
            return exec::exec(&self.replies, *queued, own);
        }
        if self.how == How::Row(Join::Kill) {
            return scripts::kill(&self.replies).to_vec();
        }
        let failed = self.errors().count();
        let tells_of_it = matches!(
            self.how,
            How::Row(Join::InKeyOrder | Join::Info | Join::Found | Join::Page)
        );
        let each_for_itself = tells_of_it && failed < self.replies.len();
        if failed > 0 && !each_for_itself {
            return self.error(failed);
        }
        self.joined().unwrap_or_else(|| {
            let mut out = Vec::new();
            put_error(&mut out, b"ERR the nodes' replies do not fit together");
            out
        })
    }

    /// All errors that matter, in the order of the parts.
    fn errors(&self) -> impl Iterator<Item = &[u8]> {
        let parts = (0..).zip(&self.replies);
        let heeded = parts.filter(|(part, _)| self.unheeded.binary_search(part).is_err());
        heeded
            .map(|(_, reply)| &reply[..])
            .filter(|reply| is_error(reply))
    }

    /// The first error; if not all parts have failed, with the nodes that have and have not.
    fn error(&self, failed: usize) -> Vec<u8> {
        let first = self.errors().next().unwrap_or_default();
        if failed == self.replies.len() || self.how == How::Last {
            return first.to_vec();
        }
        let first = error_text(first).unwrap_or_default();
        let nodes = |of_failed: bool| {
            let parts = self.nodes.iter().zip(&self.replies);
            let chosen = parts.filter(|(_, reply)| is_error(reply) == of_failed);
            let names: Vec<&str> = chosen.map(|(node, _)| &**node).collect();
            names.join(", ")
        };
        let mut text = first.to_vec();
        text.extend(format!("; failed on {}, done on {}", nodes(true), nodes(false)).bytes());
        let mut out = Vec::new();
        put_error(&mut out, &text);
        out
    }

    fn joined(&self) -> Option<Vec<u8>> {
        let replies = &self.replies;
        let how = match self.how {
            How::Row(how) => how,
            How::Last | How::LastWith(..) => return replies.last().map(|last| last.to_vec()),
        };
        match how {
            Join::Sum => ways::sum(replies),
            Join::AllOk => ways::all_ok(replies),
            Join::Concat => ways::concat(replies),
            Join::InKeyOrder => keys::in_key_order(replies, &self.part_of_key),
            Join::Same => ways::same(replies),
            Join::Least => ways::least(replies),
            Join::Any => ways::any(replies, self.asked.lot),
            Join::Found => ways::found(replies),
            Join::Busy => scripts::busy(replies),
            Join::Kill => Some(scripts::kill(replies).to_vec()),
            Join::Settings => config::settings(replies, &self.nodes),
            Join::Latest => slowlog::log(replies, self.asked.most, self.asked.measure),
            Join::Entries => slowlog::len(replies, self.asked.measure),
            Join::Modules => modules::modules(replies),
            Join::Info => {
                let (facts, with_nodes) = self.asked.about.as_deref()?;
                info::info(replies, &self.nodes, facts, *with_nodes)
            }
            Join::Samples => latency::history(replies),
            Join::Events => latency::latest(replies),
            Join::Histograms => latency::histogram(replies),
            Join::Page => self.asked.pages.as_ref()?.joined(replies, &self.nodes),
        }
    }
}

#[cfg(test)]
mod tests;
