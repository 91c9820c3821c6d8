//! Every case on every target, one named test each: `envoy::multi-key/mget-keeps-key-order`.
//!
//! One stage at a time, one case after the other: links listen on fixed ports, and a target's cases share its cluster.

use std::env;
use std::process::{self, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use libtest_mimic::{Arguments, Failed, Trial};
use shardproof::cluster::{LINK_PORT_BASE, Source};
use shardproof::conformance::{Case, Stage, load, skipped};
use shardproof::fixtures::Fixtures;
use shardproof::program::Search;
use shardproof::target::{Target, load_all};
use shardproof::verdict::{Result as Judged, Verdict};
use tokio::runtime::{Builder, Runtime};

/// Programs of this workspace: built, not looked for.
const BUILT_HERE: &[&str] = &["refproxy"];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let (host, trials) = match Host::new().and_then(trials) {
        Ok(both) => both,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    host.close();
    conclusion.exit_code()
}

/// One trial for each case on each target.
fn trials(host: Host) -> Result<(Arc<Host>, Vec<Trial>), String> {
    let host = Arc::new(host);
    let fixtures = Fixtures::compiled_in();
    let sources = fixtures.cases().map_err(|why| why.to_string())?;
    let cases = load(&sources).map_err(|all| {
        let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })?;
    let targets = fixtures.targets().map_err(|why| why.to_string())?;
    let targets = load_all(&targets).map_err(|why| why.to_string())?;
    let pairs = targets
        .iter()
        .flat_map(|target| cases.iter().map(move |case| (target, case)));
    let trials = pairs.map(|(target, case)| trial(&host, target.clone(), case.clone()));
    let trials = trials.collect();
    Ok((host, trials))
}

fn trial(host: &Arc<Host>, target: Target, case: Case) -> Trial {
    let ignored = host.absent(&target).or_else(|| skipped(&target, &case));
    let name = format!("{}::{}", target.name, case.id);
    let host = Arc::clone(host);
    Trial::test(name, move || host.judge(&target, &case))
        .with_ignored_flag(ignored.is_some())
        .with_kind(ignored.unwrap_or_default())
}

/// What the tests share: the stage of the target whose turn it is.
struct Host {
    search: Search,
    seed: u64,
    runtime: Runtime,
    stage: Mutex<Option<(String, Stage)>>,
}

impl Host {
    fn new() -> Result<Self, String> {
        let executable = env::current_exe().map_err(|why| why.to_string())?;
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            search: Search::new(&executable, env::vars_os()),
            seed: seed()?,
            runtime: runtime.map_err(|why| why.to_string())?,
            stage: Mutex::new(None),
        })
    }

    /// Why a target cannot be judged here, unless its absence is to be a failure.
    fn absent(&self, target: &Target) -> Option<String> {
        let required = env::var("SHARDPROOF_REQUIRE").unwrap_or_default();
        let required = required.split(',').any(|name| name.trim() == target.name);
        let ours = BUILT_HERE.contains(&target.program.name.as_str());
        let missing = self.search.find(&target.program).err();
        missing
            .filter(|_| !required && !ours)
            .map(|missing| missing.to_string())
    }

    fn judge(&self, target: &Target, case: &Case) -> Result<(), Failed> {
        let mut slot = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let judged = self.runtime.block_on(async {
            let (_, stage) = match slot.take().filter(|(name, _)| *name == target.name) {
                Some(open) => slot.insert(open),
                // The ports of the stage before are free by now.
                None => slot.insert((target.name.clone(), self.open(target).await?)),
            };
            Ok::<_, Failed>(stage.judge(case).await)
        })?;
        let repeat = format!(
            "repeat: shardproof run --target {} --filter {} --seed {:x}",
            target.name, case.id, self.seed
        );
        outcome(&judged).map_err(|text| format!("{text}\n{repeat}").into())
    }

    async fn open(&self, target: &Target) -> Result<Stage, Failed> {
        if BUILT_HERE.contains(&target.program.name.as_str()) {
            let name = &target.program.name;
            let build = escargot::CargoBuild::new().package(name).bin(name);
            build
                .run()
                .map_err(|why| format!("{name} cannot be built: {why}"))?;
        }
        Stage::start(
            target,
            &Source::Process,
            &self.search,
            LINK_PORT_BASE,
            self.seed,
        )
        .await
        .map_err(|why| format!("no stage: {why}").into())
    }

    fn close(&self) {
        let stage = self
            .stage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.runtime.block_on(async { drop(stage) });
    }
}

/// What a failed test says.
fn outcome(judged: &Judged) -> Result<(), String> {
    let said = match &judged.verdict {
        Verdict::Skip { reason } => format!("skipped: {reason}"),
        Verdict::Unknown { why } => format!("could not be judged: {why}"),
        _ if !judged.breaks(strict()) => return Ok(()),
        Verdict::Pass => "a recorded deviation no longer occurs: remove its row".to_owned(),
        Verdict::Fail(_) => show(judged),
    };
    Err(format!("{}\n{said}", judged.promise))
}

/// From the environment, to repeat a run; else by chance.
fn seed() -> Result<u64, String> {
    match env::var("SHARDPROOF_SEED") {
        Ok(given) => u64::from_str_radix(&given, 16).map_err(|why| {
            format!("SHARDPROOF_SEED={given}: {why}, expected a hexadecimal number")
        }),
        Err(_) => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = since.map_or(0, |since| since.subsec_nanos());
            Ok(u64::from(now) << 32 | u64::from(process::id()))
        }
    }
}

/// Whether what only should be counts as well.
fn strict() -> bool {
    env::var_os("SHARDPROOF_STRICT").is_some()
}

/// What was promised and what came instead.
fn show(judged: &Judged) -> String {
    let Verdict::Fail(evidence) = &judged.verdict else {
        return String::new();
    };
    let lines = evidence.transcript.iter().map(|line| {
        format!(
            "  {:>7.1} ms  {:<15} {:?}: {}",
            line.at.as_secs_f64() * 1e3,
            line.party,
            line.way,
            line.text
        )
    });
    format!(
        "{} ({}): expected {}, got {}\n{}",
        evidence.at,
        evidence.class.name(),
        evidence.expected,
        evidence.got,
        lines.collect::<Vec<_>>().join("\n")
    )
}
