//! The grammar of `--target`: the name of a target of the fixtures, or the path of a target file. `--as` also takes
//! a version.

use std::path::Path;

use testbed::fixtures::Source;
use testbed::targets::{self, Target};
use testbed::text;

use super::{Folder, Usage};

/// The targets that `--target` asks for, in that order.
pub(super) fn targets(folder: &Folder, arguments: &[String]) -> anyhow::Result<Vec<Target>> {
    given("--target", folder, arguments)
}

/// The targets that the values of `flag` ask for, in that order.
pub(super) fn given(
    flag: &str,
    folder: &Folder,
    arguments: &[String],
) -> anyhow::Result<Vec<Target>> {
    let known = match arguments.iter().all(|argument| is_path(argument)) {
        true => Vec::new(),
        false => targets::load_all(&folder.fixtures().targets()?)?,
    };
    let found = arguments.iter().map(|argument| match is_path(argument) {
        true => of_file(flag, argument),
        false => Ok(named(flag, &known, argument)?.clone()),
    });
    let found: Vec<Target> = found.collect::<anyhow::Result<_>>()?;
    once_each(flag, &found)?;
    Ok(found)
}

/// The target that the value of `--as` asks for, and the version after `@`.
pub(super) fn likened<'a>(
    folder: &Folder,
    argument: &'a str,
) -> anyhow::Result<(Target, Option<&'a str>)> {
    let (name, version) = match argument.rsplit_once('@') {
        // A folder or a file may have the character in its name.
        Some((name, version)) if !is_path(version) => (name, Some(version)),
        _ => (argument, None),
    };
    let target = match is_path(name) {
        true => of_file("--as", name)?,
        false => {
            let known = targets::load_all(&folder.fixtures().targets()?)?;
            named("--as", &known, name)?.clone()
        }
    };
    if let Some(version) = version {
        check_version(&target, argument, version)?;
    }
    Ok((target, version))
}

/// Refuses what cannot be a version. One that was not judged can.
fn check_version(target: &Target, argument: &str, version: &str) -> Result<(), Usage> {
    let mut judged = target.version.judged();
    if is_version(version) || judged.any(|it| it == version) {
        return Ok(());
    }
    Err(Usage(format!(
        "--as {argument}: `{version}` is not a version, expected one such as {}",
        target.version.judged().last().unwrap_or("1.2.3")
    )))
}

/// Numbers with dots between them, and what may follow: `1.2.3`, `1.2.3-rc1`.
fn is_version(text: &str) -> bool {
    let (numbers, rest) = match text.find(['-', '+']) {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, "0"),
    };
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let of_suffix = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    numbers.split('.').all(is_number) && !rest.is_empty() && rest.chars().all(of_suffix)
}

/// Refuses two targets with the same name: a report identifies a target by its name.
fn once_each(flag: &str, targets: &[Target]) -> Result<(), Usage> {
    for (place, target) in targets.iter().enumerate() {
        if let Some(other) = targets[..place].iter().find(|it| it.name == target.name) {
            let (name, paths) = (&target.name, [&other.path, &target.path]);
            let [first, second] = paths;
            return Err(Usage(format!(
                "{flag}: two targets have the name {name} ({first}, {second}), expected one of each name"
            )));
        }
    }
    Ok(())
}

/// Whether an argument is a path, not a name.
fn is_path(argument: &str) -> bool {
    argument.contains('/') || argument.ends_with(".toml")
}

fn of_file(flag: &str, path: &str) -> anyhow::Result<Target> {
    let text = std::fs::read_to_string(path)
        .map_err(|why| Usage(format!("{flag} {path}: cannot be read: {why}")))?;
    let stem = Path::new(path).file_stem().unwrap_or_default();
    Ok(Target::parse(&Source {
        path: path.to_owned(),
        id: stem.to_string_lossy().into_owned(),
        text,
    })?)
}

fn named<'a>(flag: &str, known: &'a [Target], name: &str) -> Result<&'a Target, Usage> {
    let names = || known.iter().map(|target| target.name.as_str());
    known.iter().find(|it| it.name == name).ok_or_else(|| {
        let expected = match text::nearest(name, names()) {
            Some(near) => format!("did you mean {near}?"),
            None => {
                let names: Vec<&str> = names().collect();
                let names = names.join(", ");
                format!("expected one of {names}, or the path of a target file")
            }
        };
        Usage(format!("{flag} {name}: unknown, {expected}"))
    })
}

#[cfg(test)]
mod tests {
    use super::is_version;

    #[test]
    fn a_version_begins_with_numbers() {
        for version in ["1.38.3", "0.5.0", "7", "1.2.3-rc1", "1.2.3-dev+abc.1"] {
            assert!(is_version(version), "{version}");
        }
        for other in [
            "", "latest", "v1.2.3", "1..2", "1.2.", ".1", "1.2.x", "1.2-", "1 2",
        ] {
            assert!(!is_version(other), "{other}");
        }
    }
}
