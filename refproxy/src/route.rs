//! The router: what the proxy does with one request, as a value.
//!
//! Pure. The only place where a row's route, its arguments and the placement become a decision: the session executes the
//! [`Action`], a transaction restricts it, the snapshots print it.

use bytes::Bytes;

use crate::command::{self, Join, Local, Refusal, Route, Row, Rules, Transaction, Why};
use crate::resp::{Args, Frame};
use placement::{NodeId, Placement};

pub use crate::split::{Split, asked_instead};

/// One complete request whose row is known.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Of its command, or of its subcommand if that has a row of its own.
    pub row: &'static Row,
    /// Its bytes, in array form.
    pub bytes: &'a [u8],
    /// Where its arguments are.
    pub frame: &'a Frame,
    /// The same bytes in a buffer of their own, if sharing them is cheaper than copying them.
    pub shared: Option<&'a Bytes>,
}

/// What the proxy does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action<'a> {
    /// Sent as it is to the node of its keys.
    Forward(NodeId),
    /// Sent as it is to any node: all answer the same.
    AnyNode,
    /// One request to each node that holds some of its keys, joined.
    Split(Split, Join),
    /// Sent to every node, unchanged or as [`asked_instead`] returns it, joined.
    Broadcast(Join),
    /// Sent to the node in its cursor, one node after the other.
    Page,
    /// Answered by the proxy.
    Local(Local),
    /// Answered by all workers of the proxy together.
    Workers,
    /// Begins, guards or ends a transaction; for WATCH with the node of its keys.
    Transaction(Transaction, Option<NodeId>),
    /// Answered with an error.
    Refuse(Refusal<'a>),
}

/// What the proxy does with a request after MULTI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queueing<'a> {
    /// Queued at the node of its keys.
    Forward(NodeId),
    /// Queued at the node of the transaction, whichever that is.
    AnyNode,
    /// Queued and answered by the proxy.
    Local(Local),
    /// Answered by the proxy at once; the transaction ends.
    End(Local),
    /// Executes the queued requests.
    Exec,
    /// Discards the queued requests.
    Discard,
    /// Answered with an error. Nodes do not agree on whether EXEC fails too, so the node has to see it.
    Misplaced(Refusal<'a>),
    /// Answered with an error, and so is EXEC.
    Refuse(Refusal<'a>),
}

impl<'a> Request<'a> {
    /// Its arguments, the name first.
    #[must_use]
    pub fn args(&self) -> Vec<&'a [u8]> {
        Args::of(self.bytes).collect()
    }
}

/// The row of the command with this name or, if its subcommands have rows of their own, of the subcommand in
/// `argument`. A command without a subcommand has its own row.
///
/// # Errors
/// There is no such command or subcommand.
#[inline(always)]
pub fn resolve(name: &[u8], argument: Option<&[u8]>) -> Result<&'static Row, Refusal<'static>> {
    let row = command::find(name).ok_or(Refusal::UnknownCommand)?;
    match (row.route, argument) {
        (Route::Below | Route::AnyNodeBelow, Some(subcommand)) => {
            command::below(row, subcommand).ok_or(Refusal::UnknownSubcommand(row))
        }
        _ => Ok(row),
    }
}

/// Routes a request of a client with the permissions in `rules`.
// Always inlined, as `resolve`: where the action is consumed, it is not built in memory for a request to one node.
#[inline(always)]
#[must_use]
pub fn route<'a>(request: &Request<'a>, placement: &Placement, rules: Rules) -> Action<'a> {
    let (row, frame) = (request.row, request.frame);
    if !row.accepts(frame.argc) {
        return Action::Refuse(Refusal::WrongArity(row));
    }
    match row.route {
        Route::OneNode => Action::Forward(placement.node(&request.bytes[frame.first.clone()])),
        _ => route_others(request, placement, rules),
    }
}

/// Routes a request of a client that must authenticate first.
#[must_use]
pub fn route_unauthenticated<'a>(request: &Request<'a>) -> Action<'a> {
    let row = request.row;
    match row.route {
        _ if !row.accepts(request.frame.argc) => Action::Refuse(Refusal::WrongArity(row)),
        Route::Local(local) if row.is_for_unauthenticated() => Action::Local(local),
        _ => Action::Refuse(Refusal::Unauthenticated),
    }
}

/// Restricts the action after MULTI, where everything goes to one node over one connection, and replies reach the
/// client unchanged.
#[must_use]
pub fn restrict<'a>(
    action: Action<'a>,
    request: &Request<'a>,
    placement: &Placement,
) -> Queueing<'a> {
    let row = request.row;
    let refuse = |why| Queueing::Refuse(Refusal::Unsupported(row, why));
    match action {
        Action::Forward(node) => Queueing::Forward(node),
        Action::AnyNode | Action::Transaction(Transaction::Unwatch, _) => Queueing::AnyNode,
        Action::Split(split, _) => Queueing::Refuse(cross_slot(&split, request)),
        Action::Broadcast(_) if placement.nodes() == 1 => {
            let guard = row.guard;
            match guard.and_then(|guard| guard.refuses_in_transaction(&request.args())) {
                Some(why) => refuse(why),
                None => Queueing::AnyNode,
            }
        }
        // The cursor of a page is the proxy's own, and no node could answer with it.
        Action::Broadcast(_) | Action::Page => refuse(Why::Transaction),
        Action::Workers => refuse(Why::Workers),
        Action::Local(local) if local.ends_transaction() => Queueing::End(local),
        Action::Local(local) => Queueing::Local(local),
        Action::Transaction(Transaction::Exec, _) => Queueing::Exec,
        Action::Transaction(Transaction::Discard, _) => Queueing::Discard,
        Action::Transaction(Transaction::Multi, _) => Queueing::Misplaced(Refusal::NestedMulti),
        Action::Transaction(Transaction::Watch, _) => Queueing::Misplaced(Refusal::WatchInMulti),
        // An error inside MULTI, wherever its keys are.
        Action::Refuse(Refusal::CrossSlot(..)) if row.route == WATCH => {
            Queueing::Misplaced(Refusal::WatchInMulti)
        }
        Action::Refuse(refusal) => Queueing::Refuse(refusal),
    }
}

/// The refusal of a request whose keys live on several nodes, if all must live on one.
fn cross_slot<'a>(split: &Split, request: &Request<'a>) -> Refusal<'a> {
    let (row, args) = (request.row, request.args());
    let positions = row.keys.positions(request.frame.argc);
    let keys = positions.zip(&split.part_of_key);
    let mut keys = keys.map(|(position, part)| {
        let (node, _) = split.parts[usize::from(*part)];
        (args[position], node)
    });
    let first = keys.next();
    let other = first.and_then(|(_, home)| keys.find(|(_, node)| *node != home));
    match first.zip(other) {
        Some((key, other)) => Refusal::CrossSlot(row, key, other),
        None => Refusal::Unsupported(row, Why::Transaction),
    }
}

const WATCH: Route = Route::Transaction(Transaction::Watch);

fn route_others<'a>(request: &Request<'a>, placement: &Placement, rules: Rules) -> Action<'a> {
    let row = request.row;
    match row.route {
        Route::OneNode | Route::SameNode => same_node(request, placement, rules),
        Route::AnyNode | Route::AnyNodeBelow => Action::AnyNode,
        // The subcommand is missing.
        Route::Below => Action::Refuse(Refusal::WrongArity(row)),
        Route::PerNode(join) => per_node(request, join, placement),
        Route::Administer(_) if !rules.admin_fan_out => {
            Action::Refuse(Refusal::Unsupported(row, Why::AdminFanOut))
        }
        Route::AllNodes(join) | Route::Administer(join) => {
            let guard = row.guard;
            match guard.and_then(|guard| guard.refuses(&request.args(), |_| true)) {
                Some(why) => Action::Refuse(Refusal::Unsupported(row, why)),
                None => Action::Broadcast(join),
            }
        }
        Route::NodeByNode => Action::Page,
        Route::Local(local) => Action::Local(local),
        Route::Workers => Action::Workers,
        Route::Transaction(Transaction::Watch) => match same_node(request, placement, rules) {
            Action::Forward(node) => Action::Transaction(Transaction::Watch, Some(node)),
            Action::AnyNode => Action::Transaction(Transaction::Watch, None),
            refused => refused,
        },
        Route::Transaction(command) => Action::Transaction(command, None),
        Route::Refuse(why) => Action::Refuse(Refusal::Unsupported(row, why)),
    }
}

/// One request per node of some keys; unchanged when one node holds them all.
fn per_node<'a>(request: &Request<'a>, join: Join, placement: &Placement) -> Action<'a> {
    let node = |key: &[u8]| placement.node(key);
    let split = Split::of(request.row, request.frame.argc, request.bytes, node);
    match split.parts[..] {
        [(node, _)] => Action::Forward(node),
        _ => Action::Split(split, join),
    }
}

/// To the node where all its keys live. Without keys, or when they cannot be found and every node answers it with the same
/// error, to any node.
fn same_node<'a>(request: &Request<'a>, placement: &Placement, rules: Rules) -> Action<'a> {
    let row = request.row;
    let refuse = |why| Action::Refuse(Refusal::Unsupported(row, why));
    let args = request.args();
    let found = row.key_positions(&args);
    let is_malformed = found.is_err();
    let positions = found.unwrap_or_default();
    let has_home = is_malformed || !positions.is_empty() || placement.nodes() == 1;
    if let Some(why) = rules.refuse(row, has_home) {
        return refuse(why);
    }
    // With too large a number of keys, the arguments after them count as keys, which may live anywhere.
    let last = positions.last();
    let is_cut_short = last.is_some_and(|last| row.is_cut_short(&args, *last));
    let mut keys = positions.into_iter().map(|position| args[position]);
    let first = keys.next().map(|key| (key, placement.node(key)));
    if let Some(guard) = row.guard {
        let home = first.map(|(_, node)| node);
        if let Some(why) = guard.refuses(&args, |pattern| stays(pattern, home, placement)) {
            return refuse(why);
        }
    }
    let Some((key, home)) = first else {
        return Action::AnyNode;
    };
    let mut others = keys.map(|key| (key, placement.node(key)));
    match others.find(|(_, node)| *node != home) {
        Some(_) if is_cut_short => Action::AnyNode,
        Some(other) => Action::Refuse(Refusal::CrossSlot(row, (key, home), other)),
        None => Action::Forward(home),
    }
}

/// Whether all keys that `pattern` makes live on `home`: its tag says so, or there is no other node.
fn stays(pattern: &[u8], home: Option<NodeId>, placement: &Placement) -> bool {
    let part = placement.hashed_part(pattern);
    let fixed = part.len() < pattern.len() && !part.contains(&b'*');
    placement.nodes() == 1 || (fixed && Some(placement.node(pattern)) == home)
}

#[cfg(test)]
mod tests;
