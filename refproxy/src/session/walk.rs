//! SCAN: one call, from the node in its cursor on to the next ones.
//!
//! The next node is asked only while the client has sent no other request: later requests must not be executed before.
//! If the call cannot continue for another reason, it ends with a cursor that leads there.

use std::rc::Rc;

use super::turn::{Taken, Turn};
use crate::client::{Charge, Client, Gate};
use crate::clock::Micros;
use crate::command::Join;
use crate::join::{Asked, Joining, Pages};
use crate::resp::{Args, Protocol, put_error, request};
use crate::routing::Routing;
use crate::upstream::{Payload, Ticket};
use crate::worker::Worker;
use placement::NodeId;

/// A call that may continue.
#[derive(Debug)]
pub(super) struct Walk {
    /// Of the request, as the client's outbox numbers it.
    number: u32,
    /// To a node at its beginning.
    request: Vec<u8>,
    first: NodeId,
    routing: Rc<Routing>,
    protocol: Protocol,
    deadline: Micros,
    charge: Charge,
}

impl Turn<'_> {
    /// The request to the node in its cursor, with that node's own cursor.
    pub(super) fn page(&mut self, bytes: &[u8]) -> Taken {
        let cursors = self.routing.cursors();
        let mut args: Vec<&[u8]> = Args::of(bytes).collect();
        let place = match cursors.read(args[1]) {
            Ok(place) => place,
            Err(invalid) => {
                self.answer(|out| put_error(out, invalid.text().as_bytes()));
                return Taken::Done;
            }
        };
        if self.outbox.charge() != Charge::NONE
            && let Some(taken) = self.wait_for([place.node])
        {
            return taken;
        }
        let nodes = self.routing.nodes[place.node.index()..].iter();
        let names: Vec<_> = nodes.map(|node| node.name()).collect();
        let may_go_on = names.len() > 1;
        let asked = Asked::pages(Pages::of(bytes, cursors, place.node));
        let joining = Joining::new(Join::Page, names, Vec::new()).asked(asked);
        let number = self.outbox.expect_joined(bytes.len(), joining);
        if may_go_on {
            args[1] = b"0";
            self.walks.push(Walk {
                number,
                request: request(&args),
                first: place.node,
                routing: Rc::clone(&self.routing),
                protocol: self.identity.protocol(),
                deadline: self.deadline,
                charge: self.outbox.charge(),
            });
        }
        let cursor = place.cursor.to_string();
        args[1] = cursor.as_bytes();
        self.send(place.node, Payload::of(request(&args)), number, 0);
        Taken::Done
    }
}

/// Asks the next nodes, or ends the calls that cannot continue.
pub(super) fn go_on(walks: &mut Vec<Walk>, worker: &Worker, client: &Rc<Client>) {
    if walks.is_empty() {
        return;
    }
    client.with_outbox(|outbox| {
        while let Some((number, part)) = outbox.next_part() {
            let walk = walks.iter().find(|walk| walk.number == number);
            let asked =
                outbox.is_last(number) && walk.is_some_and(|walk| walk.ask(part, worker, client));
            if !asked {
                outbox.finish(number);
            }
        }
        walks.retain(|walk| outbox.is_joining(walk.number));
    });
}

impl Walk {
    /// Whether the node of this part is asked.
    fn ask(&self, part: u16, worker: &Worker, client: &Rc<Client>) -> bool {
        let nodes = self.routing.nodes_in(self.protocol);
        let Some(node) = nodes.get(self.first.index() + usize::from(part)) else {
            return false;
        };
        let is_late = worker.clock().now() >= self.deadline;
        if is_late || !node.admits(self.charge, Gate::Free) {
            return false;
        }
        let ticket = Ticket {
            client: Rc::clone(client),
            number: self.number,
            part,
            deadline: self.deadline,
            commits: false,
            charge: self.charge,
        };
        node.send(Payload::Small(&self.request), ticket).is_ok()
    }
}
