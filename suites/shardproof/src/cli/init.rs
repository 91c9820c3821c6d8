//! `shardproof init`: a commented target file for a proxy, tried before it is written.

mod draft;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use conformance::Allowed;
use conformance::probe::Probe;
use shardproof::run::{self, Subject};
use testbed::fixtures::Source;
use testbed::program::Search;
use testbed::targets::Target;
use testbed::text::shell_quoted;

use self::draft::Draft;
use super::{Common, Console, Exit, Usage};

/// Write a target file for a proxy, and try it.
///
/// The proxy is started over three Redis nodes and probed: the file claims the capabilities that it offers. On a terminal,
/// missing flags are asked for
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The proxy: a file name, which is searched on PATH, or a path
    #[arg(long, value_name = "PROGRAM")]
    program: Option<String>,
    /// Argument of the program, a template such as {{ listen.addr }}; repeat for several
    #[arg(long = "arg", value_name = "TEMPLATE", allow_hyphen_values = true)]
    args: Vec<String>,
    /// File with a template of the proxy's configuration, for proxies that have one. Its path is {{ config }} in --arg
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Name of the target. Default: that of the program
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Argument that makes the program print its version; repeat for several
    #[arg(long = "version-arg", value_name = "ARG", allow_hyphen_values = true)]
    version_args: Vec<String>,
    /// Time limit of the proxy for one request
    #[arg(long, value_name = "MS")]
    op_timeout_ms: Option<u64>,
    /// Where to write the file. Default: NAME.toml
    #[arg(long, value_name = "FILE.toml")]
    output: Option<PathBuf>,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
    /// Only write the file
    #[arg(long)]
    no_try: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(flags: Flags, search: Search, console: &Console) -> anyhow::Result<Exit> {
    flags.common.check()?;
    let (draft, output) = draft(&flags, console)?;
    let path = output.display().to_string();
    if output.exists() && !flags.force {
        return Err(Usage(format!("{path} exists, expected --force to overwrite it")).into());
    }
    let target = parse(&path, draft.text(&path, NOTHING))?;
    for (variable, what) in [
        ("listen", "an address to listen on"),
        ("nodes", "the nodes"),
    ] {
        if !target.uses(variable) {
            return Err(Usage(format!(
                "the proxy is not given {what}, expected {{{{ {variable} }}}} in --arg or in the file of --config, \
                 such as {}",
                example(variable)
            ))
            .into());
        }
    }
    if flags.no_try {
        write(&output, &draft.text(&path, NOTHING))?;
        (console.out)(&format!("{path} was written, and claims no capabilities\n"));
        return Ok(Exit::Expected);
    }
    match tried(&flags, target, search, console).await {
        Ok(probed) => {
            write(&output, &draft.text(&path, &probed.toml()))?;
            let (count, all) = (probed.capabilities.len(), probed.found.len());
            let argument = shell_quoted(&as_argument(&path));
            (console.out)(&format!(
                "{path} was written: {name} starts, and offers {count} of {all} capabilities\n\
                 next: shardproof run --target {argument}\n",
                name = draft.name
            ));
            Ok(Exit::Expected)
        }
        Err(why) => {
            write(&output, &draft.text(&path, NOTHING))?;
            let argument = shell_quoted(&as_argument(&path));
            (console.err)(&format!(
                "{path} was written, but the proxy cannot be probed: edit the file and run `shardproof probe --target \
                 {argument}`, or run init again with --force"
            ));
            Err(why)
        }
    }
}

/// A file that claims nothing.
const NOTHING: &str = "capabilities = []\n";

fn example(variable: &str) -> &'static str {
    match variable {
        "listen" => "{{ listen.addr }} or {{ listen.port }}",
        _ => "{% for node in nodes %}{{ node.addr }} {% endfor %} or {{ nodes[0].port }}",
    }
}

/// The answers of flags, and of questions where flags are missing.
fn draft(flags: &Flags, console: &Console) -> anyhow::Result<(Draft, PathBuf)> {
    let program = match &flags.program {
        Some(program) => program.clone(),
        None => (console.ask)("Program (file name or path): ")?
            .filter(|answer| !answer.is_empty())
            .ok_or_else(|| {
                Usage("--program: missing, expected a file name or a path".to_owned())
            })?,
    };
    let asks = flags.program.is_none();
    let mut config = flags.config.clone();
    if config.is_none() && asks {
        let answer = (console.ask)("File with a template of its configuration (empty for none): ")?;
        config = answer.filter(|it| !it.is_empty()).map(PathBuf::from);
    }
    let mut args = flags.args.clone();
    if args.is_empty() && asks {
        let line = (console.ask)("Arguments, as in {{ config }} or --port {{ listen.port }}: ")?;
        let line = line.unwrap_or_default();
        args = words(&line).ok_or_else(|| Usage(format!("`{line}`: expected closed quotes")))?;
    }
    let stem = Path::new(&program).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy().into_owned();
    let name = flags.name.clone().unwrap_or(stem);
    let output = flags
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    let config = config.map(|file| {
        let text = std::fs::read_to_string(&file)
            .map_err(|why| Usage(format!("--config {}: {why}", file.display())))?;
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok::<_, Usage>((name, text))
    });
    let draft = Draft {
        program: from_folder(program, &output)?,
        args,
        config: config.transpose()?,
        version_args: flags.version_args.clone(),
        op_timeout_ms: flags.op_timeout_ms,
        name,
    };
    Ok((draft, output))
}

/// The words of a line, which may have templates with spaces: these are one word.
fn words(line: &str) -> Option<Vec<String>> {
    const SPACE: &str = "\u{e000}";
    let mut joined = String::new();
    let mut depth = 0;
    for char in line.chars() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match char {
            ' ' if depth > 0 => joined.push_str(SPACE),
            char => joined.push(char),
        }
    }
    let words = shlex::split(&joined)?;
    Some(words.iter().map(|word| word.replace(SPACE, " ")).collect())
}

/// A program by path, as it is found from the folder of the file.
fn from_folder(program: String, output: &Path) -> anyhow::Result<String> {
    let here = output
        .parent()
        .is_none_or(|folder| folder.as_os_str().is_empty());
    if here || !program.contains('/') {
        return Ok(program);
    }
    let path = std::path::absolute(&program).with_context(|| format!("--program {program}"))?;
    Ok(path.display().to_string())
}

fn parse(path: &str, text: String) -> anyhow::Result<Target> {
    let stem = Path::new(path).file_stem().unwrap_or_default();
    let parsed = Target::parse(&Source {
        path: path.to_owned(),
        id: stem.to_string_lossy().into_owned(),
        text,
    });
    // The file is made of the flags.
    Ok(parsed.map_err(|why| Usage(why.to_string()))?)
}

/// What the proxy offers, if it starts.
async fn tried(
    flags: &Flags,
    target: Target,
    search: Search,
    console: &Console,
) -> anyhow::Result<Probe> {
    let connector = flags.common.connect.connector(console)?;
    let options = flags.common.run_options_with_links(search, &connector);
    let options = options.await?;
    let subject = Subject::Target {
        target: Box::new(target),
        allowed: Allowed::default(),
    };
    Ok(run::probe(&options, &subject).await?)
}

/// The path as --target takes it for a path.
fn as_argument(path: &str) -> String {
    match path.contains('/') || path.ends_with(".toml") {
        true => path.to_owned(),
        false => format!("./{path}"),
    }
}

fn write(output: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(output, text).with_context(|| format!("cannot write {}", output.display()))
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_template_is_one_word() {
        let check = |line: &str, expected: &[&str]| {
            assert_eq!(words(line).unwrap(), expected, "{line}");
        };
        check("-c {{ config }}", &["-c", "{{ config }}"]);
        check(
            "'a b' --l={{ listen.addr }}",
            &["a b", "--l={{ listen.addr }}"],
        );
        check(
            "{% for node in nodes %}{{ node.addr }} {% endfor %}",
            &["{% for node in nodes %}{{ node.addr }}", "{% endfor %}"],
        );
        assert_eq!(words("'a"), None);
    }
}
