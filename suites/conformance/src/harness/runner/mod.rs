//! The runner: one case, step by step, on a proxy and its nodes.
//!
//! Never waits without a deadline, and never judges a reply itself.

mod clients;
mod cluster;
mod expiry;
mod nodes;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use tokio::time::sleep;

use crate::cases::case::{Action, Case, Party, Step};
use crate::cases::footprint;
use crate::cases::word::Scope;
use crate::harness::connection::Connection;
use crate::harness::environment::{Damage, Environment};
use crate::harness::names::Names;
use crate::harness::transcript::merge;
use crate::verdict::{Class, Direction, Evidence, Line};
use testbed::client::Client;
use testbed::link::TapPosition;
use testbed::targets::Proxy;

/// Longest time for one reply unless a case says otherwise.
const REPLY_WITHIN_MAX: Duration = Duration::from_secs(10);

/// A reason to end a case before its last step.
pub(crate) enum Stop {
    /// The promise is broken.
    Broken(Box<Evidence>),
    /// The suite could not do its part.
    Stuck(String),
}

/// A running case. Its remaining faults are read afterwards.
pub(crate) struct Run<'a> {
    environment: &'a Environment,
    /// The proxy, if the suite started it.
    proxy: Option<&'a mut Proxy>,
    case: &'a Case,
    scope: Scope,
    parties: BTreeMap<Party, Connection>,
    /// The client with bytes that wait to be sent in one write.
    writer: Option<Party>,
    /// The alternative that fitted the last reply with alternatives.
    fitted: Option<usize>,
    begun: TapPosition,
    begun_at: Duration,
    looked: Vec<TapPosition>,
    lines: Vec<Line>,
    /// The damage to heal, with its node.
    pub(crate) damages: Vec<(usize, Damage)>,
    /// Keys that were written, including keys derived from the case's own.
    pub(crate) written: Vec<Vec<u8>>,
    /// The same keys, to find one.
    known: HashSet<Vec<u8>>,
    /// How many of them were given a time to live, on foreign servers; `None` if the case would notice it.
    expiring: Option<usize>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        environment: &'a Environment,
        proxy: Option<&'a mut Proxy>,
        case: &'a Case,
        scope: Scope,
    ) -> Self {
        let begun = environment.tap.mark();
        Self {
            environment,
            proxy,
            case,
            written: scope.keys.values().cloned().collect(),
            known: scope.keys.values().cloned().collect(),
            scope,
            parties: BTreeMap::new(),
            writer: None,
            fitted: None,
            begun,
            begun_at: environment.tap.now(),
            looked: vec![begun; environment.nodes.len()],
            lines: Vec::new(),
            damages: Vec::new(),
            expiring: (!expiry::notices_expiry(&case.steps)).then_some(0),
        }
    }

    /// Executes all steps.
    pub(crate) async fn steps(&mut self) -> Result<(), Stop> {
        for step in &self.case.steps {
            for repetition in 1..=step.times {
                self.scope.repetition = repetition;
                self.step(step).await?;
            }
            self.expire(step).await;
        }
        self.flush().await
    }

    async fn step(&mut self, step: &Step) -> Result<(), Stop> {
        match &step.action {
            Action::Send { from, .. } | Action::Raw { from, .. }
                if self.writer == Some(self.party(*from)) => {}
            _ => self.flush().await?,
        }
        match &step.action {
            Action::Given { node, key, value } => self.given(*node, key, value).await,
            Action::Send { from, words, group } => {
                let mut request: Vec<Vec<u8>> =
                    words.iter().map(|word| word.bytes(&self.scope)).collect();
                request.extend(group.iter().flat_map(|group| group.bytes(&self.scope)));
                self.send(step, self.party(*from), request).await
            }
            Action::Raw { from, words } => self.raw(step, self.party(*from), words).await,
            Action::Cut { client, bytes } => {
                self.connection(step, *client).await?.cut_once(*bytes);
                Ok(())
            }
            Action::Pause { time } => {
                self.line(
                    "suite".to_owned(),
                    Direction::Event,
                    &format!("pause {time:?}"),
                );
                // The pause is what the proxy is tested with; no event is awaited.
                sleep(*time).await;
                Ok(())
            }
            Action::Chunks { client, bytes } => {
                self.connection(step, *client).await?.cut_into(*bytes);
                Ok(())
            }
            Action::Want { from, patterns } => {
                for pattern in patterns {
                    self.want(step, self.party(*from), pattern).await?;
                }
                Ok(())
            }
            Action::Likewise { from, alternatives } => {
                self.likewise(step, *from, alternatives).await
            }
            Action::Nothing { client } => self.nothing(step, *client).await,
            Action::Asked { node, asked } => self.asked(step, *node, asked),
            Action::Fault { node, fault } => self.fault(*node, fault).await,
            Action::Answers { node, to, answer } => self.answers(*node, to, answer),
            Action::Interject { node, bytes } => self.interject(*node, bytes).await,
            Action::Heal { node } => self.heal(*node).await,
            Action::Await { node, requests } => self.awaited(step, *node, *requests).await,
            Action::Rescale { to, and } => self.rescale(step, to, and.as_ref()).await,
            Action::BadCluster => self.bad_cluster(step).await,
            Action::Close { client } => {
                self.parties.remove(client);
                self.note(*client, Direction::Event, "close");
                Ok(())
            }
            Action::HalfClose { client } => {
                self.connection(step, *client).await?.half_close().await;
                self.note(*client, Direction::Event, "half-close");
                Ok(())
            }
            Action::Eventually { within, send, want } => self.eventually(*within, send, want).await,
        }
    }

    async fn connection(&mut self, step: &Step, party: Party) -> Result<&mut Connection, Stop> {
        if !self.parties.contains_key(&party) {
            let addr = match party {
                Party::Client(_) | Party::EachClient => self.environment.proxy,
                Party::Node(node) => self.environment.nodes[node],
            };
            let client = match (Client::connect(addr, self.within()).await, party) {
                (Ok(client), _) => client,
                (Err(why), Party::Node(_)) => return Err(Stop::Stuck(why.to_string())),
                (Err(why), Party::Client(_) | Party::EachClient) => {
                    let expected = "a connection".to_owned();
                    return Err(self.broken(step, Class::Closed, expected, why.to_string()));
                }
            };
            self.note(party, Direction::Event, "connected");
            self.parties.insert(party, Connection::new(client));
        }
        self.parties
            .get_mut(&party)
            .ok_or_else(|| Stop::Stuck(format!("{party} is not connected")))
    }

    fn within(&self) -> Duration {
        let usual = self.environment.op_timeout * 5 + Duration::from_secs(1);
        let within = self.case.deadline.unwrap_or(usual.min(REPLY_WITHIN_MAX));
        self.environment
            .reply_within
            .map_or(within, |most| most.min(within))
    }

    /// The client that a step means in this repetition.
    fn party(&self, party: Party) -> Party {
        match party {
            // Steps of as many clients as a number can count are refused with the file.
            Party::EachClient => Party::Client(u16::try_from(self.scope.repetition).unwrap_or(0)),
            party => party,
        }
    }

    fn remember(&mut self, word: &[u8]) {
        let ours = footprint::contains(word, self.environment.prefix.as_bytes());
        if ours && self.known.insert(word.to_vec()) {
            self.written.push(word.to_vec());
            if let Some(record) = &self.environment.record {
                record.key(word);
            }
        }
    }

    fn note(&mut self, party: Party, way: Direction, text: &str) {
        self.line(party.to_string(), way, text);
    }

    fn note_proxy(&mut self, text: &str) {
        self.line("proxy".to_owned(), Direction::Event, text);
    }

    fn line(&mut self, party: String, way: Direction, text: &str) {
        self.lines.push(Line {
            at: self.environment.tap.now().saturating_sub(self.begun_at),
            party,
            way,
            text: text.to_owned(),
        });
    }

    fn broken(&self, step: &Step, class: Class, expected: String, got: String) -> Stop {
        let names = self.names();
        Stop::Broken(Box::new(Evidence {
            class,
            at: format!("{}:{}", self.case.path, step.line),
            expected: names.shown(&expected),
            got: names.shown(&got),
            transcript: self.transcript(),
            keys: names.keys(),
            log: Vec::new(),
        }))
    }

    /// The names of its keys.
    pub(crate) fn names(&self) -> Names {
        Names::of(&self.scope)
    }

    /// Both sides of the run up to now.
    pub(crate) fn transcript(&self) -> Vec<Line> {
        let events = self.environment.tap.since(self.begun);
        let merged = merge(&self.lines, &events, self.begun_at);
        self.names().in_all(merged)
    }
}
