//! Shared by the drivers: which targets and node sources are installed, and the consequence if one is not.

pub(crate) mod docker;

use std::env;
use std::ffi::OsString;
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

/// Features of the tests that are on in this build.
const FEATURES: &[(&str, bool)] = &[
    ("docker", cfg!(feature = "docker")),
    ("toxiproxy-rust", cfg!(feature = "toxiproxy-rust")),
];

/// Makes sure that the program of a target is up to date: a target of this workspace is built, once per process. It is
/// built as one of all members, with the features of the tests: `cargo test --workspace` has built it so, and alone it
/// and its dependencies would be compiled once more.
///
/// # Panics
/// When it does not build.
pub(crate) fn prepare(target: &Target) {
    static BUILT: OnceLock<()> = OnceLock::new();
    if target.program.package.is_some() {
        BUILT.get_or_init(|| {
            let on = FEATURES.iter().filter(|(_, on)| *on);
            let build = escargot::CargoBuild::new()
                .arg("--workspace")
                .bin(&target.program.name)
                .features(on.map(|(name, _)| *name).collect::<Vec<_>>().join(","));
            let build = of_a_package().fold(build, |build, name| build.env_remove(name));
            build.run().expect("the workspace's own proxy builds");
        });
    }
}

/// Variables that describe the package of this test. Build scripts of dependencies (ring's) would run again where Cargo
/// itself finds them, and everything above them be compiled again, in this build and in the next one.
fn of_a_package() -> impl Iterator<Item = OsString> {
    let names = env::vars_os().map(|(name, _)| name);
    names.filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_")
    })
}
