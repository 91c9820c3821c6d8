//! `completions` and `man`.

use std::fs;

use crate::program::shardproof;

#[test]
fn each_shell_has_completions_of_every_subcommand() {
    for (shell, part) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef shardproof"),
        ("fish", "complete -c shardproof"),
    ] {
        let output = shardproof(&["completions", shell]);
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains(part), "{script}");
        assert!(script.contains("check-history"), "{script}");
        assert!(script.contains("allow-disturbing"), "{script}");
    }
    assert_eq!(shardproof(&["completions", "csh"]).status.code(), Some(64));
}

#[test]
fn each_subcommand_has_a_man_page() {
    let folder = tempfile::TempDir::new().unwrap();
    let pages = folder.path().join("man1");
    assert!(
        shardproof(&["man", pages.to_str().unwrap()])
            .status
            .success()
    );
    for page in ["shardproof", "shardproof-run", "shardproof-check-history"] {
        let text = fs::read_to_string(pages.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".TH") && text.contains("Examples:"), "{text}");
    }
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let output = shardproof(&["man", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write man pages to"));
}
