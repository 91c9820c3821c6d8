//! What the drivers share: which targets and node sources are at hand, and what it means when one is not.

use std::env;
use std::sync::OnceLock;

use testbed::fixtures::Fixtures;
use testbed::program::Search;
use testbed::targets::{self, Target};

/// Names of targets, and `docker`, that must not be missing, separated by commas.
const REQUIRE: &str = "SHARDPROOF_REQUIRE";

/// Where the drivers look for programs.
pub(crate) fn search() -> Search {
    Search::new(
        &env::current_exe().expect("a test has an executable"),
        env::vars_os(),
    )
}

/// All target files.
pub(crate) fn targets() -> Vec<Target> {
    let sources = Fixtures::compiled_in().targets();
    targets::load_all(&sources.expect("target files")).expect("valid target files")
}

/// Whether the tests of a target run here.
pub(crate) enum Presence {
    /// They run; what is missing after all is a failure.
    Expected,
    /// The program is missing, and nobody insists: the tests are listed as ignored, with this reason.
    Missing(String),
}

/// What this workspace builds is always expected; a peer when it is installed or required.
pub(crate) fn presence(target: &Target) -> Presence {
    match search().find(&target.program) {
        Err(missing) if target.program.package.is_none() && !required(&target.name) => {
            Presence::Missing(missing.to_string())
        }
        _ => Presence::Expected,
    }
}

/// Whether a missing target, or whatever else has a name, is a failure.
pub(crate) fn required(name: &str) -> bool {
    let required = env::var(REQUIRE).unwrap_or_default();
    required.split(',').any(|required| required == name)
}

/// Makes sure that the program of a target is what its source says: what this workspace builds is built, once a
/// process.
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
