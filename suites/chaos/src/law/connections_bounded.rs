//! The proxy's connections to nodes stay within their bound, and those of transactions are given back.

use super::findings::Findings;
use super::{Law, Verdict, text};
use crate::observed::{Observed, Sample};

pub(super) struct ConnectionsBounded;

impl Law for ConnectionsBounded {
    fn id(&self) -> &'static str {
        "connections-bounded"
    }

    fn promise(&self) -> &'static str {
        "connections to nodes stay within the bound that the target promises, and within the idle one after the load"
    }

    fn source(&self) -> &'static str {
        "https://github.com/netease-im/camellia/issues/82"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let promises = &observed.promises;
        if promises.node_connections.is_none() && promises.idle_node_connections.is_none() {
            return Verdict::NotPromised {
                missing: "the target promises no limit on its connections to nodes".to_owned(),
            };
        }
        let mut findings = Findings::default();
        judge(
            &observed.samples,
            promises.node_connections,
            "",
            &mut findings,
        );
        judge(
            idle(observed),
            promises.idle_node_connections,
            " after the load",
            &mut findings,
        );
        findings.verdict(
            "samples of connections were within the limits",
            "a proxy whose process is known, and a tap",
        )
    }
}

/// The last sample, if it was taken when clients and proxy had had time to clean up.
fn idle(observed: &Observed) -> &[Sample] {
    let windows = observed.windows.iter().map(|window| window.span.to);
    let ended = windows.max().unwrap_or(0).max(observed.load.to);
    match observed.samples.as_slice() {
        [.., last] if last.at >= ended => std::slice::from_ref(last),
        _ => &[],
    }
}

fn judge(samples: &[Sample], bound: Option<u64>, when: &str, findings: &mut Findings) {
    let Some(bound) = bound else {
        return;
    };
    let counted = samples.iter().filter_map(|sample| {
        let connections = sample.node_connections?;
        Some((sample.at, connections))
    });
    for (at, connections) in counted {
        findings.judge();
        if connections > bound {
            findings.broken(at, [], || {
                format!(
                    "{connections} connections to nodes at {}{when}, promised {bound}",
                    text::time(at)
                )
            });
        }
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, check_broken, check_kept, check_not_promised};

    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.sample(12_000, 500, 7);
        run
    }

    #[test]
    fn connections_that_are_not_given_back_break_it() {
        let sentence = "7 connections to nodes at 12.000 s after the load, promised 6";
        check_broken(&ConnectionsBounded, &double(), sentence);
    }

    #[test]
    fn more_connections_than_promised_break_it() {
        let mut run = Run::healthy();
        run.sample(9000, 500, 11);
        let sentence = "11 connections to nodes at 9.000 s, promised 10";
        check_broken(&ConnectionsBounded, &run, sentence);
    }

    #[test]
    fn without_a_promise_nothing_is_judged() {
        let mut run = double();
        run.observed.promises.node_connections = None;
        run.observed.promises.idle_node_connections = None;
        check_not_promised(&ConnectionsBounded, &run);
    }

    #[test]
    fn more_than_the_idle_ones_are_right_under_load() {
        let mut run = Run::healthy();
        run.sample(9000, 500, 10);
        check_kept(&ConnectionsBounded, &run);
    }
}
