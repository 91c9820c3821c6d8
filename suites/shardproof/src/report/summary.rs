//! Results of runs, each in one sentence that every report shows.

use chaos::report::{Stressed, Verdict};
use conformance::matrix::{Cell, Matrix};
use conformance::report::Summary;
use conformance::verdict::{Class, Level, Status};

/// The sentence for one target; `counted` are the levels whose failures fail the run.
pub(super) fn sentence(summary: &Summary, counted: &[Level]) -> String {
    let mut parts = vec![
        format!("{} pass", summary.kept),
        format!("{} known", summary.known),
        format!("{} skipped", summary.skipped),
    ];
    for (count, what) in [
        (summary.unknown, "unknown"),
        (
            summary.mended,
            "MENDED (recorded deviations that no longer occur)",
        ),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    format!(
        "{}; {}; silently wrong answers: {}",
        parts.join(", "),
        failed(summary, counted),
        summary.wrong
    )
}

/// The failures by level, as `FAILED: 18 must, 14 should (not counted)`.
fn failed(summary: &Summary, counted: &[Level]) -> String {
    let levels: Vec<String> = [Level::Must, Level::Should, Level::May]
        .into_iter()
        .map(|level| (level, summary.broken_by_level.count(level)))
        .filter(|(_, count)| *count > 0)
        .map(|(level, count)| {
            let note = if counted.contains(&level) {
                ""
            } else {
                " (not counted)"
            };
            format!("{count} {}{note}", level.name())
        })
        .collect();
    match &levels[..] {
        [] => "FAILED: 0".to_owned(),
        levels => format!("FAILED: {}", levels.join(", ")),
    }
}

/// The sentence for the commands of one target: the counts of all that were neither answered nor refused.
pub(super) fn matrix(matrix: &Matrix, target: &str) -> String {
    let classes = [Class::Wrong, Class::Partial, Class::Hung, Class::Closed];
    let counts = classes.map(|class| format!("{} {}", class.name(), matrix.count(target, class)));
    let count = |what: &dyn Fn(&Cell) -> bool| matrix.cells(target).filter(|it| what(it)).count();
    let broken = |cell: &Cell| cell.status() == Status::Broken;
    let mut text = format!(
        "{}; FAILED: {}",
        counts.join(", "),
        count(&|cell| broken(cell) && cell.counts())
    );
    for (count, what) in [
        (count(&|cell| broken(cell) && !cell.counts()), "not counted"),
        (count(&|cell| cell.status() == Status::Known), "known"),
        (
            count(&|cell| cell.status() == Status::Mended),
            "MENDED (known failures that no longer occur)",
        ),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

/// The sentence for the scenarios of one target.
pub(super) fn chaos(target: &Stressed) -> String {
    let count = |verdict| {
        let scenarios = target.scenarios.iter();
        scenarios.filter(|it| it.verdict == verdict).count()
    };
    let mut parts = vec![format!("{} scenarios", target.scenarios.len())];
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
    use super::sentence;
    use conformance::report::{ByLevel, Summary};
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
        let rest = "3 pass, 0 known, 0 skipped, 1 MENDED (recorded deviations that no longer occur); FAILED: 18 must, 14 should";
        assert_eq!(
            sentence(&summary, &[Must]),
            format!("{rest} (not counted); silently wrong answers: 11")
        );
        assert_eq!(
            sentence(&summary, &[Must, Should]),
            format!("{rest}; silently wrong answers: 11")
        );
        let none = "0 pass, 0 known, 0 skipped; FAILED: 0; silently wrong answers: 0";
        assert_eq!(sentence(&Summary::default(), &[Must]), none);
    }
}
