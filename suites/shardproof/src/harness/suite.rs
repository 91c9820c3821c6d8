//! The tests of one proxy.

use std::fmt::Display;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use conformance::{Case, in_order_of_starts, load};
use libtest_mimic::{Arguments, Trial};
use testbed::cluster::LINK_PORT_BASE;
use testbed::fixtures::{Fixtures, Source};
use testbed::program::Search;
use testbed::targets::{Serve, Setting, Target, correction};
use testbed::text;

use super::Error;
use super::host::Host;
use super::trial::{Presence, case_trial};

/// The tests of one proxy: one per case.
#[derive(Debug, Clone)]
pub struct Suite {
    subject: Subject,
    claims: Vec<String>,
    /// Patterns of cases, and what the proxy does instead.
    known: Vec<(String, String)>,
    strict: bool,
    link_port_base: u16,
}

#[derive(Debug, Clone)]
enum Subject {
    /// A target file.
    File(PathBuf),
    /// A name, and code in this process.
    InProcess(String, Serve),
}

impl From<&str> for Suite {
    fn from(path: &str) -> Self {
        Self::of_file(path)
    }
}

impl Suite {
    /// The proxy of a target file. Cargo runs tests in the folder of their package, which relative paths start from.
    pub fn of_file(path: impl Into<PathBuf>) -> Self {
        Self::new(Subject::File(path.into()))
    }

    /// A proxy in this process: `serve` listens on an address until its future is dropped, and gets nodes, time limit and
    /// policy. It runs on a tokio runtime of its own, which is dropped with all of its tasks when a case needs a new
    /// proxy.
    pub fn in_process<E: Display>(
        name: &str,
        serve: impl AsyncFn(SocketAddr, Setting) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        Self::new(Subject::InProcess(name.to_owned(), Serve::new(serve)))
    }

    fn new(subject: Subject) -> Self {
        Self {
            subject,
            claims: Vec::new(),
            known: Vec::new(),
            strict: false,
            link_port_base: LINK_PORT_BASE,
        }
    }

    /// Capabilities that the proxy claims, next to those of its file. Cases that need others are ignored.
    #[must_use]
    pub fn claims(mut self, capabilities: &[&str]) -> Self {
        self.claims
            .extend(capabilities.iter().map(|name| (*name).to_owned()));
        self
    }

    /// A failure that is accepted: the cases whose ids match `cases`, where `*` matches any text, and what the proxy does
    /// instead. A case that passes fails its test, so that the row is removed.
    #[must_use]
    pub fn known(mut self, cases: &str, why: &str) -> Self {
        self.known.push((cases.to_owned(), why.to_owned()));
        self
    }

    /// Promises of level `should` count too.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// First port of the links between proxy and nodes, instead of 21001.
    #[must_use]
    pub fn link_ports(mut self, base: u16) -> Self {
        self.link_port_base = base;
        self
    }

    /// One test per case, in the order in which they are to run. Starts nothing.
    ///
    /// # Errors
    /// If the target file or a claim is wrong.
    pub fn trials(&self, host: &Arc<Host>) -> Result<Vec<Trial>, Error> {
        let cases = cases()?;
        let target = Arc::new(self.target(&cases)?);
        let trial = |case: &&Case| {
            let (host, target) = (Arc::clone(host), Arc::clone(&target));
            let (subject, case) = (self.subject.clone(), Case::clone(case));
            let of = (Arc::clone(&target), case.clone());
            let judge = move || match &subject {
                Subject::File(_) => host.judge(&target, &case),
                Subject::InProcess(_, serve) => host.judge_in_process(&target, serve, &case),
            };
            case_trial(&of.0, &of.1, Presence::Expected, judge)
        };
        Ok(in_order_of_starts(&cases).iter().map(trial).collect())
    }

    /// Runs the tests that `arguments` ask for, one after the other.
    pub(super) fn run(&self, mut arguments: Arguments, search: Search) -> Result<ExitCode, Error> {
        let host = Host::new(search)?.with_link_ports(self.link_port_base);
        let host = Arc::new(match self.strict {
            true => host.strict(),
            false => host,
        });
        let trials = self.trials(&host)?;
        // They share the proxy and its ports.
        arguments.test_threads = Some(1);
        let conclusion = libtest_mimic::run(&arguments, trials);
        host.close();
        Ok(conclusion.exit_code())
    }

    fn target(&self, cases: &[Case]) -> Result<Target, Error> {
        let mut target = match &self.subject {
            Subject::File(path) => Target::parse(&source(path)?)?,
            Subject::InProcess(name, _) => Target::in_process(name),
        };
        for name in &self.claims {
            if let Some(correction) = correction(name) {
                let name = name.clone();
                return Err(Error::Capability { name, correction });
            }
        }
        target.capabilities.extend(self.claims.iter().cloned());
        for (pattern, why) in &self.known {
            if !cases.iter().any(|case| text::selects(pattern, &case.id)) {
                return Err(Error::NoCase(pattern.clone()));
            }
            target = target.with_deviation(pattern, why);
        }
        Ok(target)
    }
}

/// The cases of this build.
///
/// # Errors
/// The case files that are wrong.
pub fn cases() -> Result<Vec<Case>, Error> {
    let sources = conformance::files::cases(&Fixtures::compiled_in())?;
    load(&sources).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Error::Cases(lines.join("\n"))
    })
}

fn source(path: &Path) -> Result<Source, Error> {
    let text = fs::read_to_string(path).map_err(|why| Error::Unreadable {
        path: path.to_owned(),
        why,
    })?;
    Ok(Source {
        path: path.display().to_string(),
        id: path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite() -> Suite {
        Suite::in_process("x", async |_, _| Err("it is never started"))
    }

    fn host() -> Arc<Host> {
        Arc::new(Host::new(Search::default()).expect("no seed"))
    }

    fn trial<'a>(trials: &'a [Trial], case: &str) -> &'a Trial {
        let name = format!("cases::x::{case}");
        let mut found = trials.iter().filter(|trial| trial.name() == name);
        found.next().unwrap_or_else(|| panic!("no test {name}"))
    }

    #[test]
    fn every_case_is_a_test_and_those_of_other_capabilities_are_ignored() {
        let trials = suite().claims(&["split-mget"]).trials(&host());
        let trials = trials.expect("tests");
        let cases = cases().expect("cases");
        assert_eq!(trials.len(), cases.len());
        assert!(!trial(&trials, "multi-key/mget-keeps-key-order").has_ignored_flag());
        let ignored = trial(&trials, "multi-key/del-counts-across-nodes");
        assert!(ignored.has_ignored_flag());
        assert_eq!(ignored.kind(), "x does not claim split-del");
    }

    #[test]
    fn cases_that_restart_the_proxy_come_last() {
        let trials = suite().trials(&host()).expect("tests");
        let place = |case: &str| {
            let name = format!("cases::x::{case}");
            trials.iter().position(|trial| trial.name() == name)
        };
        assert!(place("connection/ping") < place("rescale/removed-node-gets-nothing"));
    }

    #[test]
    fn wrong_claims_and_files_are_named() {
        let why = |suite: Suite| match suite.trials(&host()) {
            Ok(_) => panic!("it has tests"),
            Err(why) => why.to_string(),
        };
        assert_eq!(
            why(suite().claims(&["splt-mget"])),
            "claims: `splt-mget` is unknown, did you mean `split-mget`?"
        );
        assert_eq!(
            why(suite().known("multi-key/no-such-case", "because")),
            "known: `multi-key/no-such-case` matches no case"
        );
        let unreadable = why(Suite::from("no-such-file.toml"));
        assert!(
            unreadable.starts_with("cannot read no-such-file.toml: "),
            "{unreadable}"
        );
    }

    #[test]
    fn a_seed_that_is_no_number_is_named() {
        let variable = ("SHARDPROOF_SEED".into(), "xyz".into());
        let why = Host::new(Search::new(Path::new("/x/y"), [variable])).map(|_| ());
        assert_eq!(
            why.expect_err("no number").to_string(),
            "SHARDPROOF_SEED=xyz: expected up to 16 hexadecimal digits"
        );
    }
}
