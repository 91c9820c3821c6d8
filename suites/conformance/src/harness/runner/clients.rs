//! The clients of a case: send requests and bytes, read replies, and retry until a reply fits.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Run, Stop};
use crate::cases::case::{Action, Party, Step};
use crate::cases::footprint;
use crate::cases::judge::{Outcome, first_fitting, judge};
use crate::cases::pattern::Pattern;
use crate::cases::word::Word;
use crate::verdict::{Class, Direction};
use testbed::link::What;
use testbed::wire::{encode_request, quoted};

/// Between two attempts of an `eventually`.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

impl Run<'_> {
    pub(super) async fn send(
        &mut self,
        step: &Step,
        from: Party,
        words: Vec<Vec<u8>>,
    ) -> Result<(), Stop> {
        for word in &words[1..] {
            self.remember(word);
        }
        if let (Some(record), Some(script)) = (&self.environment.record, footprint::script(&words))
        {
            record.script(script);
        }
        let bytes = encode_request(&words);
        let text = What::Asked(words).to_string();
        self.enqueue(step, from, &bytes, &text).await
    }

    pub(super) async fn raw(
        &mut self,
        step: &Step,
        from: Party,
        words: &[Word],
    ) -> Result<(), Stop> {
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

    /// Writes the pending bytes of the last sends of one party.
    pub(super) async fn flush(&mut self) -> Result<(), Stop> {
        let within = self.within();
        let writer = self.writer.take();
        if let Some(connection) = writer.and_then(|from| self.parties.get_mut(&from)) {
            connection.flush(within).await;
        }
        Ok(())
    }

    pub(super) async fn want(
        &mut self,
        step: &Step,
        from: Party,
        pattern: &Pattern,
    ) -> Result<(), Stop> {
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

    pub(super) async fn likewise(
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

    /// The outcome where a reply is due.
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

    /// The answer to a PING is the next reply, so no other one was on its way.
    pub(super) async fn nothing(&mut self, step: &Step, client: Party) -> Result<(), Stop> {
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

    /// Errors, ends and silence are how a proxy recovers; a wrong answer is wrong at any time.
    pub(super) async fn eventually(
        &mut self,
        within: Duration,
        send: &Step,
        want: &Step,
    ) -> Result<(), Stop> {
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
}
