//! The fields of a target file: one table for the parser, for its errors and for the documents.

/// A field of a target file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its place in the file: `start.args`. A field of each `[[deviation]]` is `deviation.NAME`.
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether a file, or the table that holds the field, must have it.
    pub presence: Presence,
    /// Its meaning, for people.
    pub meaning: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A text that is a template over the setting.
    Template,
    /// A list of texts.
    Texts,
    /// A list of templates.
    Templates,
    /// A whole number from 1.
    Number,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of capabilities.
    Capabilities,
    /// A table.
    Table,
    /// A text, or a table.
    TextOrTable,
    /// Any number of tables.
    Tables,
}

impl Kind {
    /// The expectation in errors, after the word `expected`.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Text => "a string".to_owned(),
            Self::Template => "a template".to_owned(),
            Self::Texts => "a list of strings".to_owned(),
            Self::Templates => "a list of templates".to_owned(),
            Self::Number => "a whole number from 1".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Capabilities => "a list of capabilities".to_owned(),
            Self::Table => "a table".to_owned(),
            Self::TextOrTable => "a string or a table".to_owned(),
            Self::Tables => "tables".to_owned(),
        }
    }
}

/// Whether a field must be present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It must be.
    Required,
    /// It need not be; without it, it has this value, written as in a file.
    Default(&'static str),
    /// It need not be; the text says what happens without it.
    Without(&'static str),
}

use Kind::{
    Capabilities, Number, OneOf, Table, Tables, Template, Templates, Text, TextOrTable, Texts,
};
use Presence::{Default, Required, Without};

/// Every field, tables before their fields.
pub const FIELDS: &[Field] = &[
    row("name", Text, Required, "name in reports"),
    row("title", Text, Without("the name"), "name for people"),
    row("home", Text, Default("\"\""), "where it comes from"),
    row(
        "program",
        TextOrTable,
        Required,
        "the program: its file name, which is searched on PATH, or its path from the folder of the target file. Or a table",
    ),
    row("program.name", Text, Required, "the same, in a table"),
    row(
        "program.env",
        Text,
        Without("`SHARDPROOF_` and the file name of the program in upper case"),
        "environment variable that may hold the path of the program",
    ),
    row(
        "program.install",
        Text,
        Default("\"install it, or set the variable\""),
        "how to install the program, for the error if it is missing",
    ),
    row(
        "program.package",
        Text,
        Without("no package of this repository builds it"),
        "package of this repository that builds it",
    ),
    row(
        "start",
        Table,
        Required,
        "how it is started, in a folder of its own",
    ),
    row(
        "start.args",
        Templates,
        Required,
        "arguments of the program",
    ),
    row(
        "start.config",
        Template,
        Default("\"\""),
        "the configuration; its path is `{{ config }}`",
    ),
    row(
        "start.config_name",
        Text,
        Default("\"proxy.conf\""),
        "file name of the configuration; some programs depend on its extension",
    ),
    row(
        "start.ready_path",
        Text,
        Without("a PING through the proxy alone decides"),
        "path on the admin port that answers 200 when the proxy serves",
    ),
    row(
        "start.ready_within_s",
        Number,
        Default("30"),
        "seconds until it must serve",
    ),
    row(
        "op_timeout_ms",
        Number,
        Default("1000"),
        "time limit of the proxy for one request, in milliseconds",
    ),
    row(
        "capabilities",
        Capabilities,
        Default("[]"),
        "what the proxy claims, from the table below. A claimed capability that fails is broken; cases that need others \
         are skipped",
    ),
    row(
        "policies",
        Texts,
        Default("[\"unknown\"]"),
        "placement policies that the template supports, the default first",
    ),
    row(
        "own_traffic",
        Texts,
        Default("[]"),
        "commands that the proxy sends to nodes by itself, in upper case; `asked` in cases ignores them",
    ),
    row(
        "version",
        Table,
        Without("the version is not known"),
        "how to find out its version",
    ),
    row(
        "version.args",
        Texts,
        Required,
        "arguments that make the program print its version",
    ),
    row(
        "version.pinned",
        Text,
        Default("\"\""),
        "text in that output, for the version that the deviations were seen in",
    ),
    row(
        "version.earlier",
        Texts,
        Default("[]"),
        "the same for earlier versions, the oldest first",
    ),
    row(
        "rescale",
        Table,
        Default("{ how = \"restart\" }"),
        "how its cluster is changed while it serves",
    ),
    row(
        "rescale.how",
        OneOf(&["restart", "put"]),
        Required,
        "`restart`: it is stopped, and started with a new configuration. `put`: the new cluster is put to its admin port",
    ),
    row(
        "rescale.path",
        Template,
        Without("required with `how = \"put\"`"),
        "path on the admin port",
    ),
    row(
        "rescale.body",
        Template,
        Without("required with `how = \"put\"`"),
        "the body of the request",
    ),
    row(
        "rescale.malformed",
        Templates,
        Default("[]"),
        "bodies that the proxy must refuse, for `cluster bad` in cases",
    ),
    row(
        "limits",
        Table,
        Default("{}"),
        "bounds that chaos scenarios check under load and faults",
    ),
    row(
        "limits.memory_mib",
        Number,
        Without("not judged"),
        "resident memory, in MiB",
    ),
    row(
        "limits.node_connections",
        Number,
        Without("not judged"),
        "connections to all nodes together",
    ),
    row(
        "limits.idle_node_connections",
        Number,
        Without("not judged"),
        "the same when no client waits for a reply or is in a transaction",
    ),
    row(
        "deviation",
        Tables,
        Default("[]"),
        "known exceptions, each a `[[deviation]]`; for a case, the first that matches is used",
    ),
    row(
        "deviation.cases",
        Text,
        Required,
        "pattern of case ids; `*` matches any text, `@10..20` a range of shapes",
    ),
    row(
        "deviation.why",
        Text,
        Required,
        "what the proxy does instead",
    ),
    row(
        "deviation.seen",
        Text,
        Without("any version"),
        "the version that does it, or `1.36.4 to 1.39.3`: all judged versions (`version.earlier`, then `version.pinned`) \
         from the first to the last. The row is not used for other judged versions",
    ),
    row(
        "deviation.occurs",
        OneOf(&["always", "by-placement"]),
        Default("\"always\""),
        "`by-placement`: it occurs only for some keys, ports or timings. A run does not fail if it is absent",
    ),
    row(
        "deviation.class",
        OneOf(&[
            "correct",
            "refused",
            "closed",
            "partial",
            "hung",
            "misrouted",
            "wrong",
        ]),
        Without("required with `by-placement`, and for that only"),
        "the worst outcome class that clients get; `correct` if only a wrong node is asked",
    ),
    row(
        "deviation.link",
        Text,
        Without("no report is known"),
        "an upstream issue about it",
    ),
];

const fn row(path: &'static str, kind: Kind, presence: Presence, meaning: &'static str) -> Field {
    Field {
        path,
        kind,
        presence,
        meaning,
    }
}
