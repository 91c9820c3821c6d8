//! The text of a new target file: the answers of its author, with comments.
//!
//! Pure: never writes a file.

use std::fmt::Write;

/// The answers that a target file is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Draft {
    /// Name in reports.
    pub(super) name: String,
    /// File name or path of the program.
    pub(super) program: String,
    /// Templates of its arguments.
    pub(super) args: Vec<String>,
    /// Template of its configuration, with the name of the file; for programs that have one.
    pub(super) config: Option<(String, String)>,
    /// Arguments that make it print its version.
    pub(super) version_args: Vec<String>,
    /// Time limit for one request, if given.
    pub(super) op_timeout_ms: Option<u64>,
}

impl Draft {
    /// The file, with a line of capabilities in TOML.
    pub(super) fn text(&self, path: &str, capabilities: &str) -> String {
        let mut text = format!(
            "# A target of shardproof: how {name} is started, and what it claims. Every field: docs/targets.md\n\
             name = {quoted}\n\
             # File name, which is searched on PATH, or path from the folder of this file.\n\
             program = {program}\n\n\
             # Offered by the proxy, as `shardproof probe --target {path}` finds out. A claimed capability that fails is\n\
             # broken; cases that need others are skipped.\n\
             {capabilities}\n",
            name = self.name,
            quoted = quoted(&self.name),
            program = quoted(&self.program),
        );
        text += "# Time limit of the proxy for one request, in milliseconds.\n";
        match self.op_timeout_ms {
            Some(limit) => {
                let _ = writeln!(text, "op_timeout_ms = {limit}");
            }
            None => text += "# op_timeout_ms = 1000\n",
        }
        text += "\n# Templates. Variables: nodes, listen, admin, config, log, policy, hash_tags, op_timeout_ms, eject.\n[start]\n";
        let _ = writeln!(text, "args = {}", list(&self.args));
        match &self.config {
            Some((name, config)) => {
                let _ = writeln!(
                    text,
                    "config_name = {}\nconfig = {}",
                    quoted(name),
                    lines(config)
                );
            }
            None => text += "# config = '''\n# listen {{ listen.addr }}\n# '''\n",
        }
        text += "# Path on the admin port that answers 200 when the proxy serves. Without it, a PING decides.\n\
                 # ready_path = \"/ready\"\n\n";
        match self.version_args.is_empty() {
            true => text += "# [version]\n# args = [\"--version\"]\n",
            false => {
                let _ = writeln!(text, "[version]\nargs = {}", list(&self.version_args));
            }
        }
        text += "\n# A failure that you accept; a run fails if it no longer occurs.\n\
                 # [[deviation]]\n# cases = \"connection/ping\"\n# why = \"closes the connection on a PING with an argument\"\n";
        text
    }
}

fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A string of TOML in one line.
fn quoted(text: &str) -> String {
    let escaped = serde_json::Value::from(text).to_string();
    // JSON does not escape DEL, which TOML forbids in a string.
    escaped.replace('\u{7f}', "\\u007f")
}

/// A string of TOML with its lines as they are, if TOML can have them so.
fn lines(text: &str) -> String {
    let plain = |char: char| matches!(char, '\n' | '\t') || !char.is_control();
    match text.contains("'''") || text.ends_with('\'') || !text.chars().all(plain) {
        true => quoted(text),
        false => format!("'''\n{text}'''"),
    }
}

#[cfg(test)]
mod tests {
    use testbed::fixtures::Source;
    use testbed::targets::Target;

    use super::*;

    #[track_caller]
    fn parse(draft: &Draft, capabilities: &str) -> Target {
        let text = draft.text("x.toml", capabilities);
        let source = Source {
            path: "x.toml".to_owned(),
            id: "x".to_owned(),
            text: text.clone(),
        };
        Target::parse(&source).unwrap_or_else(|why| panic!("{why}\n{text}"))
    }

    #[test]
    fn the_file_is_read_back_as_it_was_meant() {
        let mut draft = Draft {
            name: "my-proxy".to_owned(),
            program: "p\"1\u{7f}".to_owned(),
            args: ["--listen={{ listen.addr }}", "a\\b \"c\"", "#"]
                .map(str::to_owned)
                .to_vec(),
            ..Draft::default()
        };
        let target = parse(&draft, "capabilities = []\n");
        assert_eq!(target.program.name, draft.program);
        assert_eq!(target.start.args, draft.args);
        assert_eq!(target.op_timeout_ms, 1000);
        for config in [
            "a\n{{ listen.addr }}\n",
            "it's '''three'''\n",
            "ends with '",
            "\r\n\u{1}",
        ] {
            draft.config = Some(("my.conf".to_owned(), config.to_owned()));
            draft.version_args = vec!["-V".to_owned()];
            draft.op_timeout_ms = Some(7);
            let target = parse(&draft, "capabilities = [\n    \"echo\",\n]\n");
            assert_eq!(target.start.config, config);
            assert_eq!(target.start.config_name, "my.conf");
            assert_eq!(target.version.args, ["-V"]);
            assert_eq!(target.op_timeout_ms, 7);
            assert_eq!(target.capabilities, ["echo"]);
        }
    }
}
