//! Every command line of the documents is accepted by the program.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::Cli;

#[test]
fn command_lines_in_documents_parse() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(root.join("docs")).expect("docs");
    let mut documents: Vec<PathBuf> = docs.map(|entry| entry.expect("docs").path()).collect();
    documents.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    documents
        .extend(["README.md", "fixtures/README.md", "CONTRIBUTING.md"].map(|name| root.join(name)));
    let mut parsed = 0;
    for document in documents {
        let text = fs::read_to_string(&document).expect("a document");
        let code: String = text.split("```").skip(1).step_by(2).collect();
        for line in code.replace("\\\n", "").lines() {
            let line = line.trim_start().trim_start_matches("$ ");
            // A dependency in a Cargo.toml is no command.
            if line.starts_with("shardproof ") && !line.starts_with("shardproof = ") {
                let words = shlex::split(line).expect("closed quotes").into_iter();
                let words: Vec<OsString> = words.map(Into::into).collect();
                let read = Cli::read(&words);
                assert!(
                    read.is_ok(),
                    "{}: {line}\n{}",
                    document.display(),
                    read.unwrap_err()
                );
                parsed += 1;
            }
        }
    }
    assert!(parsed > 0, "no command line was found");
}
