//! `run --toxiproxy`: faults go through a Toxiproxy that the suite did not start.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::program::{eventually, shardproof};

/// Our own fault server replaces a foreign one: only its API is used.
#[test]
fn faults_go_through_a_foreign_toxiproxy() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    let mut server = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(["toxiproxy", "--listen", "127.0.0.1:0"])
        .stdout(fs::File::create(&log).unwrap())
        .stderr(fs::File::create(folder.path().join("err")).unwrap())
        .spawn()
        .unwrap();
    let addr = eventually("the address of the fault server", || {
        let said =
            fs::read_to_string(&log).ok()? + &fs::read_to_string(folder.path().join("err")).ok()?;
        let at = said.find("127.0.0.1:")?;
        let addr: String = said[at..]
            .chars()
            .take_while(|letter| !letter.is_whitespace())
            .collect();
        (addr.len() > "127.0.0.1:".len() && said[at..].contains('\n')).then_some(addr)
    });
    let output = shardproof(&[
        "run",
        "--target",
        "twemproxy",
        "--link-port-base",
        "22601",
        "--toxiproxy",
        &addr,
        "--json",
        "-",
        "--filter",
        "node-down/*",
        "--filter",
        "multi-key/mget-keeps-key-order",
    ]);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let summary = &report["targets"][0]["summary"];
    assert!(summary["kept"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(summary["broken"], 0, "{summary}");
    let results = report["targets"][0]["results"].as_array().unwrap();
    let reasons: Vec<&str> = results
        .iter()
        .filter_map(|result| result["reason"].as_str())
        .collect();
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("links of our own only")),
        "{reasons:?}"
    );
    // The server is asked for its toxics, and has those of ours.
    let lacks = |reason: &&str| reason.contains("no Toxiproxy has the toxic");
    assert!(!reasons.iter().any(lacks), "{reasons:?}");
}
