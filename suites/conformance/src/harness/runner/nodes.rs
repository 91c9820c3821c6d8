//! Steps of a case on nodes: given keys, checks of requests, faults, scripted answers, and healing.

use super::{Run, Stop};
use crate::cases::asked::{compare, requests};
use crate::cases::case::{Answer, Asked, Party, Step};
use crate::cases::word::{Word, letter};
use crate::harness::environment::Damage;
use crate::verdict::{Class, Direction};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::fault::Fault;
use testbed::leftovers::TTL_S;
use testbed::link::{self, Then};
use testbed::wire::quoted;

impl Run<'_> {
    pub(super) async fn given(
        &mut self,
        node: usize,
        key: &Word,
        value: &Word,
    ) -> Result<(), Stop> {
        let (key, value) = (key.bytes(&self.scope), value.bytes(&self.scope));
        // Without nodes the data is written through the proxy, on a connection of its own.
        let addr = self.environment.nodes.get(node).copied();
        let addr = addr.unwrap_or(self.environment.proxy);
        let stuck = |why: String| Stop::Stuck(format!("given: SET at {addr}: {why}"));
        let mut client = Client::connect(addr, NODE_DEADLINE)
            .await
            .map_err(|why| stuck(why.to_string()))?;
        self.remember(&key);
        let ttl = TTL_S.to_string();
        let mut set = vec![&b"SET"[..], &key, &value];
        if self.environment.record.is_some() && self.expiring.is_some() {
            set.extend([&b"EX"[..], ttl.as_bytes()]);
        }
        let reply = client.call(&set, NODE_DEADLINE).await;
        match reply.map_err(|why| stuck(why.to_string()))? {
            reply if reply.is_error() => Err(stuck(reply.to_string())),
            _ => {
                let text = format!("given {} = {}", quoted(&key), quoted(&value));
                self.note(Party::Node(node), Direction::Event, &text);
                Ok(())
            }
        }
    }

    pub(super) fn asked(&mut self, step: &Step, node: usize, asked: &Asked) -> Result<(), Stop> {
        let mark = std::mem::replace(&mut self.looked[node], self.environment.tap.mark());
        let events = self.environment.tap.since(mark);
        let known = self.environment.known();
        compare(asked, requests(&events, node, known), known, &self.scope).map_err(
            |(expected, got)| {
                let said = |what: &str| format!("asked {} {what}", letter(node));
                self.broken(step, Class::Misrouted, said(&expected), said(&got))
            },
        )
    }

    pub(super) async fn awaited(
        &mut self,
        step: &Step,
        node: usize,
        count: usize,
    ) -> Result<(), Stop> {
        let known = self.environment.known();
        let asked = |events: &[_]| requests(events, node, known).count();
        let within = self.within();
        let wait = self
            .environment
            .tap
            .wait(self.begun, within, |events| asked(events) >= count);
        match wait.await {
            Ok(_) => Ok(()),
            Err(events) => {
                let said = |count| format!("{} asked {count}", letter(node));
                Err(self.broken(step, Class::Hung, said(count), said(asked(&events))))
            }
        }
    }

    pub(super) async fn fault(&mut self, node: usize, fault: &Fault) -> Result<(), Stop> {
        let text = format!("fault {} {fault}", letter(node));
        self.note(Party::Node(node), Direction::Event, &text);
        // Remembered first: a fault that was half applied must be healed as well.
        self.damages.push((node, Damage::Fault(fault.clone())));
        self.environment
            .fault(node, fault)
            .await
            .map_err(|why| Stop::Stuck(why.to_string()))
    }

    pub(super) fn answers(&mut self, node: usize, to: &Word, answer: &Answer) -> Result<(), Stop> {
        let to = to.bytes(&self.scope);
        let (bytes, then) = match answer {
            Answer::Bytes(bytes) => (bytes.bytes(&self.scope), Then::GoOn),
            Answer::BytesAndClose(bytes) => (bytes.bytes(&self.scope), Then::Close),
            Answer::Close => (Vec::new(), Then::Close),
            Answer::Nothing => (Vec::new(), Then::GoOn),
        };
        let text = format!("answers {} {}", quoted(&to), quoted(&bytes));
        self.note(Party::Node(node), Direction::Event, &text);
        self.damages.push((node, Damage::Scripted));
        self.environment
            .answers(node, &to, link::Answer { bytes, then })
            .map_err(|why| Stop::Stuck(why.to_string()))
    }

    pub(super) async fn interject(&mut self, node: usize, bytes: &Word) -> Result<(), Stop> {
        let bytes = bytes.bytes(&self.scope);
        let text = format!("answers unasked {}", quoted(&bytes));
        self.note(Party::Node(node), Direction::Event, &text);
        self.damages.push((node, Damage::Scripted));
        let interjected = self.environment.interject(node, &bytes).await;
        interjected.map_err(|why| Stop::Stuck(why.to_string()))
    }

    pub(super) async fn heal(&mut self, node: usize) -> Result<(), Stop> {
        let of_node = |(at, _): &(usize, Damage)| *at == node;
        let damages: Vec<Damage> = self
            .damages
            .iter()
            .filter(|damage| of_node(damage))
            .map(|(_, damage)| damage.clone())
            .collect();
        self.note(
            Party::Node(node),
            Direction::Event,
            &format!("heal {}", letter(node)),
        );
        self.environment
            .heal(node, &damages)
            .await
            .map_err(|why| Stop::Stuck(why.to_string()))?;
        self.damages.retain(|damage| !of_node(damage));
        Ok(())
    }
}
