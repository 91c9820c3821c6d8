//! From the parts' replies to the reply.
//!
//! Pure. A part that failed is an error of its own keys where the reply is one value a key, told in its place in INFO, and
//! of no matter where another one has what was looked for or has killed a script; else the reply is one error: the first in
//! the order of the parts, as the node or the proxy wrote it, and who has done it all the same.

mod info;
mod kill;
mod latency;
mod page;
mod slow;
mod ways;

use std::rc::Rc;

use bytes::Bytes;

use crate::command::Join;
use crate::resp::{Args, elements, error_text, is_error, put_array, put_error};

pub(crate) use info::Facts;
pub(crate) use page::Pages;
use slow::Measure;

/// What SLOWLOG GET gives without a number.
const LATEST_DEFAULT: usize = 10;

/// How the parts' replies become one.
#[derive(Debug, PartialEq, Eq)]
enum How {
    /// As the row says.
    Row(Join),
    /// The last part's: what came before it only led up to it.
    Last,
    /// The last part's, an array of this many elements, with replies of the proxy put in at these places.
    LastWith(usize, Vec<(usize, Vec<u8>)>),
}

/// The parts' replies that have arrived, and what becomes of them.
#[derive(Debug)]
pub(crate) struct Joining {
    how: How,
    /// The address of each part's node; not told where all parts go to one.
    nodes: Vec<Rc<str>>,
    part_of_key: Vec<u16>,
    asked: Asked,
    replies: Vec<Bytes>,
    /// Parts whose reply is not looked at, sorted.
    unheeded: Vec<u16>,
    left: usize,
}

/// What of the request itself shapes the reply.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// What has come of a SCAN; only [`Join::Page`] looks at it.
    pages: Option<Pages>,
    /// Entries asked for, and what they measure; only [`Join::Latest`] and [`Join::Entries`] look at it.
    most: usize,
    measure: Measure,
    /// A number that is another one each time; only [`Join::Any`] looks at it.
    lot: u64,
    /// What the proxy tells of itself, and whether of its nodes too; only [`Join::Info`] looks at it.
    about: Option<Box<(Facts, bool)>>,
}

impl Asked {
    /// By the complete request in `frame`.
    pub(crate) fn by(frame: &[u8], lot: u64) -> Self {
        let number = Args::of(frame).nth(2).and_then(|text| {
            let text = std::str::from_utf8(text).ok()?;
            text.parse::<i64>().ok()
        });
        // COMMANDLOG says last which of its logs it means.
        let is_of_time = |log: &[u8]| log.eq_ignore_ascii_case(b"slow");
        Self {
            measure: match Args::of(frame).nth(3).is_none_or(is_of_time) {
                true => Measure::Time,
                false => Measure::Bytes,
            },
            most: match number {
                Some(number) => usize::try_from(number).unwrap_or(usize::MAX),
                None => LATEST_DEFAULT,
            },
            lot,
            ..Self::default()
        }
    }

    /// For INFO, as the complete request in `frame` wants it.
    pub(crate) fn about(frame: &[u8], facts: Facts) -> Self {
        let with_nodes = info::wants_nodes(Args::of(frame).skip(1));
        Self {
            about: Some(Box::new((facts, with_nodes))),
            ..Self::default()
        }
    }

    /// For these pages.
    pub(crate) fn pages(pages: Pages) -> Self {
        Self {
            pages: Some(pages),
            ..Self::default()
        }
    }
}

/// What becomes of a reply once one of its parts has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Others are to come.
    Waits,
    /// This part is to be asked now, or the reply is made of those that have come.
    GoesOn(u16),
    Done,
}

impl Joining {
    /// Waits for a reply of each of `nodes`. `part_of_key` tells for each key which part answers for it; only
    /// [`Join::InKeyOrder`] looks at it.
    pub(crate) fn new(how: Join, nodes: Vec<Rc<str>>, part_of_key: Vec<u16>) -> Self {
        Self {
            part_of_key,
            ..Self::by(How::Row(how), nodes.len(), nodes)
        }
    }

    /// Waits for `parts` replies of one node, of which the last counts, unless one before it is an error.
    pub(crate) fn last(parts: usize) -> Self {
        Self::by(How::Last, parts, Vec::new())
    }

    /// Waits for the reply to EXEC, which is the last of `parts` and has `queued` elements. The proxy's `own` replies are put
    /// in at their places among the elements, in order. Errors before the last part lead to one of the last.
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

    /// The replies of these parts, sorted, of which the last is none, do not matter.
    pub(crate) fn unheeding(mut self, parts: Vec<u16>) -> Self {
        self.unheeded = parts;
        self
    }

    /// What was asked for matters.
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
            return self.exec_reply(*queued, own);
        }
        if self.how == How::Row(Join::Kill) {
            return kill::kill(&self.replies).to_vec();
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

    /// The first error; where not all parts have failed, with who has and who has not.
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

    /// Nulls and errors pass: nothing was executed on the node, and nothing here. An array of another length than what was
    /// queued is an error, because its elements cannot be matched with the requests.
    fn exec_reply(&self, queued: usize, own: &[(usize, Vec<u8>)]) -> Vec<u8> {
        let last = self.replies.last().cloned().unwrap_or_default();
        let Some((len, mut theirs)) = elements(&last) else {
            return last.to_vec();
        };
        let mut out = Vec::with_capacity(last.len() + 16);
        if len != queued {
            return wrong_length(queued, len);
        }
        put_array(&mut out, len + own.len());
        let mut own = own.iter().peekable();
        for place in 0..len + own.len() {
            match own.next_if(|(at, _)| *at == place) {
                Some((_, reply)) => out.extend_from_slice(reply),
                None => out.extend_from_slice(theirs.next().unwrap_or_default()),
            }
        }
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
            Join::InKeyOrder => self.in_key_order(),
            Join::Same => ways::same(replies),
            Join::Least => ways::least(replies),
            Join::Any => ways::any(replies, self.asked.lot),
            Join::Found => ways::found(replies),
            Join::Busy => ways::busy(replies),
            Join::Kill => Some(kill::kill(replies).to_vec()),
            Join::Settings => ways::settings(replies, &self.nodes),
            Join::Latest => slow::log(replies, self.asked.most, self.asked.measure),
            Join::Entries => slow::len(replies, self.asked.measure),
            Join::Modules => ways::modules(replies),
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

    /// One element a key; of a part that failed, its error for each of its keys.
    fn in_key_order(&self) -> Option<Vec<u8>> {
        let mut wanted = vec![0; self.replies.len()];
        for part in &self.part_of_key {
            *wanted.get_mut(usize::from(*part))? += 1;
        }
        let mut walks = Vec::with_capacity(self.replies.len());
        for (reply, wanted) in self.replies.iter().zip(wanted) {
            if is_error(reply) {
                walks.push(None);
                continue;
            }
            let (len, walk) = elements(reply)?;
            if len != wanted {
                return None;
            }
            walks.push(Some(walk));
        }
        let errors: Vec<Vec<u8>> = self
            .replies
            .iter()
            .map(|reply| short_error(reply))
            .collect();
        let mut out = Vec::with_capacity(self.held_bytes() + 16);
        put_array(&mut out, self.part_of_key.len());
        for part in &self.part_of_key {
            let part = usize::from(*part);
            out.extend_from_slice(match walks.get_mut(part)? {
                Some(walk) => walk.next()?,
                None => &errors[part],
            });
        }
        Some(out)
    }
}

/// The error in place of a reply to EXEC that has another number of elements than commands were queued; none where the
/// reply fits. Looks at the header only.
pub(crate) fn exec_misfit(reply: &[u8], queued: usize) -> Option<Vec<u8>> {
    let len = elements(reply)?.0;
    (len != queued).then(|| wrong_length(queued, len))
}

fn wrong_length(queued: usize, len: usize) -> Vec<u8> {
    let text = format!("ERR the node answered EXEC of {queued} commands with {len} replies");
    let mut out = Vec::new();
    put_error(&mut out, text.as_bytes());
    out
}

/// The longest error that stands for each of many keys: a longer one would take memory once for each.
const REPEATED_ERROR_MAX: usize = 256;

/// An error as it stands for one key; empty for what is none.
fn short_error(reply: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(text) = error_text(reply) {
        match text.get(..REPEATED_ERROR_MAX) {
            Some(start) => put_error(&mut out, &[start, b"..."].concat()),
            None => out.extend_from_slice(reply),
        }
    }
    out
}

#[cfg(test)]
mod tests;
