//! Help texts, as a user sees them.

use std::process::Command;

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .arg("--help")
        .env("COLUMNS", "100")
        .output()
        .expect("shardproof runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("help is text")
}

#[test]
fn snapshots() {
    insta::with_settings!({snapshot_path => "cli", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("shardproof", help(&[]).trim_end());
        for command in [
            "list", "explain", "run", "chaos", "matrix", "diff", "differential", "probe", "init", "rescale", "plan", "locate", "fingerprint", "check", "check-history", "migrate", "links", "toxiproxy", "completions", "man",
        ] {
            insta::assert_snapshot!(command, help(&[command]).trim_end());
        }
    });
}
