//! The results of conformance runs, target by target: the model of every report on them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use testbed::class::Ending;

use crate::cases::case::Case;
use crate::verdict::{Level, NOT_JUDGED, Repeats, Result as CaseResult, Status, Verdict, as_ms};
use testbed::text::shell_quoted;

/// The version of a program that nothing says the version of.
const UNKNOWN: &str = "unknown";

/// Every target of a run with its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Conformance {
    /// `shardproof.conformance/1`
    pub format: &'static str,
    /// Seed that repeats the run.
    pub seed: String,
    /// When the run began, if known: UTC, as `2026-11-28T09:30:00Z` (RFC 3339).
    pub started: Option<String>,
    /// Whether the run came to its end.
    pub outcome: Ending,
    /// The levels whose failures fail the run.
    pub counted: Vec<Level>,
    /// Least number of cases to judge per target. With fewer the run is not judged.
    pub min_judged: usize,
    /// One entry per target, in the order of the command line.
    pub targets: Vec<Judged>,
}

impl Conformance {
    /// A report of judged targets.
    #[must_use]
    pub fn new(seed: u64, targets: Vec<Judged>) -> Self {
        Self {
            format: "shardproof.conformance/1",
            seed: format!("{seed:x}"),
            started: None,
            outcome: Ending::Complete,
            counted: vec![Level::Must],
            min_judged: 0,
            targets,
        }
    }

    /// The same if at least `min_judged` cases per target must be judged.
    #[must_use]
    pub fn requiring(self, min_judged: usize) -> Self {
        Self { min_judged, ..self }
    }

    /// Why a target has too few judged cases, if it has.
    #[must_use]
    pub fn shortage(&self, judged: &Judged) -> Option<String> {
        shortage(judged.judged(), self.min_judged)
    }

    /// Whether any promise that counts is broken.
    #[must_use]
    pub fn breaks(&self) -> bool {
        let strict = self.counted.contains(&Level::Should);
        let mut results = self.targets.iter().flat_map(|judged| &judged.results);
        results.any(|result| result.breaks(strict))
    }

    /// The same if promises of level `should` count too.
    #[must_use]
    pub fn strict(self) -> Self {
        Self {
            counted: vec![Level::Must, Level::Should],
            ..self
        }
    }
}

/// One target with its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Judged {
    /// Name of the target, or address of a running proxy.
    pub target: String,
    /// How the command line names the target, if not by its name: the path of its file.
    #[serde(skip)]
    pub argument: Option<String>,
    /// Version, if known.
    pub version: String,
    /// Server program of the nodes, such as `redis 7.0.15`, if known.
    pub server: String,
    /// Number of results by status.
    pub summary: Summary,
    /// One result per case, in the order of their ids.
    #[serde(serialize_with = "with_standing")]
    #[schemars(with = "Vec<Shown>")]
    pub results: Vec<CaseResult>,
    /// Reason why the run ended before all cases were judged, or could not clean up.
    pub stopped: Option<String>,
    /// The flags of the command line that change the judgement, for the `repeat:` line.
    #[serde(skip)]
    pub flags: String,
    /// The flags that say which cases are judged, and how often.
    #[serde(skip)]
    pub selection: String,
    /// Duration; in JSON in milliseconds.
    #[serde(rename = "took_ms", serialize_with = "as_ms")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// Why `judged` is too few, if it is.
pub(crate) fn shortage(judged: usize, least: usize) -> Option<String> {
    (judged < least).then(|| format!("{judged} judged, expected at least {least}"))
}

/// Results by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// The promise was kept.
    pub kept: usize,
    /// Broken as recorded; or recorded as broken for some keys, ports or timings only, whether it occurred or not.
    pub known: usize,
    /// Broken, and not recorded as a deviation.
    pub broken: usize,
    /// The counts by level.
    pub broken_by_level: ByLevel,
    /// Recorded as broken, but the promise was kept.
    pub mended: usize,
    /// The case was skipped.
    pub skipped: usize,
    /// The case could not be judged.
    pub unknown: usize,
    /// Cases with an untrue answer without an error, recorded or not. A deviation that is recorded as wrong for some
    /// keys, ports or timings only counts in every run.
    pub wrong: usize,
}

/// A result in JSON.
#[derive(Serialize, JsonSchema)]
struct Shown<'a> {
    #[serde(flatten)]
    result: &'a CaseResult,
    /// Status of the result, as in all reports: `pass`, `known`, `FAIL`, `MENDED`, `skip` or `unknown`.
    standing: &'static str,
}

fn with_standing<S: Serializer>(results: &[CaseResult], out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(results.iter().map(|result| Shown {
        result,
        standing: result.status().word(),
    }))
}

/// Failures by level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct ByLevel {
    /// Clients break if the promise is broken.
    pub must: usize,
    /// Clients suffer without it.
    pub should: usize,
    /// Good to know. Never fails the run.
    pub may: usize,
}

impl ByLevel {
    /// The number of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        match level {
            Level::Must => self.must,
            Level::Should => self.should,
            Level::May => self.may,
        }
    }

    fn add(&mut self, level: Level) {
        *match level {
            Level::Must => &mut self.must,
            Level::Should => &mut self.should,
            Level::May => &mut self.may,
        } += 1;
    }
}

impl Judged {
    /// Counts of `results`.
    #[must_use]
    pub fn new(target: String, version: String, results: Vec<CaseResult>, took: Duration) -> Self {
        Self {
            target,
            argument: None,
            version,
            server: UNKNOWN.to_owned(),
            summary: Summary::of(&results),
            results,
            stopped: None,
            flags: String::new(),
            selection: String::new(),
            took,
        }
    }

    /// Several runs as one: each case with its worst verdict, and the number of runs in which it failed. Each run is
    /// given with its seed. None if there is no run.
    #[must_use]
    pub fn merged(runs: Vec<(u64, Self)>) -> Option<Self> {
        let took = runs.iter().map(|(_, run)| run.took).sum();
        let stopped: Vec<String> = runs
            .iter()
            .filter_map(|(_, run)| run.stopped.clone())
            .collect();
        let mut by_case: BTreeMap<String, Vec<(u64, CaseResult)>> = BTreeMap::new();
        let mut order = Vec::new();
        let mut first = None;
        for (seed, mut run) in runs {
            for result in std::mem::take(&mut run.results) {
                let of_case = by_case.entry(result.case.clone()).or_default();
                if of_case.is_empty() {
                    order.push(result.case.clone());
                }
                of_case.push((seed, result));
            }
            first.get_or_insert(run);
        }
        let mut merged = first?;
        let of_case = order.iter().filter_map(|case| by_case.remove(case));
        merged.results = of_case.filter_map(worst).collect();
        merged.stopped = (!stopped.is_empty()).then(|| stopped.join("; "));
        merged.took = took;
        merged.count();
        Some(merged)
    }

    /// Counts the results again, after a change.
    pub fn count(&mut self) {
        self.summary = Summary::of(&self.results);
    }

    /// Number of judged cases.
    #[must_use]
    pub fn judged(&self) -> usize {
        let sum = &self.summary;
        sum.kept + sum.known + sum.broken + sum.mended
    }

    /// A target whose run ended for the reason `why` after these results. The other cases of `cases` are not judged.
    #[must_use]
    pub fn broken_off(
        (target, version): (String, String),
        mut results: Vec<CaseResult>,
        cases: &[Case],
        why: &str,
        took: Duration,
    ) -> Self {
        let mut judged: BTreeMap<String, CaseResult> = results
            .drain(..)
            .map(|result| (result.case.clone(), result))
            .collect();
        let rest = |case: &Case| CaseResult::left_out(case, format!("{NOT_JUDGED}{why}"));
        let results = cases
            .iter()
            .map(|case| judged.remove(&case.id).unwrap_or_else(|| rest(case)));
        Self {
            stopped: Some(why.to_owned()),
            ..Self::new(target, version, results.collect(), took)
        }
    }

    /// Whether any case was judged.
    #[must_use]
    pub fn judged_any(&self) -> bool {
        self.judged() > 0
    }

    /// Why the cases were not judged, if they were not: the run stopped, or all were skipped.
    #[must_use]
    pub fn unjudged(&self) -> Option<String> {
        if let Some(why) = &self.stopped {
            return Some(why.clone());
        }
        if self.judged_any() || self.summary.unknown > 0 {
            return None;
        }
        let skipped = self
            .results
            .iter()
            .find_map(|result| match &result.verdict {
                Verdict::Skip { reason } => Some(format!("{}: {reason}", result.case)),
                _ => None,
            });
        let count = self.summary.skipped;
        let example = skipped.unwrap_or_default();
        Some(format!(
            "nothing judged, all {count} cases were skipped, the first is {example}"
        ))
    }

    /// What names it on the command line: a proxy that already ran is called by its address.
    #[must_use]
    pub fn flag(&self) -> String {
        let is_url = ["redis://", "rediss://", "unix:"];
        let is_url = is_url.iter().any(|scheme| self.target.starts_with(scheme));
        let flag = match is_url || self.target.parse::<SocketAddr>().is_ok() {
            true => "--proxy",
            false => "--target",
        };
        let argument = self.argument.as_ref().unwrap_or(&self.target);
        format!("{flag} {}", shell_quoted(argument))
    }

    /// The command that judges the same cases again. `seed` is that of the run.
    #[must_use]
    pub fn repeat_all(&self, seed: &str) -> String {
        let (flag, selection, flags) = (self.flag(), &self.selection, &self.flags);
        format!("shardproof run {flag}{selection} --seed {seed}{flags}")
    }

    /// The command that judges one case again. `seed` is that of the run.
    #[must_use]
    pub fn repeat(&self, result: &CaseResult, seed: &str) -> String {
        let (flag, flags, case) = (self.flag(), &self.flags, &result.case);
        let seed = result.repeats.as_ref().map_or(seed, |it| &it.seed);
        format!("shardproof run {flag} --filter {case} --seed {seed}{flags}")
    }
}

/// The worst result of a case, with the outcomes of all runs. The first of several equal ones.
fn worst(runs: Vec<(u64, CaseResult)>) -> Option<CaseResult> {
    let failed = |result: &CaseResult| matches!(result.verdict, Verdict::Fail(_));
    let judged = |result: &CaseResult| failed(result) || result.verdict == Verdict::Pass;
    let count = |what: &dyn Fn(&CaseResult) -> bool| runs.iter().filter(|(_, it)| what(it)).count();
    let (failures, all) = (count(&failed), count(&judged));
    let rank = |result: &CaseResult| match &result.verdict {
        Verdict::Skip { .. } => (0, None),
        Verdict::Pass => (1, None),
        Verdict::Unknown { .. } => (2, None),
        Verdict::Fail(found) => (3, Some(found.class)),
    };
    // The last of several equal ones is the maximum.
    let (seed, mut result) = runs.into_iter().rev().max_by_key(|(_, it)| rank(it))?;
    result.repeats = Some(Repeats {
        failed: failures,
        judged: all,
        seed: format!("{seed:x}"),
    });
    Some(result)
}

impl Summary {
    fn of(results: &[CaseResult]) -> Self {
        let mut summary = Self::default();
        for result in results {
            *match result.status() {
                Status::Kept => &mut summary.kept,
                Status::Known => &mut summary.known,
                Status::Broken => &mut summary.broken,
                Status::Mended => &mut summary.mended,
                Status::Skipped => &mut summary.skipped,
                Status::Unknown => &mut summary.unknown,
            } += 1;
            if result.status() == Status::Broken {
                summary.broken_by_level.add(result.level);
            }
            summary.wrong += usize::from(result.is_wrong());
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Class, Evidence};

    fn result(verdict: Verdict) -> CaseResult {
        CaseResult {
            case: "group/name".to_owned(),
            promise: "A promise.".to_owned(),
            level: Level::Must,
            spec: "https://redis.io".to_owned(),
            verdict,
            deviation: None,
            repeats: None,
            took: Duration::ZERO,
        }
    }

    fn fail(class: Class, got: &str) -> Verdict {
        Verdict::Fail(Evidence {
            class,
            at: "group/name.case:1".to_owned(),
            expected: "nil".to_owned(),
            got: got.to_owned(),
            transcript: Vec::new(),
            keys: BTreeMap::new(),
            log: Vec::new(),
        })
    }

    fn unknown() -> Verdict {
        Verdict::Unknown {
            why: "a reason".to_owned(),
        }
    }

    /// One run per verdict, with seeds from 10 on.
    #[track_caller]
    fn check(verdicts: Vec<Verdict>, worst: &Verdict, repeats: (usize, usize, &str)) {
        let run = |verdict| {
            let (name, results) = ("some-proxy".to_owned(), vec![result(verdict)]);
            Judged::new(name, "1".to_owned(), results, Duration::from_secs(2))
        };
        let count = u32::try_from(verdicts.len()).expect("few runs");
        let runs = (10..).zip(verdicts.into_iter().map(run)).collect();
        let merged = Judged::merged(runs).expect("a run");
        assert_eq!(merged.took, Duration::from_secs(2) * count);
        let [found] = &merged.results[..] else {
            panic!("{:?}", merged.results);
        };
        assert_eq!(&found.verdict, worst);
        let (failed, judged, seed) = repeats;
        let seed = seed.to_owned();
        let expected = Repeats {
            failed,
            judged,
            seed,
        };
        assert_eq!(found.repeats, Some(expected));
        assert_eq!(merged.summary, Summary::of(&merged.results));
        let repeat = merged.repeat(found, "7");
        let seed = repeats.2;
        let expected =
            format!("shardproof run --target some-proxy --filter group/name --seed {seed}");
        assert_eq!(repeat, expected);
    }

    #[test]
    fn the_worst_of_several_runs_counts_and_the_first_of_equal_ones() {
        let (closed, other) = (fail(Class::Closed, "x"), fail(Class::Closed, "y"));
        let wrong = || fail(Class::Wrong, "z");
        check(
            vec![Verdict::Pass, closed.clone(), Verdict::Pass],
            &closed,
            (1, 3, "b"),
        );
        check(vec![closed.clone(), other], &closed, (2, 2, "a"));
        check(vec![closed, Verdict::Pass, wrong()], &wrong(), (2, 3, "c"));
        check(vec![Verdict::Pass, unknown()], &unknown(), (0, 1, "b"));
        check(vec![unknown(), wrong()], &wrong(), (1, 1, "b"));
    }
}
