//! Results of runs, each in one sentence that every report shows.

use chaos::report::{Chaos, ScenarioReport, Stressed, Verdict};
use conformance::matrix::{Cell, Matrix};
use conformance::report::{Conformance, Judged, Summary};
use conformance::verdict::{Class, Level, Status};
use testbed::class::Ending;

/// The sentence for one target; `counted` are the levels whose failures fail the run.
pub(super) fn sentence(summary: &Summary, counted: &[Level]) -> String {
    let (results, failed, wrong) = (results(summary), failed(summary, counted), wrong(summary));
    format!("{results}; {failed}; {wrong}")
}

/// The results without failures, as `3 pass, 1 known, 0 skipped`.
pub(super) fn results(summary: &Summary) -> String {
    let mut parts = vec![
        format!("{} pass", summary.kept),
        format!("{} known", summary.known),
        format!("{} skipped", summary.skipped),
    ];
    if summary.unknown > 0 {
        parts.push(format!("{} unknown", summary.unknown));
    }
    parts.join(", ")
}

/// The number of answers that were untrue without an error.
pub(super) fn wrong(summary: &Summary) -> String {
    format!("silently wrong answers: {}", summary.wrong)
}

/// The verdict on one target in a few words: what its users look for first.
pub(super) fn verdict(report: &Conformance, judged: &Judged) -> (Tone, String) {
    let summary = &judged.summary;
    let breaks = |level: &Level| summary.broken_by_level.count(*level) > 0;
    let unjudged = judged.unjudged().or_else(|| report.shortage(judged));
    let fails = summary.mended > 0 || report.counted.iter().any(breaks);
    match (fails, unjudged, summary.unknown) {
        (true, ..) => (Tone::Bad, failed(summary, &report.counted)),
        (false, Some(_), _) => (Tone::Open, "NOT JUDGED".to_owned()),
        (false, None, unknown @ 1..) => (Tone::Open, format!("UNKNOWN: {unknown}")),
        (false, None, 0) => (Tone::Good, passed(summary.known, summary.broken)),
    }
}

/// Failures that do not count and known ones do not hide behind a verdict.
fn passed(known: usize, not_counted: usize) -> String {
    let mut text = "PASSED".to_owned();
    for (count, what) in [(known, "known"), (not_counted, "failed (not counted)")] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

/// How a verdict looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Every counted promise was kept, or is known as broken.
    Good,
    /// There is no verdict.
    Open,
    /// A counted promise was broken.
    Bad,
}

/// The failures by level, as `FAILED: 18 must, 14 should (not counted), 1 MENDED`.
fn failed(summary: &Summary, counted: &[Level]) -> String {
    let levels = [Level::Must, Level::Should, Level::May];
    let count = |level: Level| {
        let note = match counted.contains(&level) {
            true => "",
            false => " (not counted)",
        };
        let count = summary.broken_by_level.count(level);
        (count > 0).then(|| format!("{count} {}{note}", level.name()))
    };
    let levels = levels.into_iter().filter_map(count);
    let failures: Vec<String> = levels.chain(mended(summary.mended)).collect();
    match failures.is_empty() {
        true => "FAILED: 0".to_owned(),
        false => format!("FAILED: {}", failures.join(", ")),
    }
}

/// Known failures that no longer occur. They fail a run too.
fn mended(count: usize) -> Option<String> {
    (count > 0).then(|| format!("{count} MENDED"))
}

/// The sentence for the commands of one target.
pub(super) fn matrix(matrix: &Matrix, target: &str) -> String {
    let (counts, verdict) = (classes(matrix, target), verdict_on_commands(matrix, target));
    format!("{counts}; {verdict}")
}

/// The counts of all commands that were neither answered nor refused.
pub(super) fn classes(matrix: &Matrix, target: &str) -> String {
    let classes = [Class::Wrong, Class::Partial, Class::Hung, Class::Closed];
    let counts = classes.map(|class| format!("{} {}", class.name(), matrix.count(target, class)));
    counts.join(", ")
}

/// The sentence for the scenarios of one target.
pub(super) fn chaos(target: &Stressed) -> String {
    let count = |verdict| {
        let scenarios = target.scenarios.iter();
        scenarios.filter(|it| it.verdict == verdict).count()
    };
    let mut parts = vec![counted(target.scenarios.len(), "scenario")];
    for verdict in [
        Verdict::Kept,
        Verdict::Known,
        Verdict::Skipped,
        Verdict::Unknown,
        Verdict::Mended,
        Verdict::Broken,
    ] {
        let count = count(verdict);
        let always = matches!(verdict, Verdict::Kept | Verdict::Broken);
        if count > 0 || always {
            parts.push(format!("{count} {}", word(verdict)));
        }
    }
    parts.join(", ")
}

/// The verdict on the scenarios of one target, in the words of [`verdict`].
pub(super) fn verdict_on_scenarios(report: &Chaos, target: &Stressed) -> String {
    let count = |what: &dyn Fn(&ScenarioReport) -> bool| {
        let scenarios = target.scenarios.iter();
        scenarios.filter(|it| what(it)).count()
    };
    let fails = |it: &ScenarioReport| !it.failing_laws(report.strict).is_empty();
    let of = |verdict: Verdict| count(&|it| it.verdict == verdict && !fails(it));
    let none = target.scenarios.len() == of(Verdict::Skipped);
    let aborted = report.outcome == Ending::Aborted;
    let counts = Counts {
        failed: count(&fails),
        mended: of(Verdict::Mended),
        unknown: of(Verdict::Unknown),
        known: of(Verdict::Known),
        not_counted: of(Verdict::Broken),
    };
    counts.verdict(
        "scenario",
        none || aborted || report.shortage(target).is_some(),
    )
}

/// The verdict on the commands of one target, in the words of [`verdict`].
pub(super) fn verdict_on_commands(matrix: &Matrix, target: &str) -> String {
    let count = |what: &dyn Fn(&Cell) -> bool| matrix.cells(target).filter(|it| what(it)).count();
    let fails = |cell: &Cell| cell.status() == Status::Broken && cell.counts();
    let of = |status: Status| count(&|cell| cell.status() == status && !fails(cell));
    let none = matrix.cells(target).next().is_none();
    let counts = Counts {
        failed: count(&fails),
        mended: of(Status::Mended),
        unknown: 0,
        known: of(Status::Known),
        not_counted: of(Status::Broken),
    };
    counts.verdict(
        "command",
        none || matrix.stopped.is_some() || matrix.shortage(target).is_some(),
    )
}

/// What a verdict in a few words is made of.
#[derive(Debug, Default)]
struct Counts {
    failed: usize,
    mended: usize,
    unknown: usize,
    known: usize,
    not_counted: usize,
}

impl Counts {
    /// The verdict on as many of `what`.
    fn verdict(&self, what: &str, unjudged: bool) -> String {
        if self.failed + self.mended > 0 {
            let failed = (self.failed > 0).then(|| counted(self.failed, what));
            let note = |count: usize| format!("{count} (not counted)");
            let others = (self.not_counted > 0).then(|| note(self.not_counted));
            let failures = failed.into_iter().chain(others).chain(mended(self.mended));
            return format!("FAILED: {}", failures.collect::<Vec<_>>().join(", "));
        }
        match (unjudged, self.unknown) {
            (true, _) => "NOT JUDGED".to_owned(),
            (false, unknown @ 1..) => format!("UNKNOWN: {unknown}"),
            (false, 0) => passed(self.known, self.not_counted),
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// The verdict as text; verdicts that need attention are in capitals.
pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Broken => "BROKEN",
        Verdict::Mended => "MENDED",
        Verdict::Unknown => "UNKNOWN",
        other => other.name(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Counts, Tone, sentence, verdict};
    use conformance::report::{ByLevel, Conformance, Judged, Summary};
    use conformance::verdict::Level::{Must, Should};

    #[test]
    fn failures_are_given_by_level() {
        let (must, should, may) = (18, 14, 0);
        let summary = Summary {
            kept: 3,
            broken: 32,
            broken_by_level: ByLevel { must, should, may },
            mended: 1,
            wrong: 11,
            ..Summary::default()
        };
        let rest = "3 pass, 0 known, 0 skipped; FAILED: 18 must, 14 should";
        assert_eq!(
            sentence(&summary, &[Must]),
            format!("{rest} (not counted), 1 MENDED; silently wrong answers: 11")
        );
        assert_eq!(
            sentence(&summary, &[Must, Should]),
            format!("{rest}, 1 MENDED; silently wrong answers: 11")
        );
        let none = "0 pass, 0 known, 0 skipped; FAILED: 0; silently wrong answers: 0";
        assert_eq!(sentence(&Summary::default(), &[Must]), none);
    }

    #[test]
    fn a_verdict_in_a_few_words_has_failures_first() {
        let none = Counts::default();
        let some = Counts {
            failed: 2,
            mended: 1,
            unknown: 3,
            known: 7,
            not_counted: 0,
        };
        assert_eq!(
            some.verdict("scenario", true),
            "FAILED: 2 scenarios, 1 MENDED"
        );
        let some = Counts {
            not_counted: 4,
            ..some
        };
        assert_eq!(
            some.verdict("command", false),
            "FAILED: 2 commands, 4 (not counted), 1 MENDED"
        );
        let some = Counts {
            failed: 0,
            not_counted: 0,
            ..some
        };
        assert_eq!(some.verdict("scenario", false), "FAILED: 1 MENDED");
        let some = Counts { mended: 0, ..some };
        assert_eq!(some.verdict("scenario", true), "NOT JUDGED");
        assert_eq!(some.verdict("scenario", false), "UNKNOWN: 3");
        let some = Counts {
            unknown: 0,
            not_counted: 2,
            ..some
        };
        assert_eq!(
            some.verdict("scenario", false),
            "PASSED, 7 known, 2 failed (not counted)"
        );
        let one = Counts { failed: 1, ..none };
        assert_eq!(one.verdict("command", false), "FAILED: 1 command");
    }

    #[test]
    fn a_verdict_hides_nothing() {
        let verdict_on = |summary: Summary| {
            let (target, version) = ("x".to_owned(), "1".to_owned());
            let mut judged = Judged::new(target, version, Vec::new(), Duration::ZERO);
            judged.summary = summary;
            let report = Conformance::new(1, vec![judged]);
            verdict(&report, &report.targets[0])
        };
        let kept = Summary {
            kept: 3,
            ..Summary::default()
        };
        let broken = |must, should| Summary {
            broken: must + should,
            broken_by_level: ByLevel {
                must,
                should,
                may: 0,
            },
            known: 7,
            ..kept
        };
        let text = |tone, text: &str| (tone, text.to_owned());
        assert_eq!(verdict_on(kept), text(Tone::Good, "PASSED"));
        assert_eq!(
            verdict_on(broken(2, 1)),
            text(Tone::Bad, "FAILED: 2 must, 1 should (not counted)")
        );
        assert_eq!(
            verdict_on(broken(0, 1)),
            text(Tone::Good, "PASSED, 7 known, 1 failed (not counted)")
        );
        let mended = Summary { mended: 1, ..kept };
        assert_eq!(verdict_on(mended), text(Tone::Bad, "FAILED: 1 MENDED"));
        let unknown = Summary { unknown: 1, ..kept };
        assert_eq!(verdict_on(unknown), text(Tone::Open, "UNKNOWN: 1"));
        assert_eq!(
            verdict_on(Summary::default()),
            text(Tone::Open, "NOT JUDGED")
        );
    }
}
