//! The proxy's memory stays within its bound.

use super::findings::Findings;
use super::{Law, Verdict, text};
use crate::observed::Observed;

pub(super) struct MemoryBounded;

impl Law for MemoryBounded {
    fn id(&self) -> &'static str {
        "memory-bounded"
    }

    fn promise(&self) -> &'static str {
        "the proxy's resident memory stays within the bound that the target promises"
    }

    fn source(&self) -> &'static str {
        "https://github.com/twitter/twemproxy/issues/553"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let Some(bound) = observed.promises.memory_bytes else {
            return Verdict::NotPromised {
                missing: "the target promises no limit on its memory".to_owned(),
            };
        };
        let mut findings = Findings::default();
        for sample in &observed.samples {
            findings.judge();
            let (at, bytes) = (sample.at, sample.proxy_bytes);
            if bytes > bound {
                let named = || format!("{bytes} bytes at {}, promised {bound}", text::time(at));
                findings.broken(at, [], named);
            }
        }
        findings.verdict(
            "samples of memory were within the limit",
            "a proxy whose process is known",
        )
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, check_broken, check_not_promised, check_unknown};

    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.sample(9000, 1001, 6);
        run
    }

    #[test]
    fn a_sample_above_the_bound_breaks_it() {
        check_broken(
            &MemoryBounded,
            &double(),
            "1001 bytes at 9.000 s, promised 1000",
        );
    }

    #[test]
    fn without_a_promise_nothing_is_judged() {
        let mut run = double();
        run.observed.promises.memory_bytes = None;
        check_not_promised(&MemoryBounded, &run);
    }

    #[test]
    fn without_a_sample_nothing_is_judged() {
        let mut run = double();
        run.observed.samples.clear();
        check_unknown(&MemoryBounded, &run);
    }
}
