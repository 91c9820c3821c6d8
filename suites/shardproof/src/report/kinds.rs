//! Every kind of report: its formats, and how its run ends.

use super::{Exit, Report, Suite, html, suites, terminal};
use crate::diff::Diff;
use crate::fleet::{Check, CheckStatus, Migration};
use crate::planner::fingerprint::report::{Fingerprint, Outcome};
use crate::planner::plan;
use chaos::checker;
use chaos::report::{Chaos, ScenarioReport, Stressed, Verdict};
use chaos::rescale::{self, Faults, Rescales};
use conformance::differential::{Compared, Differential};
use conformance::matrix::Matrix;
use conformance::probe::Probe;
use conformance::report::{Conformance, Judged};
use testbed::class::{ABORTED, Ending};

impl Report for Chaos {
    const KIND: &'static str = "chaos";

    fn terminal(&self) -> String {
        terminal::chaos(self)
    }

    fn html(&self) -> Option<String> {
        Some(html::chaos(self))
    }

    fn suites(&self) -> Vec<Suite> {
        suites::chaos(self)
    }

    fn unjudged(&self) -> Vec<String> {
        let skipped = |scenario: &ScenarioReport| scenario.verdict == Verdict::Skipped;
        let idle = self
            .targets
            .iter()
            .filter(|target| target.scenarios.iter().all(skipped));
        let line = |target: &Stressed| format!("nothing judged: {} ran no scenario", target.target);
        let short = self.targets.iter().filter_map(|target| {
            let why = self.shortage(target)?;
            Some(format!("{}: {why}", target.target))
        });
        let aborted = (self.outcome == Ending::Aborted).then(|| ABORTED.to_owned());
        idle.map(line).chain(short).chain(aborted).collect()
    }

    fn exit(&self) -> Exit {
        let mut scenarios = self.targets.iter().flat_map(|target| &target.scenarios);
        let unknown = scenarios.any(|it| it.verdict == Verdict::Unknown);
        let short = self.outcome == Ending::Aborted
            || self.targets.iter().any(|it| self.shortage(it).is_some());
        match (self.breaks(), unknown || !self.unjudged().is_empty()) {
            (true, _) if !short => Exit::Broken,
            (true, _) => Exit::Unjudged,
            (false, true) => Exit::Unjudged,
            (false, false) => Exit::Expected,
        }
    }
}

impl Report for Probe {
    const KIND: &'static str = "probe";

    fn terminal(&self) -> String {
        terminal::probe(self)
    }

    fn exit(&self) -> Exit {
        Exit::expected_if(self.as_claimed())
    }
}

impl Report for Conformance {
    const KIND: &'static str = "conformance";

    fn terminal(&self) -> String {
        terminal::summary(self)
    }

    fn html(&self) -> Option<String> {
        Some(html::conformance(self))
    }

    fn suites(&self) -> Vec<Suite> {
        suites::conformance(self)
    }

    fn unjudged(&self) -> Vec<String> {
        let of = |judged: &Judged| {
            let why = judged.unjudged().or_else(|| self.shortage(judged))?;
            Some(format!("{}: {why}", judged.target))
        };
        self.targets.iter().filter_map(of).collect()
    }

    fn exit(&self) -> Exit {
        let stopped = self.targets.iter().any(|judged| judged.stopped.is_some());
        let unknown = self.targets.iter().any(|judged| judged.summary.unknown > 0);
        let short = self.targets.iter().any(|it| self.shortage(it).is_some());
        if !stopped && !short && self.breaks() {
            Exit::Broken
        } else if stopped || unknown || !self.unjudged().is_empty() {
            Exit::Unjudged
        } else {
            Exit::Expected
        }
    }
}

impl Report for Matrix {
    const KIND: &'static str = "matrix";

    fn terminal(&self) -> String {
        terminal::matrix(self)
    }

    fn html(&self) -> Option<String> {
        Some(html::matrix(self))
    }

    fn suites(&self) -> Vec<Suite> {
        suites::matrix(self)
    }

    fn unjudged(&self) -> Vec<String> {
        let short = self.targets.iter().filter_map(|column| {
            let why = self.shortage(&column.target)?;
            Some(format!("{}: {why}", column.target))
        });
        match (self.rows.is_empty(), &self.stopped) {
            (_, Some(why)) => vec![why.clone()],
            (false, None) => short.collect(),
            (true, None) => vec![format!("nothing judged: {}", self.nothing().join("; "))],
        }
    }

    fn exit(&self) -> Exit {
        match self.unjudged().is_empty() {
            false => Exit::Unjudged,
            true => Exit::expected_if(self.as_expected()),
        }
    }
}

impl Report for Diff {
    const KIND: &'static str = "diff";

    fn terminal(&self) -> String {
        terminal::diff(self)
    }

    fn exit(&self) -> Exit {
        Exit::expected_if(!self.fails())
    }
}

impl Report for Differential {
    const KIND: &'static str = "differential";

    fn terminal(&self) -> String {
        terminal::differential(self)
    }

    fn unjudged(&self) -> Vec<String> {
        let idle = self
            .targets
            .iter()
            .filter(|compared| compared.answered == 0 && compared.difference.is_none());
        let line = |compared: &Compared| {
            let (name, count) = (&compared.target, compared.requests);
            format!("nothing judged: {name} answered none of {count} requests")
        };
        idle.map(line).collect()
    }

    fn exit(&self) -> Exit {
        match (self.as_expected(), self.unjudged().is_empty()) {
            (false, _) => Exit::Broken,
            (true, false) => Exit::Unjudged,
            (true, true) => Exit::Expected,
        }
    }
}

impl Report for Rescales {
    const KIND: &'static str = "rescale";

    fn terminal(&self) -> String {
        terminal::rescales(&self.reports)
    }

    fn html(&self) -> Option<String> {
        Some(html::rescales(&self.reports))
    }

    fn unjudged(&self) -> Vec<String> {
        let open = self.reports.iter().filter(|report| report.is_open());
        let line = |report: &rescale::Report| {
            let rescale::Report {
                target,
                policy,
                keys,
                ..
            } = report;
            format!("{target} {policy}: {keys} keys are too few to tell that a node is unused")
        };
        open.map(line).collect()
    }

    fn exit(&self) -> Exit {
        match self.reports.iter().all(rescale::Report::as_expected) {
            true if self.reports.iter().any(rescale::Report::is_open) => Exit::Unjudged,
            as_expected => Exit::expected_if(as_expected),
        }
    }
}

impl Report for Faults {
    const KIND: &'static str = "fault";

    fn terminal(&self) -> String {
        let texts = self.reports.iter().map(terminal::fault);
        texts.collect::<Vec<_>>().join("\n")
    }

    fn html(&self) -> Option<String> {
        Some(html::faults(&self.reports))
    }

    fn exit(&self) -> Exit {
        let mut reports = self.reports.iter();
        Exit::expected_if(reports.all(chaos::rescale::FaultReport::as_expected))
    }
}

impl Report for plan::Report {
    const KIND: &'static str = "plan";

    fn terminal(&self) -> String {
        terminal::plan(self)
    }

    fn html(&self) -> Option<String> {
        Some(html::plan(self))
    }

    fn exit(&self) -> Exit {
        Exit::Expected
    }
}

impl Report for Fingerprint {
    const KIND: &'static str = "fingerprint";

    fn terminal(&self) -> String {
        terminal::fingerprint(self)
    }

    fn exit(&self) -> Exit {
        use Outcome::{Found, HomeMade, Scatter, Undecided, Unexplained};
        match self.outcome {
            Found | HomeMade => Exit::Expected,
            Undecided => Exit::Unjudged,
            Unexplained | Scatter => Exit::Broken,
        }
    }
}

impl Report for Check {
    const KIND: &'static str = "check";

    fn terminal(&self) -> String {
        terminal::check(self)
    }

    fn unjudged(&self) -> Vec<String> {
        let judged = self.keys > 0 || self.proxy.is_some() || self.status() == CheckStatus::Broken;
        match judged {
            true => Vec::new(),
            false => vec!["nothing judged: no key on the nodes was looked at".to_owned()],
        }
    }

    fn exit(&self) -> Exit {
        match self.unjudged().is_empty() {
            true => self.status().into(),
            false => Exit::Unjudged,
        }
    }
}

impl Report for Migration {
    const KIND: &'static str = "migrate";

    fn terminal(&self) -> String {
        terminal::migration(self)
    }

    fn exit(&self) -> Exit {
        self.check.status().into()
    }
}

impl From<CheckStatus> for Exit {
    fn from(status: CheckStatus) -> Self {
        match status {
            CheckStatus::AsExpected => Self::Expected,
            CheckStatus::Broken => Self::Broken,
            CheckStatus::Unjudged => Self::Unjudged,
        }
    }
}

impl Report for checker::Report {
    const KIND: &'static str = "check-history";

    fn terminal(&self) -> String {
        terminal::history(self)
    }

    fn unjudged(&self) -> Vec<String> {
        match (self.registers, self.unknown.len()) {
            (0, _) => vec!["nothing judged: no request is an operation on a register".to_owned()],
            (_, 0) => Vec::new(),
            (all, unknown) => vec![format!("{unknown} of {all} registers could not be judged")],
        }
    }

    fn exit(&self) -> Exit {
        match (self.violations.is_empty(), self.unjudged().is_empty()) {
            (false, _) => Exit::Broken,
            (true, false) => Exit::Unjudged,
            (true, true) => Exit::Expected,
        }
    }
}
