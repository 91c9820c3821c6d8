//! A run that is killed cleans nothing up: what it leaves can be found by its seed, as docs/running.md says.

use std::process::Command;

use testbed::node::Node;

use super::site::{Site, long};

/// The prefix of seed 1.
const PREFIX: &str = "sp-00000001-";

pub(super) fn keys_of_a_killed_run_are_removed_by_their_prefix(site: &Site) {
    let fixtures = long("noop");
    let server = site.control().to_string();
    let fixtures = fixtures.path().to_str().unwrap();
    let words = [
        "long",
        "--fixtures",
        fixtures,
        "--allow-disturbing",
        "--toxiproxy",
        &server,
    ];
    let mut run = site.chaos(&words).spawn().unwrap();
    site.eventually("a toxic, and keys", || {
        site.toxics() != [(true, 0); 3] && site.keys().iter().any(|keys| !keys.is_empty())
    });
    run.kill().unwrap();
    run.wait().unwrap();
    let keys = site.keys();
    assert!(keys.iter().flatten().count() > 0);
    let ours = |key: &String| key.starts_with(PREFIX);
    assert!(keys.iter().flatten().all(ours), "{keys:?}");
    for node in &site.nodes {
        let cli = format!("redis-cli -h 127.0.0.1 -p {}", node.addr().port());
        let remove = format!("{cli} --scan --pattern '*{PREFIX}*' | xargs -r {cli} DEL");
        assert!(
            Command::new("sh")
                .args(["-c", &remove])
                .status()
                .unwrap()
                .success()
        );
    }
    site.check_untouched();
}
