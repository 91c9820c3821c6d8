//! Shared by the drivers: which targets and node sources are installed, and the consequence if one is not.

pub(crate) mod docker;

use std::env;
use std::sync::{LazyLock, OnceLock};

pub(crate) use shardproof::harness::{Presence, trial};
use testbed::fixtures::Fixtures;
use testbed::program::{Program, Search};
use testbed::targets::{self, Target};

/// Names of targets, clients and servers, and `docker`, that must not be missing, separated by commas.
const REQUIRE: &str = "SHARDPROOF_REQUIRE";

/// Where the drivers look for programs.
pub(crate) fn search() -> Search {
    Search::new(
        &env::current_exe().expect("a test has an executable"),
        env::vars_os(),
    )
}

/// All target files. Read once: thousands of trials ask for them.
static TARGETS: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let sources = Fixtures::compiled_in().targets();
    targets::load_all(&sources.expect("target files")).expect("valid target files")
});

/// All targets.
pub(crate) fn targets() -> Vec<Target> {
    TARGETS.clone()
}

/// The presence of a program that `SHARDPROOF_REQUIRE` calls `name`; `missing` is the reason if it is missing.
pub(crate) fn present(name: &str, missing: Option<String>) -> Presence {
    match missing {
        None => Presence::Expected,
        Some(why) if required(name) => {
            Presence::Required(format!("{REQUIRE} names {name}, but {why}"))
        }
        Some(why) => Presence::Missing(why),
    }
}

/// A target of this workspace is always expected; a peer only if it is installed.
pub(crate) fn presence(target: &Target) -> Presence {
    match target.program.package {
        Some(_) => Presence::Expected,
        None => program(&target.name, &target.program),
    }
}

/// Of a program that `SHARDPROOF_REQUIRE` calls `name`.
pub(crate) fn program(name: &str, program: &Program) -> Presence {
    let found = search().find(program);
    present(name, found.err().map(|why| why.to_string()))
}

fn required(name: &str) -> bool {
    let required = env::var(REQUIRE).unwrap_or_default();
    required.split(',').any(|required| required == name)
}

/// Makes sure that the program of a target is up to date: a target of this workspace is built, once per process.
///
/// # Panics
/// When it does not build.
pub(crate) fn prepare(target: &Target) {
    static BUILT: OnceLock<()> = OnceLock::new();
    if let Some(package) = &target.program.package {
        BUILT.get_or_init(|| {
            escargot::CargoBuild::new()
                .package(package)
                .bin(&target.program.name)
                .run()
                .expect("the workspace's own proxy builds");
        });
    }
}
