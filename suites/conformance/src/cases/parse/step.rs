//! One step of a case: a verb and its arguments.

use std::time::Duration;

use super::error::Problem;
use super::pattern::{alternatives, patterns};
use super::token::{Token, number, tokens};
use crate::cases::case::{Action, Answer, Asked, NODES_MAX, Party};
use crate::cases::members::Members;
use crate::cases::word::{Group, Word, letter};
use testbed::fault::Fault;

/// Longest pause: a stimulus, which every run waits for.
const PAUSE_MAX: Duration = Duration::from_secs(5);
const VERBS: &str = "given, send, raw, chunks, cut, pause, want, likewise, nothing, asked, fault, answers, heal, await, rescale, cluster, close, half-close, times or eventually";

/// The meaning of a line.
pub(super) enum Order {
    /// A step.
    Do(Action),
    /// The next step is repeated.
    Times(usize),
    /// The next two steps are repeated until they fit.
    Eventually(Duration),
}

/// The step on a line, from its verb and the text after it.
pub(super) fn step(verb: &str, rest: &str) -> Result<Order, Problem> {
    let tokens = tokens(rest)?;
    let mut line = Line { tokens: &tokens };
    let action = match verb {
        "given" => line.given()?,
        "send" => line.send()?,
        "raw" => Action::Raw {
            from: line.sender()?,
            words: line.words()?,
        },
        "cut" => Action::Cut {
            client: line.client()?,
            bytes: line.number()?,
        },
        "pause" => Action::Pause {
            time: line.pause()?,
        },
        "chunks" => Action::Chunks {
            client: line.client()?,
            bytes: line.number()?.max(1),
        },
        "want" => Action::Want {
            from: line.sender()?,
            patterns: patterns(line.rest())?,
        },
        "likewise" => Action::Likewise {
            from: line.party()?,
            alternatives: alternatives(line.rest())?,
        },
        "nothing" => Action::Nothing {
            client: line.client()?,
        },
        "asked" => Action::Asked {
            node: line.node()?,
            asked: line.asked()?,
        },
        "fault" => Action::Fault {
            node: line.node()?,
            fault: line.fault()?,
        },
        "answers" => line.answers()?,
        "heal" => Action::Heal { node: line.node()? },
        "await" => line.awaited()?,
        "rescale" => line.rescale()?,
        "cluster" => line.cluster()?,
        "close" => Action::Close {
            client: line.client()?,
        },
        "half-close" => Action::HalfClose {
            client: line.client()?,
        },
        "times" => {
            let times = line.number()?;
            return line.end(Order::Times(times));
        }
        "eventually" => {
            let within = duration(line.bare("a time such as 5s")?)?;
            return line.end(Order::Eventually(within));
        }
        other => return Err(Problem::new(format!("verb `{other}`"), VERBS)),
    };
    line.end(Order::Do(action))
}

/// `50ms` or `2s`.
pub(super) fn duration(text: &str) -> Result<Duration, Problem> {
    let wrong = || Problem::new(format!("`{text}`"), "a time such as 50ms or 2s");
    let (digits, factor) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1000),
    };
    let count = number(digits).map_err(|_| wrong())?;
    u64::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(factor))
        .filter(|ms| *ms <= 600_000)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

/// The rest of a line.
struct Line<'a> {
    tokens: &'a [Token<'a>],
}

impl<'a> Line<'a> {
    fn next(&mut self, expected: &str) -> Result<Token<'a>, Problem> {
        let (first, rest) = self
            .tokens
            .split_first()
            .ok_or_else(|| Problem::new("the end of the line", expected))?;
        self.tokens = rest;
        Ok(*first)
    }

    fn rest(&mut self) -> &'a [Token<'a>] {
        std::mem::take(&mut self.tokens)
    }

    fn end(&self, order: Order) -> Result<Order, Problem> {
        match self.tokens.first() {
            None => Ok(order),
            Some(token) => Err(Problem::new(
                format!("`{}`", token.text),
                "the end of the line",
            )),
        }
    }

    fn bare(&mut self, expected: &str) -> Result<&'a str, Problem> {
        let token = self.next(expected)?;
        if token.quoted {
            return Err(Problem::new(format!("\"{}\"", token.text), expected));
        }
        Ok(token.text)
    }

    fn number(&mut self) -> Result<usize, Problem> {
        number(self.bare("a number")?)
    }

    /// At least one word.
    fn words(&mut self) -> Result<Vec<Word>, Problem> {
        if self.tokens.is_empty() {
            return Err(Problem::new("the end of the line", "words"));
        }
        self.rest().iter().map(Token::word).collect()
    }

    /// A request: words, and possibly a group of words after them.
    fn send(&mut self) -> Result<Action, Problem> {
        let from = self.sender()?;
        let begins = |token: &Token<'_>| token.is("(");
        let group = self.tokens.iter().position(begins);
        let repeated = group.map(|at| {
            let (words, repeated) = self.tokens.split_at(at);
            self.tokens = words;
            repeated
        });
        Ok(Action::Send {
            from,
            words: self.words()?,
            group: repeated.map(self::group).transpose()?,
        })
    }

    /// How long a pause is.
    fn pause(&mut self) -> Result<Duration, Problem> {
        let time = duration(self.bare("a time such as 1500ms")?)?;
        match time > PAUSE_MAX {
            true => Err(Problem::new(
                format!("a pause of {} s", time.as_secs_f64()),
                format!("up to {} s", PAUSE_MAX.as_secs()),
            )),
            false => Ok(time),
        }
    }

    /// As [`Line::party`], or `@*`: the client whose number is the repetition.
    fn sender(&mut self) -> Result<Party, Problem> {
        match self.tokens.first() {
            Some(token) if token.is("@*") => {
                self.next("a party")?;
                Ok(Party::EachClient)
            }
            _ => self.party(),
        }
    }

    /// `@2` or `@B`; without either, client 1.
    fn party(&mut self) -> Result<Party, Problem> {
        let Some(name) = self
            .tokens
            .first()
            .filter(|token| !token.quoted)
            .and_then(|token| token.text.strip_prefix('@'))
        else {
            return Ok(Party::Client(1));
        };
        self.next("a party")?;
        match name.parse::<u16>() {
            Ok(number) if number > 0 => Ok(Party::Client(number)),
            _ => node(name).map(Party::Node),
        }
    }

    fn client(&mut self) -> Result<Party, Problem> {
        match self.party()? {
            Party::Node(_) => Err(Problem::new("a node", "a client such as @2")),
            client => Ok(client),
        }
    }

    fn node(&mut self) -> Result<usize, Problem> {
        node(self.bare("a node: A, B or C")?)
    }

    fn given(&mut self) -> Result<Action, Problem> {
        const SHAPE: &str = "`given NODE KEY = VALUE`";
        let node = self.node()?;
        let key = self.next(SHAPE)?.word()?;
        let equals = self.next(SHAPE)?;
        if equals.quoted || equals.text != "=" {
            return Err(Problem::new(format!("`{}`", equals.text), SHAPE));
        }
        let value = self.next(SHAPE)?.word()?;
        Ok(Action::Given { node, key, value })
    }

    fn asked(&mut self) -> Result<Asked, Problem> {
        const SHAPE: &str = "`nothing`, `something`, keys, or `1 COMMAND`";
        let first = self.tokens.first().copied();
        let first = first.ok_or_else(|| Problem::new("the end of the line", SHAPE))?;
        let all = match first.text {
            "nothing" => Some(Asked::Nothing),
            "something" => Some(Asked::Something),
            _ => None,
        };
        if let Some(all) = all.filter(|_| !first.quoted) {
            self.next(SHAPE)?;
            return Ok(all);
        }
        match number(first.text) {
            Ok(count) if !first.quoted => {
                self.next(SHAPE)?;
                let name = self.bare("the name of a command")?.to_uppercase();
                Ok(Asked::Command { count, name })
            }
            _ => self.words().map(Asked::Keys),
        }
    }

    fn awaited(&mut self) -> Result<Action, Problem> {
        const SHAPE: &str = "`await NODE asked N`";
        let node = self.node()?;
        match self.bare(SHAPE)? {
            "asked" => Ok(Action::Await {
                node,
                requests: self.number()?,
            }),
            other => Err(Problem::new(format!("`{other}`"), SHAPE)),
        }
    }

    fn rescale(&mut self) -> Result<Action, Problem> {
        let to = self.members()?;
        let and = match self.tokens.first() {
            Some(token) if token.is("and") => {
                self.next("and")?;
                Some(self.members()?)
            }
            _ => None,
        };
        Ok(Action::Rescale { to, and })
    }

    /// `4` for A, B, C and D, or the letters of nodes in any order.
    fn members(&mut self) -> Result<Members, Problem> {
        const SHAPE: &str = "a number of nodes from 1 to 4, or their letters";
        let first = self.bare(SHAPE)?;
        if let Ok(count) = number(first) {
            return match count {
                1..=NODES_MAX => Ok(Members::first(count)),
                _ => Err(Problem::new(format!("`{first}`"), SHAPE)),
            };
        }
        let mut nodes = vec![node(first)?];
        while let Some(token) = self.tokens.first().filter(|token| !token.is("and")) {
            let next = node(token.text)?;
            if nodes.contains(&next) {
                let twice = format!("node `{}` twice", letter(next));
                return Err(Problem::new(twice, "each node once"));
            }
            nodes.push(next);
            self.next(SHAPE)?;
        }
        Ok(Members(nodes))
    }

    fn cluster(&mut self) -> Result<Action, Problem> {
        const SHAPE: &str = "`cluster bad`";
        match self.bare(SHAPE)? {
            "bad" => Ok(Action::BadCluster),
            other => Err(Problem::new(format!("`{other}`"), SHAPE)),
        }
    }

    fn answers(&mut self) -> Result<Action, Problem> {
        const SHAPE: &str = "`answers NODE WORD BYTES` or `answers NODE unasked BYTES`";
        let node = self.node()?;
        let to = self.next(SHAPE)?;
        let answer = self.next(SHAPE)?;
        let closes = self.tokens.first().is_some_and(|token| token.is("close"));
        if to.is("unasked") {
            let bytes = answer.word()?;
            return Ok(Action::Interject { node, bytes });
        }
        let answer = if answer.is("nothing") {
            Answer::Nothing
        } else if answer.is("close") {
            Answer::Close
        } else if closes {
            self.next(SHAPE)?;
            Answer::BytesAndClose(answer.word()?)
        } else {
            Answer::Bytes(answer.word()?)
        };
        let to = to.word()?;
        Ok(Action::Answers { node, to, answer })
    }

    fn fault(&mut self) -> Result<Fault, Problem> {
        let mut words = Vec::new();
        while !self.tokens.is_empty() {
            let word = self.bare("a fault")?;
            if word.contains('$') {
                // Faults are read before keys are chosen.
                return Err(Problem::new(
                    format!("`{word}`"),
                    "a word without variables",
                ));
            }
            words.push(word);
        }
        Fault::parse(&words).map_err(|wrong| {
            let end = || "the end of the line".to_owned();
            let found = wrong.found.map_or_else(end, |word| format!("`{word}`"));
            let expected = match wrong.expected.as_str() {
                "the end" => end(),
                _ => wrong.expected,
            };
            Problem::new(found, expected)
        })
    }
}

/// The words in `( WORD... )*N`.
fn group(tokens: &[Token<'_>]) -> Result<Group, Problem> {
    const SHAPE: &str = "`( WORD... )*N` at the end of the line";
    let open = || Problem::new("an open `(`", SHAPE);
    let (close, inside) = tokens.split_last().ok_or_else(open)?;
    let words = inside.get(1..).filter(|words| !words.is_empty());
    let words = words.ok_or_else(open)?.iter().map(Token::word);
    Ok(Group {
        words: words.collect::<Result<_, _>>()?,
        times: close.repeats()?.ok_or_else(open)?,
    })
}

fn node(name: &str) -> Result<usize, Problem> {
    (0..NODES_MAX)
        .find(|node| name.chars().eq([letter(*node)]))
        .ok_or_else(|| Problem::new(format!("node `{name}`"), "A, B or C"))
}
