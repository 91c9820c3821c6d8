//! The main function of a test file, as a macro.

use std::env::{Args, VarsOs};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::Arguments;
use testbed::program::Search;

use super::{Error, Suite};

/// The main function of a test file with `harness = false`: one test per case, of a target file or a
/// [`Suite`](crate::harness::Suite). See [`crate::harness`].
#[macro_export]
macro_rules! harness {
    ($suite:expr) => {
        fn main() -> ::std::process::ExitCode {
            let executable = ::std::env::current_exe();
            let (arguments, variables) = (::std::env::args(), ::std::env::vars_os());
            match $crate::harness::run($suite, arguments, executable, variables) {
                Ok(code) => code,
                Err(why) => {
                    eprintln!("shardproof: {why}");
                    ::std::process::ExitCode::from(2)
                }
            }
        }
    };
}

/// Runs the tests that the command line of a test binary asks for.
///
/// # Errors
/// Why there are no tests: a target file that is wrong.
pub fn run(
    suite: impl Into<Suite>,
    arguments: Args,
    executable: io::Result<PathBuf>,
    variables: VarsOs,
) -> Result<ExitCode, Error> {
    let arguments = Arguments::from_iter(arguments);
    let search = Search::new(&executable.map_err(Error::Executable)?, variables);
    suite.into().run(arguments, search)
}
