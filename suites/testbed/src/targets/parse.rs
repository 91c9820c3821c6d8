//! Target files as text: every problem of a file at once, each with its line.
//!
//! Pure: never opens a file.

use std::path::Path;

use serde::Deserialize;
use toml::Value;

use super::document::{Document, Problem};
use super::file::{Occurs, Rescale, Target};
use super::template;
use crate::fixtures::Source;

/// The capability of a proxy that changes its cluster while it serves.
const LIVE: &str = "rescale-live";

/// Target files are wrong: one line per problem, `PATH:LINE: FIELD: WHAT, expected ...`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Error(Vec<String>);

impl Error {
    fn new(path: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
        let line = |Problem { line, field, why }: Problem| match field.as_str() {
            "" => format!("{path}:{line}: {why}"),
            field => format!("{path}:{line}: {field}: {why}"),
        };
        Self(problems.into_iter().map(line).collect())
    }
}

impl Target {
    /// Reads a target file.
    ///
    /// # Errors
    /// All problems, with their lines in the file.
    pub fn parse(source: &Source) -> Result<Self, Error> {
        read(source, |_, _| ())
    }

    /// Whether a template of its start uses a variable.
    #[must_use]
    pub fn uses(&self, variable: &str) -> bool {
        let mut templates = self.start.args.iter().chain([&self.start.config]);
        templates.any(|template| template::uses(template, variable))
    }
}

/// All targets of the fixtures, by name.
///
/// # Errors
/// All problems of all files; also a name that is not that of its file.
pub fn load_all(sources: &[Source]) -> Result<Vec<Target>, Error> {
    let (mut targets, mut lines) = (Vec::new(), Vec::new());
    for source in sources {
        let named = |target: &Target, document: &mut Document<'_>| {
            if target.name != source.id && !document.is_wrong("name") {
                let (name, file) = (&target.name, &source.id);
                let why = format!("`{name}`, expected the name of the file, `{file}`");
                document.wrong("name", why);
            }
        };
        match read(source, named) {
            Ok(target) => targets.push(Target {
                argument: target.name.clone(),
                ..target
            }),
            Err(Error(more)) => lines.extend(more),
        }
    }
    match lines.is_empty() {
        true => Ok(targets),
        false => Err(Error(lines)),
    }
}

/// The target of a file that passes all checks and `further`.
fn read(
    source: &Source,
    further: impl FnOnce(&Target, &mut Document<'_>),
) -> Result<Target, Error> {
    let mut document = Document::read(&source.text);
    if document.fields.is_empty() {
        return Err(Error::new(&source.path, document.problems));
    }
    rescale(&mut document);
    let fields = std::mem::take(&mut document.fields);
    let mut target = match Target::deserialize(Value::Table(fields)) {
        Ok(target) => target,
        Err(why) => {
            document.wrong("", why.message().replace('\n', ", "));
            return Err(Error::new(&source.path, document.problems));
        }
    };
    check(&target, &mut document);
    further(&target, &mut document);
    if !document.problems.is_empty() {
        return Err(Error::new(&source.path, document.problems));
    }
    if target.title.is_empty() {
        target.title.clone_from(&target.name);
    }
    let folder = Path::new(&source.path).parent();
    target.program = target.program.found_from(folder.unwrap_or(Path::new("")));
    target.path.clone_from(&source.path);
    target.argument.clone_from(&source.path);
    Ok(target)
}

/// The fields of a way of changing the cluster are those of that way.
fn rescale(document: &mut Document<'_>) {
    let Some(Value::Table(mut rescale)) = document.fields.remove("rescale") else {
        return;
    };
    let puts = rescale.get("how").and_then(Value::as_str) == Some("put");
    for (name, required) in [("path", true), ("body", true), ("malformed", false)] {
        let field = format!("rescale.{name}");
        match (puts, document.has(&field)) {
            (true, false) if required => {
                let why = "missing, expected with rescale.how = \"put\"".to_owned();
                document.wrong(&field, why);
            }
            (false, true) if !document.is_wrong("rescale.how") => {
                document.wrong(
                    &field,
                    "has no effect with rescale.how = \"restart\"".to_owned(),
                );
            }
            _ => {}
        }
        if !puts {
            rescale.remove(name);
        } else if required {
            rescale.entry(name).or_insert_with(|| "".into());
        }
    }
    document.fields.insert("rescale".to_owned(), rescale.into());
}

/// What no single field shows.
fn check(target: &Target, document: &mut Document<'_>) {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    if (target.name.is_empty() || !target.name.chars().all(plain)) && !document.is_wrong("name") {
        let why = format!(
            "`{}`, expected letters, digits, `-`, `_` and `.`",
            target.name
        );
        document.wrong("name", why);
    }
    let program = ["program", "program.name"];
    if target.program.name.is_empty() && !program.iter().any(|it| document.is_wrong(it)) {
        document.wrong(
            "program",
            "empty, expected a file name or a path".to_owned(),
        );
    }
    if target.policies.is_empty() && !document.is_wrong("policies") {
        document.wrong("policies", "empty, expected at least one".to_owned());
    }
    if target.rescale == Rescale::Restart && target.capabilities.iter().any(|it| it == LIVE) {
        let why = format!("`{LIVE}`, expected with rescale.how = \"put\" only");
        document.wrong("capabilities", why);
    }
    deviations(target, document);
    templates(target, document);
}

/// A deviation that is counted in every run needs a class; one that shows in every run is counted as it shows.
fn deviations(target: &Target, document: &mut Document<'_>) {
    for (place, deviation) in target.deviations.iter().enumerate() {
        let field = |name: &str| format!("deviation[{place}].{name}");
        let wrong = match (deviation.occurs, deviation.class) {
            (Occurs::ByPlacement, None) => Some("missing, expected with occurs = \"by-placement\""),
            (Occurs::Always, Some(_)) => Some("expected with occurs = \"by-placement\" only"),
            _ => None,
        };
        let earlier = ["occurs", "class"].map(field);
        if let (Some(why), false) = (wrong, earlier.iter().any(|it| document.is_wrong(it))) {
            document.wrong(&field("class"), why.to_owned());
        }
        if let Err(why) = deviation.seen.check(&target.version) {
            document.wrong(&field("seen"), why);
        }
    }
}

fn templates(target: &Target, document: &mut Document<'_>) {
    let start = &target.start;
    let mut templates = vec![("start.config".to_owned(), &start.config)];
    let listed = |field: &'static str, list: &[String]| -> Vec<String> {
        let places = 0..list.len();
        places.map(|place| format!("{field}[{place}]")).collect()
    };
    templates.extend(
        listed("start.args", &start.args)
            .into_iter()
            .zip(&start.args),
    );
    if let Rescale::Put {
        path,
        body,
        malformed,
    } = &target.rescale
    {
        templates.push(("rescale.path".to_owned(), path));
        templates.push(("rescale.body".to_owned(), body));
        templates.extend(
            listed("rescale.malformed", malformed)
                .into_iter()
                .zip(malformed),
        );
    }
    for (field, template) in templates {
        for mistake in template::mistakes(template, target) {
            document.wrong_in(&field, mistake.line, mistake.why);
        }
    }
    let asks = start.args.iter().find(|arg| template::uses(arg, "config"));
    if let (Some(arg), true) = (asks, start.config.is_empty()) {
        let why = format!("`{arg}` names the configuration, expected start.config");
        document.wrong("start.args", why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::{FIELDS, Field, Kind, Presence};

    /// The smallest target file.
    const TARGET: &str = "name = \"x\"\nprogram = \"my-proxy\"\nstart = { args = [] }\n";

    fn parse(text: &str) -> Result<Target, Error> {
        Target::parse(&Source {
            path: "x.toml".to_owned(),
            id: "x".to_owned(),
            text: text.to_owned(),
        })
    }

    /// The lines of the error are `expected`; none for a target that is valid.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let shown = parse(text).map_or_else(|why| why.to_string(), |_| String::new());
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn a_name_a_program_and_arguments_are_enough() {
        let target = parse(TARGET).unwrap();
        assert_eq!(target.title, "x");
        assert_eq!(target.program.name, "my-proxy");
        assert_eq!(target.program.env, "SHARDPROOF_MY_PROXY");
        assert_eq!(target.policies, ["unknown"]);
        assert_eq!(target.rescale, Rescale::Restart);
        let missing = [
            "x.toml:1: name: missing, expected a string",
            "x.toml:1: program: missing, expected a string or a table",
            "x.toml:1: start.args: missing, expected a list of templates",
        ];
        check("", &missing);
        check(
            "title = \"X\"\n[start]\n",
            &[
                missing[0],
                missing[1],
                "x.toml:2: start.args: missing, expected a list of templates",
            ],
        );
    }

    #[test]
    fn every_problem_is_reported_with_its_line() {
        let text = r#"name = "my proxy"
titel = "X"
op_timeout_ms = 0
program = 5
capabilities = [
    "splt-mget",
    "echo",
    "blockchain",
]
[start]
args = ["{{ lisen.port }}", 1]
config_name = ["x"]
config = '''
listen: {{ listen.adr }}
nodes:
{% for node in nodes %} {{ nod.addr }} {% endfor %}
'''
[rescale]
how = "put"
path = "/{{ admin.port }"
[[deviation]]
cases = "a/*"
occurs = "by-placement"
[[deviation]]
why = "does"
cases = "b/*"
seen = "1.0"
class = "wrng"
"#;
        let capabilities = crate::targets::CAPABILITIES.iter().map(|(name, _)| *name);
        let unknown = format!(
            "x.toml:8: capabilities: `blockchain` is unknown, expected one of {}",
            capabilities.collect::<Vec<_>>().join(", ")
        );
        check(
            text,
            &[
                "x.toml:1: name: `my proxy`, expected letters, digits, `-`, `_` and `.`",
                "x.toml:2: titel: unknown field, did you mean `title`?",
                "x.toml:3: op_timeout_ms: 0, expected a whole number from 1",
                "x.toml:4: program: found integer, expected a string or a table",
                "x.toml:6: capabilities: `splt-mget` is unknown, did you mean `split-mget`?",
                &unknown,
                "x.toml:11: start.args[0]: unknown variable `lisen.port`, did you mean `listen.port`?",
                "x.toml:11: start.args[1]: found integer, expected a string",
                "x.toml:12: start.config_name: found array, expected a string",
                "x.toml:14: start.config: unknown variable `listen.adr`, did you mean `listen.addr`?",
                "x.toml:16: start.config: unknown variable `nod.addr`, expected one of nodes, listen.addr, listen.host, \
             listen.port, admin.addr, admin.host, admin.port, config, log, policy, hash_tags, op_timeout_ms, eject",
                "x.toml:18: rescale.body: missing, expected with rescale.how = \"put\"",
                "x.toml:20: rescale.path: syntax error: unexpected `}`, expected end of variable block",
                "x.toml:21: deviation[0].class: missing, expected with occurs = \"by-placement\"",
                "x.toml:21: deviation[0].why: missing, expected a string",
                "x.toml:27: deviation[1].seen: `1.0` was not judged, expected version.pinned with it",
                "x.toml:28: deviation[1].class: `wrng`, expected one of correct, refused, closed, partial, hung, misrouted, \
             wrong",
            ],
        );
    }

    #[test]
    fn a_field_in_the_wrong_table_is_found() {
        check(
            &format!("args = []\n{TARGET}"),
            &["x.toml:1: args: unknown field, did you mean `start.args`?"],
        );
        check(
            &format!("{TARGET}[version]\nargs = []\npined = \"1\"\nxyz = 1\n"),
            &[
                "x.toml:6: version.pined: unknown field, did you mean `version.pinned`?",
                "x.toml:7: version.xyz: unknown field, expected one of args, pinned, earlier",
            ],
        );
    }

    #[test]
    fn broken_toml_is_all_that_is_reported() {
        let shown = parse("name = \"x\nprogram = \nxyz = 1\n")
            .unwrap_err()
            .to_string();
        let at = |line: usize| {
            shown
                .lines()
                .any(|it| it.starts_with(&format!("x.toml:{line}: ")))
        };
        assert!(at(1) && at(2), "{shown}");
        assert!(!shown.contains("xyz"), "{shown}");
    }

    #[test]
    fn a_proxy_that_restarts_does_not_change_live() {
        let live = format!("{TARGET}capabilities = [\"rescale-live\"]\n");
        let why =
            "x.toml:4: capabilities: `rescale-live`, expected with rescale.how = \"put\" only";
        check(&live, &[why]);
        let put = r#"rescale = { how = "put", path = "/", body = "", malformed = ["{"] }"#;
        check(&format!("{live}{put}"), &[]);
        check(
            &format!("{TARGET}{}", put.replace("put", "restart")),
            &[
                "x.toml:4: rescale.body: has no effect with rescale.how = \"restart\"",
                "x.toml:4: rescale.malformed: has no effect with rescale.how = \"restart\"",
                "x.toml:4: rescale.path: has no effect with rescale.how = \"restart\"",
            ],
        );
    }

    #[test]
    fn a_named_configuration_must_exist() {
        let text = TARGET.replace("[]", "[\"-c\", \"{{config}}\"]");
        let why =
            "x.toml:3: start.args: `{{config}}` names the configuration, expected start.config";
        check(&text, &[why]);
    }

    #[test]
    fn a_path_is_taken_from_the_folder_of_the_file() {
        let parse = |program: &str| {
            let source = Source {
                path: "some/where/x.toml".to_owned(),
                id: "x".to_owned(),
                text: TARGET.replace("my-proxy", program),
            };
            Target::parse(&source).unwrap().program
        };
        assert_eq!(parse("../bin/my.proxy").name, "some/where/../bin/my.proxy");
        assert_eq!(parse("../bin/my.proxy").env, "SHARDPROOF_MY_PROXY");
        assert_eq!(parse("my-proxy").name, "my-proxy");
        assert_eq!(parse("/bin/x").name, "/bin/x");
    }

    /// A value of each kind, as in a file.
    fn value(field: &Field) -> String {
        match field.kind {
            Kind::Text | Kind::Template | Kind::TextOrTable => "\"v\"".to_owned(),
            Kind::Texts | Kind::Templates => "[\"v\"]".to_owned(),
            Kind::Number => "7".to_owned(),
            Kind::OneOf(words) => format!("\"{}\"", words[words.len() - 1]),
            Kind::Capabilities => "[\"echo\"]".to_owned(),
            Kind::Table | Kind::Tables => unreachable!("its fields are tried"),
        }
    }

    /// A file with one more field.
    fn with(field: &Field, value: &str) -> String {
        let (table, name) = field.path.rsplit_once('.').unwrap_or(("", field.path));
        let start =
            |more: &str| format!("name = \"x\"\nprogram = \"p\"\nstart = {{ args = [] {more} }}\n");
        let more = format!("{name} = {value}");
        match table {
            "" => format!("{}{more}\n", start("")),
            "start" => start(&format!(", {more}")),
            "program" => start("").replace("\"p\"", &format!("{{ name = \"p\", {more} }}")),
            "version" => format!("{}[version]\nargs = []\n{more}\n", start("")),
            "rescale" => {
                format!(
                    "{}[rescale]\nhow = \"put\"\n{}\n",
                    start(""),
                    ["path = \"\"", "body = \"\""].join("\n")
                )
                .replace(&format!("{name} = \"\""), "")
                    + &more
                    + "\n"
            }
            "deviation" => {
                let row = "[[deviation]]\ncases = \"c\"\nwhy = \"w\"\n";
                format!(
                    "{}[version]\nargs = []\npinned = \"v\"\n{row}{more}\n",
                    start("")
                )
            }
            table => format!("{}[{table}]\n{more}\n", start("")),
        }
    }

    /// The table and the types agree: a field of the table is read, and its default is what its absence means.
    #[test]
    fn every_field_is_read_and_has_the_default_of_the_table() {
        for field in FIELDS {
            let required = field.presence == Presence::Required;
            let is_table = matches!(field.kind, Kind::Table | Kind::Tables);
            if required || is_table {
                continue;
            }
            let mut text = with(field, &value(field));
            match field.path {
                "deviation.occurs" => text += "class = \"wrong\"\n",
                "deviation.class" => text += "occurs = \"by-placement\"\n",
                _ => {}
            }
            let read = parse(&text).unwrap_or_else(|why| panic!("{}: {why}", field.path));
            let Presence::Default(default) = field.presence else {
                continue;
            };
            let explicit = parse(&with(field, default)).expect(field.path);
            assert_ne!(read, explicit, "{} is not read", field.path);
            let name = field.path.rsplit('.').next().unwrap();
            let without: Vec<String> = with(field, default)
                .lines()
                .map(
                    |line| match line.starts_with(&format!("{name} = {default}")) {
                        true => String::new(),
                        false => line.replace(&format!(", {name} = {default}"), ""),
                    },
                )
                .collect();
            let without = without.join("\n");
            assert_ne!(without, with(field, default).trim_end(), "{}", field.path);
            let absent = parse(&without).expect(field.path);
            assert_eq!(absent, explicit, "the default of {}", field.path);
        }
    }
}
