//! Result of a conformance run, in one sentence that every report shows.

use conformance::report::Summary;
use conformance::verdict::Level;

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
