//! What the proxy does with one request, as a value: for people, snapshots and the suite.
//!
//! Pure, and made of the same pieces as the request path (`command`, `split`), which acts on them without building this.

use crate::aim::{self, Aim};
use crate::command::{self, Join, Route, Row, Rules, Transaction};
use crate::resp::{Args, request};
use crate::split::{self, Split};
use placement::{NodeId, Placement};

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Sent as it is to the node of its keys.
    Forward(NodeId),
    /// Sent as it is to a node, whichever.
    ForwardAnywhere,
    /// One request a node, joined.
    Split {
        /// The nodes in the order in which they are asked, with the arguments of each request.
        parts: Vec<(NodeId, Vec<Vec<u8>>)>,
        /// How the replies become one.
        join: Join,
    },
    /// Sent as it is to every node, joined.
    Everywhere(Join),
    /// Sent to the node that its cursor says, one node after the other.
    NodeByNode,
    /// Answered by the proxy.
    Here,
    /// Refused with this error text, which begins with its code.
    Refused(String),
}

/// What the proxy does with a request of these arguments, the command name first.
#[must_use]
pub fn plan(placement: &Placement, arguments: &[&[u8]]) -> Plan {
    let frame = request(arguments);
    let name = arguments.first().copied().unwrap_or_default();
    let Some(row) = command::find(name) else {
        let refusal = command::unknown(name, arguments.iter().skip(1).copied());
        return Plan::Refused(text(&refusal));
    };
    of_row(placement, row, arguments, &frame)
}

fn of_row(placement: &Placement, row: &Row, arguments: &[&[u8]], frame: &[u8]) -> Plan {
    if !row.accepts(arguments.len()) {
        return Plan::Refused(command::wrong_arity(row));
    }
    match row.route {
        Route::OneNode => Plan::Forward(placement.node(arguments[1])),
        Route::SameNode => same_node(placement, row, arguments),
        Route::AnyNode => Plan::ForwardAnywhere,
        Route::AnyNodeBelow if arguments.len() == 1 => Plan::ForwardAnywhere,
        Route::Below | Route::AnyNodeBelow => match command::below(row, arguments[1]) {
            Some(below) => of_row(placement, below, arguments, frame),
            None => Plan::Refused(text(&command::unknown_below(row, arguments[1]))),
        },
        Route::PerNode(join) => {
            let split = Split::plan(row, arguments.len(), frame, |key| placement.node(key));
            match split.parts[..] {
                [(node, _)] => Plan::Forward(node),
                _ => Plan::Split {
                    parts: parts(&split, split.requests(row, frame)),
                    join,
                },
            }
        }
        Route::AllNodes(join) | Route::Administer(join) => {
            let guard = row.guard;
            match guard.and_then(|guard| guard.refuses(arguments, |_| true)) {
                Some(why) => Plan::Refused(command::unsupported(row, why)),
                None => match split::asked_instead(join, frame) {
                    None => Plan::Everywhere(join),
                    Some(request) => Plan::Split {
                        parts: everywhere(placement, &request),
                        join,
                    },
                },
            }
        }
        Route::NodeByNode => Plan::NodeByNode,
        Route::Transaction(Transaction::Watch) => same_node(placement, row, arguments),
        Route::Local(_) | Route::Workers | Route::Transaction(_) => Plan::Here,
        Route::Refuse(why) => Plan::Refused(command::unsupported(row, why)),
    }
}

fn same_node(placement: &Placement, row: &Row, arguments: &[&[u8]]) -> Plan {
    let aim = aim::aim(row, arguments, placement, Rules::default());
    // Addresses are not known here: nodes are told by their place.
    match aim::refusal(row, aim, |node| format!("node {}", node.0)) {
        Some(refusal) => Plan::Refused(text(&refusal)),
        None => match aim {
            Aim::Node(node) => Plan::Forward(node),
            _ => Plan::ForwardAnywhere,
        },
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn everywhere(placement: &Placement, request: &[u8]) -> Vec<(NodeId, Vec<Vec<u8>>)> {
    let words: Vec<Vec<u8>> = Args::of(request).map(<[u8]>::to_vec).collect();
    let nodes = 0..u16::try_from(placement.nodes()).unwrap_or(u16::MAX);
    nodes.map(|node| (NodeId(node), words.clone())).collect()
}

fn parts(split: &Split, requests: Vec<Vec<u8>>) -> Vec<(NodeId, Vec<Vec<u8>>)> {
    let nodes = split.parts.iter().map(|(node, _)| *node);
    nodes
        .zip(requests)
        .map(|(node, request)| (node, Args::of(&request).map(<[u8]>::to_vec).collect()))
        .collect()
}
