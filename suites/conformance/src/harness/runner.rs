//! The runner: one case, step by step, on a proxy and its nodes.
//!
//! Never waits without a deadline, and never judges a reply itself.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cases::asked::{compare, requests};
use crate::cases::case::{Action, Answer, Asked, Case, Party, Step};
use crate::cases::footprint;
use crate::cases::judge::{Outcome, first_fitting, judge};
use crate::cases::pattern::Pattern;
use crate::cases::word::{Scope, Word, letter};
use crate::harness::connection::Connection;
use crate::harness::environment::{Damage, Environment};
use crate::harness::transcript::merge;
use crate::verdict::{Class, Direction, Evidence, Line};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::fault::Fault;
use testbed::leftovers::{self, TTL_S};
use testbed::link::{self, TapPosition, Then, What};
use testbed::wire::{encode_request, quoted};

/// Longest time for one reply unless a case says otherwise.
const REPLY_WITHIN_MAX: Duration = Duration::from_secs(10);
/// Between two attempts of an `eventually`.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

/// What ends a case before its last step.
pub(crate) enum Stop {
    /// The promise is broken.
    Broken(Box<Evidence>),
    /// The suite could not do its part.
    Stuck(String),
}

/// A case while it runs. Which faults it left behind is read off afterwards.
pub(crate) struct Run<'a> {
    environment: &'a Environment,
    case: &'a Case,
    scope: Scope,
    parties: BTreeMap<Party, Connection>,
    /// Who has bytes waiting to leave in one write.
    writer: Option<Party>,
    /// Which alternative fitted the last reply that had some.
    fitted: Option<usize>,
    begun: TapPosition,
    begun_at: Duration,
    looked: Vec<TapPosition>,
    lines: Vec<Line>,
    /// What has to be healed, with its node.
    pub(crate) damages: Vec<(usize, Damage)>,
    /// Keys that were written, also those made out of the case's own.
    pub(crate) written: Vec<Vec<u8>>,
    /// How many of them were given a time to live, on foreign servers; `None` where the case would notice it.
    expiring: Option<usize>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(environment: &'a Environment, case: &'a Case, scope: Scope) -> Self {
        let begun = environment.tap.mark();
        Self {
            environment,
            case,
            written: scope.keys.values().cloned().collect(),
            scope,
            parties: BTreeMap::new(),
            writer: None,
            fitted: None,
            begun,
            begun_at: environment.tap.now(),
            looked: vec![begun; environment.nodes.len()],
            lines: Vec::new(),
            damages: Vec::new(),
            expiring: (!notices_expiry(&case.steps)).then_some(0),
        }
    }

    /// Carries out all steps.
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

    /// Gives what a reply confirmed a time to live, on foreign servers: if the suite is killed, its keys must go.
    async fn expire(&mut self, step: &Step) {
        let (Some(record), Some(done)) = (&self.environment.record, self.expiring) else {
            return;
        };
        if done == self.written.len() || !reads(&step.action) {
            return;
        }
        for addr in record.places() {
            // A server that does not answer shows where a reply is due; the end of the run reports what is left.
            if let Err(why) = leftovers::expire(addr, &self.written).await {
                tracing::debug!("keys at {addr} get no time to live: {why}");
            }
        }
        self.expiring = Some(self.written.len());
    }

    async fn step(&mut self, step: &Step) -> Result<(), Stop> {
        match &step.action {
            Action::Send { from, .. } | Action::Raw { from, .. } if self.writer == Some(*from) => {}
            _ => self.flush().await?,
        }
        match &step.action {
            Action::Given { node, key, value } => self.given(*node, key, value).await,
            Action::Send { from, words } => self.send(step, *from, words).await,
            Action::Raw { from, words } => self.raw(step, *from, words).await,
            Action::Chunks { client, bytes } => {
                self.connection(step, *client).await?.cut_into(*bytes);
                Ok(())
            }
            Action::Want { from, patterns } => {
                for pattern in patterns {
                    self.want(step, *from, pattern).await?;
                }
                Ok(())
            }
            Action::Likewise { from, alternatives } => {
                self.likewise(step, *from, alternatives).await
            }
            Action::Nothing { client } => self.nothing(step, *client).await,
            Action::Asked { node, asked } => self.asked(step, *node, asked),
            Action::Fault { node, fault } => self.fault(*node, *fault).await,
            Action::Answers { node, to, answer } => self.answers(*node, to, answer),
            Action::Interject { node, bytes } => self.interject(*node, bytes).await,
            Action::Heal { node } => self.heal(*node).await,
            Action::Await { node, requests } => self.awaited(step, *node, *requests).await,
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

    async fn given(&mut self, node: usize, key: &Word, value: &Word) -> Result<(), Stop> {
        let (key, value) = (key.bytes(&self.scope), value.bytes(&self.scope));
        // Without nodes it is given through the proxy, on a connection of its own.
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

    async fn send(&mut self, step: &Step, from: Party, words: &[Word]) -> Result<(), Stop> {
        let words: Vec<Vec<u8>> = words.iter().map(|word| word.bytes(&self.scope)).collect();
        for word in &words[1..] {
            self.remember(word);
        }
        if let (Some(record), Some(script)) = (&self.environment.record, footprint::script(&words))
        {
            record.script(script);
        }
        let text = What::Asked(words.clone()).to_string();
        self.enqueue(step, from, &encode_request(&words), &text)
            .await
    }

    async fn raw(&mut self, step: &Step, from: Party, words: &[Word]) -> Result<(), Stop> {
        let bytes: Vec<u8> = words
            .iter()
            .flat_map(|word| word.bytes(&self.scope))
            .collect();
        for key in footprint::keys_in(&bytes, self.environment.prefix.as_bytes()) {
            self.remember(key);
        }
        let text = format!("raw {}", quoted(&bytes));
        self.enqueue(step, from, &bytes, &text).await
    }

    async fn enqueue(
        &mut self,
        step: &Step,
        from: Party,
        bytes: &[u8],
        text: &str,
    ) -> Result<(), Stop> {
        let connection = self.connection(step, from).await?;
        connection.enqueue(bytes);
        self.writer = Some(from);
        self.note(from, Direction::ToProxy, text);
        Ok(())
    }

    /// Writes what the last sends of one party left waiting.
    async fn flush(&mut self) -> Result<(), Stop> {
        let within = self.within();
        let writer = self.writer.take();
        if let Some(connection) = writer.and_then(|from| self.parties.get_mut(&from)) {
            connection.flush(within).await;
        }
        Ok(())
    }

    async fn want(&mut self, step: &Step, from: Party, pattern: &Pattern) -> Result<(), Stop> {
        let time = match step.times {
            1 => String::new(),
            times => format!(" (time {} of {times})", self.scope.repetition),
        };
        let outcome = self.expect(step, from, pattern, &time).await?;
        if let Pattern::Either(alternatives) = pattern {
            self.fitted = first_fitting(alternatives, &outcome, &self.scope);
        }
        Ok(())
    }

    async fn likewise(
        &mut self,
        step: &Step,
        from: Party,
        alternatives: &[Pattern],
    ) -> Result<(), Stop> {
        let fitted = self.fitted.and_then(|at| Some((at, alternatives.get(at)?)));
        let (at, pattern) = fitted.ok_or_else(|| {
            Stop::Stuck("likewise: no reply before it had as many alternatives".to_owned())
        })?;
        let which = format!(" (alternative {} of {})", at + 1, alternatives.len());
        self.expect(step, from, pattern, &which).await?;
        Ok(())
    }

    /// The next reply, which fits; `which` tells of several expectations of a step the one that it did not.
    async fn expect(
        &mut self,
        step: &Step,
        from: Party,
        pattern: &Pattern,
        which: &str,
    ) -> Result<Outcome, Stop> {
        let outcome = self.outcome(step, from, pattern).await?;
        match judge(pattern, &outcome, &self.scope) {
            Ok(()) => Ok(outcome),
            Err(class) => {
                let expected = pattern.shown(&self.scope) + which;
                Err(self.broken(step, class, expected, outcome.shown()))
            }
        }
    }

    /// What comes where a reply is due.
    async fn outcome(
        &mut self,
        step: &Step,
        from: Party,
        pattern: &Pattern,
    ) -> Result<Outcome, Stop> {
        let within = self.within();
        let raw = match pattern {
            Pattern::Raw(word) => Some(word.bytes(&self.scope).len()),
            _ => None,
        };
        let outcome = self
            .connection(step, from)
            .await?
            .outcome(raw, within)
            .await;
        self.note(from, Direction::FromProxy, &outcome.shown());
        Ok(outcome)
    }

    /// A PING's answer is the next thing that comes, so nothing else was on its way.
    async fn nothing(&mut self, step: &Step, client: Party) -> Result<(), Stop> {
        let ping = encode_request(&["PING"]);
        self.enqueue(step, client, &ping, "PING").await?;
        self.flush().await?;
        let pong = Pattern::Simple(Word::plain("PONG"));
        let outcome = self.outcome(step, client, &pong).await?;
        judge(&pong, &outcome, &self.scope).map_err(|class| {
            let class = match outcome {
                Outcome::Reply(_) => Class::Wrong,
                _ => class,
            };
            let expected = "nothing but the answer to a PING".to_owned();
            self.broken(step, class, expected, outcome.shown())
        })
    }

    fn asked(&mut self, step: &Step, node: usize, asked: &Asked) -> Result<(), Stop> {
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

    async fn awaited(&mut self, step: &Step, node: usize, count: usize) -> Result<(), Stop> {
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

    async fn fault(&mut self, node: usize, fault: Fault) -> Result<(), Stop> {
        let text = format!("fault {} {fault}", letter(node));
        self.note(Party::Node(node), Direction::Event, &text);
        // Remembered first: what was half done must be healed as well.
        self.damages.push((node, Damage::Fault(fault)));
        self.environment
            .fault(node, fault)
            .await
            .map_err(|why| Stop::Stuck(why.to_string()))
    }

    fn answers(&mut self, node: usize, to: &Word, answer: &Answer) -> Result<(), Stop> {
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

    async fn interject(&mut self, node: usize, bytes: &Word) -> Result<(), Stop> {
        let bytes = bytes.bytes(&self.scope);
        let text = format!("answers unasked {}", quoted(&bytes));
        self.note(Party::Node(node), Direction::Event, &text);
        self.damages.push((node, Damage::Scripted));
        let interjected = self.environment.interject(node, &bytes).await;
        interjected.map_err(|why| Stop::Stuck(why.to_string()))
    }

    async fn heal(&mut self, node: usize) -> Result<(), Stop> {
        let of_node = |(at, _): &(usize, Damage)| *at == node;
        let damages: Vec<Damage> = self
            .damages
            .iter()
            .filter(|damage| of_node(damage))
            .map(|(_, damage)| *damage)
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

    /// Errors, ends and silence are how a proxy recovers; a wrong answer is wrong at any time.
    async fn eventually(&mut self, within: Duration, send: &Step, want: &Step) -> Result<(), Stop> {
        let deadline = Instant::now() + within;
        loop {
            let class = match Box::pin(self.attempt(send, want)).await {
                Err(Stop::Broken(evidence))
                    if evidence.class != Class::Wrong && Instant::now() < deadline =>
                {
                    evidence.class
                }
                other => return other,
            };
            if matches!(class, Class::Closed | Class::Partial | Class::Hung) {
                // The next attempt begins on a connection of its own.
                if let Action::Want { from, .. } = want.action {
                    self.parties.remove(&from);
                }
            }
            sleep(BETWEEN_ATTEMPTS).await;
        }
    }

    async fn attempt(&mut self, send: &Step, want: &Step) -> Result<(), Stop> {
        self.step(send).await?;
        self.step(want).await
    }

    async fn connection(&mut self, step: &Step, party: Party) -> Result<&mut Connection, Stop> {
        if !self.parties.contains_key(&party) {
            let addr = match party {
                Party::Client(_) => self.environment.proxy,
                Party::Node(node) => self.environment.nodes[node],
            };
            let client = match (Client::connect(addr, self.within()).await, party) {
                (Ok(client), _) => client,
                (Err(why), Party::Node(_)) => return Err(Stop::Stuck(why.to_string())),
                (Err(why), Party::Client(_)) => {
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

    fn remember(&mut self, word: &[u8]) {
        let ours = footprint::contains(word, self.environment.prefix.as_bytes());
        if ours && !self.written.iter().any(|known| known == word) {
            self.written.push(word.to_vec());
            if let Some(record) = &self.environment.record {
                record.key(word);
            }
        }
    }

    fn note(&mut self, party: Party, way: Direction, text: &str) {
        self.lines.push(Line {
            at: self.environment.tap.now().saturating_sub(self.begun_at),
            party: party.to_string(),
            way,
            text: text.to_owned(),
        });
    }

    fn broken(&self, step: &Step, class: Class, expected: String, got: String) -> Stop {
        Stop::Broken(Box::new(Evidence {
            class,
            at: format!("{}:{}", self.case.path, step.line),
            expected,
            got,
            transcript: self.transcript(),
        }))
    }

    /// Both sides of the run up to now.
    pub(crate) fn transcript(&self) -> Vec<Line> {
        let events = self.environment.tap.since(self.begun);
        merge(&self.lines, &events, self.begun_at)
    }
}

/// Whether a step waits for a reply, so that what was sent before it is done.
fn reads(action: &Action) -> bool {
    matches!(
        action,
        Action::Want { .. }
            | Action::Likewise { .. }
            | Action::Nothing { .. }
            | Action::Eventually { .. }
    )
}

/// Whether a request of the steps would notice that keys expire.
fn notices_expiry(steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.action {
        Action::Send { words, .. } | Action::Raw { words, .. } => {
            let bytes = |word: &Word| word.bytes(&Scope::default());
            words
                .iter()
                .any(|word| footprint::notices_expiry(&bytes(word)))
        }
        Action::Eventually { send, .. } => notices_expiry(std::slice::from_ref(send)),
        _ => false,
    })
}
