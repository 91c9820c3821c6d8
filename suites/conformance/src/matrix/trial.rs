//! One trial: the same requests to the proxy and to the plain Redis, until they part.

use super::sheet::{Request, Row, Trial};
use super::{Place, TrialOutcome};
use crate::cases::judge::Outcome;
use crate::cases::word::{Scope, Variable};
use crate::harness::Error;
use crate::harness::names::Names;
use crate::harness::transcript;
use crate::oracle::{Comparison, Oracle, compare, errors_alike, outcome, parted};
use crate::verdict::{Class, Direction, Evidence, Line};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::wire::{self, Value, quoted};

/// A key that no row writes.
const UNUSED: Variable = Variable {
    node: None,
    moved: None,
    number: 9,
};
/// More pages than any scan of a row has.
const PAGES_MAX: usize = 1000;

/// Runs a trial on clean servers.
pub(super) async fn run(
    oracle: &Oracle,
    row: &Row,
    trial: &Trial,
    place: Place,
) -> Result<TrialOutcome, Error> {
    let scope = oracle.scope(place);
    for given in &row.given {
        let node = given.keys().next();
        let node = node.map(|key| oracle.node_of(place, key));
        let words = given.bytes(&scope);
        oracle.record_script(&words);
        oracle.given(&words, node).await?;
    }
    let begun = oracle.tap().now();
    let mark = oracle.tap().mark();
    let mut run = Run {
        oracle,
        row,
        scope,
        place,
        plain: oracle.plain().await?,
        proxy: oracle.client().await?,
        lines: Vec::new(),
        begun,
        last: None,
    };
    let parted = run.until_they_part(trial).await?;
    let events = oracle.tap().since(mark);
    let names = Names::of(&run.scope);
    Ok(match parted {
        None => TrialOutcome {
            class: Class::Correct,
            in_other_words: false,
            evidence: None,
        },
        Some(parted) => TrialOutcome {
            class: parted.class,
            in_other_words: parted.in_other_words,
            evidence: Some(Evidence {
                class: parted.class,
                at: trial.at.clone(),
                expected: names.shown(&parted.expected),
                got: names.shown(&parted.got),
                transcript: names.in_all(transcript::merge(&run.lines, &events, begun)),
                keys: names.keys(),
                log: Vec::new(),
            }),
        },
    })
}

struct Run<'a> {
    oracle: &'a Oracle,
    row: &'a Row,
    scope: Scope,
    place: Place,
    plain: Client,
    proxy: Client,
    lines: Vec<Line>,
    begun: std::time::Duration,
    /// The last reply of the proxy.
    last: Option<Outcome>,
}

/// Where the proxy and the plain Redis differ.
struct Parted {
    class: Class,
    in_other_words: bool,
    expected: String,
    got: String,
}

impl Run<'_> {
    async fn until_they_part(&mut self, trial: &Trial) -> Result<Option<Parted>, Error> {
        for (index, request) in trial.requests.iter().enumerate() {
            self.oracle.expire(self.place).await;
            let before = self.oracle.plain_contents(self.place).await?;
            if request.silent {
                self.say(request).await;
                continue;
            }
            let Some(mut parted) = self.both(request).await else {
                continue;
            };
            if parted.class == Class::Refused {
                let on_nodes = self.oracle.contents(self.place).await?;
                if let Some(what) = on_nodes.difference(&before) {
                    parted.class = Class::Partial;
                    parted.in_other_words = false;
                    parted.got = format!("{}, and {what}", parted.got);
                } else if index == 0 && !self.row.ends {
                    let empty = Outcome::Reply(Value::Bulk(Vec::new()));
                    return Ok(self.goes_on(&empty).await.or(Some(parted)));
                }
            }
            return Ok(Some(parted));
        }
        let on_nodes = self.oracle.contents(self.place).await?;
        let on_plain = self.oracle.plain_contents(self.place).await?;
        let stray = || on_nodes.stray(&self.oracle.owners(self.place));
        if let Some(what) = on_nodes.difference(&on_plain).or_else(stray) {
            let closed = matches!(self.last, Some(Outcome::Closed(_)));
            return Ok(Some(Parted {
                class: if closed { Class::Closed } else { Class::Wrong },
                in_other_words: false,
                expected: "the effects that it has on one plain Redis".to_owned(),
                got: what,
            }));
        }
        if self.row.ends {
            return Ok(None);
        }
        let probe = self.probe();
        let expected = reply(&mut self.plain, &probe).await;
        Ok(self.goes_on(&expected).await)
    }

    /// Sends a request to both, and compares the replies.
    async fn both(&mut self, request: &Request) -> Option<Parted> {
        let words = request.bytes(&self.scope);
        self.oracle.record_script(&words);
        let comparison = self.row.comparison;
        let (mut expected, mut seen) = (Vec::new(), Vec::new());
        if comparison == Comparison::Scan {
            expected.push(pages(&mut self.plain, &words, NODE_DEADLINE).await);
            seen.push(pages(&mut self.proxy, &words, self.oracle.patience).await);
            self.note(Direction::ToProxy, shown(&words));
            self.note(Direction::FromProxy, seen[0].shown());
        } else {
            if comparison != Comparison::Refusal {
                expected = ask(&mut self.plain, &words, self.row.replies, NODE_DEADLINE).await;
            }
            self.note(Direction::ToProxy, shown(&words));
            let patience = self.oracle.patience;
            seen = ask(&mut self.proxy, &words, self.row.replies, patience).await;
            for outcome in &seen {
                self.note(Direction::FromProxy, outcome.shown());
            }
        }
        self.last = seen.last().cloned();
        let nothing = Outcome::Garbled("a refusal".to_owned());
        for (index, seen) in seen.iter().enumerate() {
            let expected = expected.get(index).unwrap_or(&nothing);
            let class = compare(comparison, expected, seen);
            if class != Class::Correct {
                let words = parted(comparison, expected, seen);
                return Some(Parted {
                    class,
                    in_other_words: errors_alike(expected, seen),
                    expected: format!("{}, as {}", words.expected, comparison.name()),
                    got: words.got,
                });
            }
        }
        (seen.len() != expected.len()).then(|| Parted {
            class: Class::Partial,
            in_other_words: false,
            expected: format!("{} replies", expected.len()),
            got: format!("{} replies", seen.len()),
        })
    }

    /// Whether the connection still works and its replies are in order: no reply follows the last one.
    async fn goes_on(&mut self, expected: &Outcome) -> Option<Parted> {
        let probe = self.probe();
        self.note(Direction::ToProxy, shown(&probe));
        let patience = self.oracle.patience;
        let seen = outcome(self.proxy.call(&probe, patience).await);
        self.note(Direction::FromProxy, seen.shown());
        let class = compare(Comparison::Exact, expected, &seen);
        (class != Class::Correct).then(|| Parted {
            class,
            in_other_words: false,
            expected: format!("{}, to the next request", expected.shown()),
            got: seen.shown(),
        })
    }

    /// A read that every proxy supports, with an answer that no other request has.
    fn probe(&self) -> Vec<Vec<u8>> {
        let key = self.scope.keys.get(&UNUSED).cloned().unwrap_or_default();
        vec![b"GETRANGE".to_vec(), key, b"0".to_vec(), b"-1".to_vec()]
    }

    /// Sends a request that Redis does not answer to both.
    async fn say(&mut self, request: &Request) {
        let words = request.bytes(&self.scope);
        let bytes = wire::encode_request(&words);
        self.note(Direction::ToProxy, shown(&words));
        // A side that is gone shows at the next reply.
        let _ = self.plain.write(&bytes, NODE_DEADLINE).await;
        let _ = self.proxy.write(&bytes, NODE_DEADLINE).await;
    }

    fn note(&mut self, way: Direction, text: String) {
        let at = self.oracle.tap().now().saturating_sub(self.begun);
        self.lines.push(Line {
            at,
            party: "client 1".to_owned(),
            way,
            text,
        });
    }
}

async fn reply(client: &mut Client, words: &[Vec<u8>]) -> Outcome {
    outcome(client.call(words, NODE_DEADLINE).await)
}

/// Sends a request and reads this number of replies, or a failure instead.
async fn ask(
    client: &mut Client,
    words: &[Vec<u8>],
    replies: usize,
    within: std::time::Duration,
) -> Vec<Outcome> {
    let mut seen = vec![outcome(client.call(words, within).await)];
    while seen.len() < replies && is_answer(&seen[seen.len() - 1]) {
        seen.push(outcome(client.reply(within).await));
    }
    seen
}

fn is_answer(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Reply(value) if !value.is_error())
}

/// All elements of all pages, or the unexpected reply instead of a page.
async fn pages(client: &mut Client, words: &[Vec<u8>], within: std::time::Duration) -> Outcome {
    let mut words = words.to_vec();
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = outcome(client.call(&words, within).await);
        let Outcome::Reply(Value::Array(parts)) = &page else {
            return page;
        };
        let [Value::Bulk(cursor), Value::Array(elements)] = &parts[..] else {
            return page;
        };
        all.extend_from_slice(elements);
        if cursor == b"0" {
            return Outcome::Reply(Value::Array(all));
        }
        words[1].clone_from(cursor);
    }
    Outcome::Garbled(format!("no end after {PAGES_MAX} pages"))
}

fn shown(words: &[Vec<u8>]) -> String {
    let word = |word: &Vec<u8>| {
        let plain = !word.is_empty() && word.len() <= 64 && word.iter().all(u8::is_ascii_graphic);
        match std::str::from_utf8(word) {
            Ok(text) if plain => text.to_owned(),
            _ => quoted(word),
        }
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}
