//! Mistakes of the command line: exit code 64, and one line that names the flag.

use crate::program::{check, shardproof};

#[test]
fn mistakes_of_the_command_line_are_64() {
    check(
        &shardproof(&["run", "--target", "nginx"]),
        64,
        &["--target nginx", "refproxy"],
    );
    check(
        &shardproof(&["list", "--filter", "no-such-case"]),
        64,
        &["--filter no-such-case", "matches none"],
    );
    check(&shardproof(&["run", "--tarjet"]), 64, &["--tarjet"]);
    check(&shardproof(&["run"]), 64, &["--target"]);
    check(
        &shardproof(&["rescale", "--target", "envoy", "--from", "3", "--to", "3"]),
        64,
        &["--from 3 --to 3"],
    );
    check(
        &shardproof(&["rescale", "--target", "envoy", "--from", "0", "--to", "3"]),
        64,
        &["0", "--from"],
    );
    check(
        &shardproof(&[
            "rescale", "--target", "envoy", "--from", "3", "--to", "4", "--policy", "modula",
        ]),
        64,
        &["--policy modula", "maglev, ring_hash"],
    );
    let rescale = ["rescale", "--target", "envoy", "--from", "3", "--to", "4"];
    for (flags, expected) in [
        (
            &["--fault", "freeze"][..],
            &["--fault", "`freeze`", "pause"][..],
        ),
        (&["--fault", "latency"], &["--fault", "a time such as"]),
        (
            &["--fault", "kill", "--fault-node", "4"],
            &["--fault-node 4"],
        ),
        (&["--fault-node", "1"], &["--fault"]),
        (&["--fault", "kill", "--keys-out", "x"], &["--keys-out"]),
        (
            &["--fault", "partition"],
            &["--fault partition", "containers"],
        ),
        (
            &["--fault", "kill", "--node", "127.0.0.1:1"],
            &["--fault kill", "did not start"],
        ),
    ] {
        check(&shardproof(&[&rescale[..], flags].concat()), 64, expected);
    }
    // The server is asked for its toxics first.
    let hold = ["--fault", "hold", "--toxiproxy", "127.0.0.1:1"];
    let output = shardproof(&[&rescale[..], &hold].concat());
    check(&output, 2, &["--toxiproxy 127.0.0.1:1"]);
    check(
        &shardproof(&["run", "--target", "envoy", "--seed", "xyz"]),
        64,
        &["--seed", "hexadecimal"],
    );
    check(&shardproof(&["list", "--seed", "1"]), 64, &["--seed"]);
    for unheeded in [
        &["--toxiproxy", "127.0.0.1:8474"][..],
        &["--nodes", "docker"],
        &["--link-port-base", "22000"],
    ] {
        let proxy = ["run", "--proxy", "127.0.0.1:1"];
        check(
            &shardproof(&[&proxy[..], unheeded].concat()),
            64,
            &["cannot be used with", unheeded[0]],
        );
    }
    check(
        &shardproof(&["run", "--target", "envoy", "--allow-disturbing"]),
        64,
        &["--allow-disturbing", "no effect"],
    );
    let chaos = ["chaos", "--target", "envoy"];
    for (flags, expected) in [
        (
            &["--shrink-for", "soon"][..],
            &["--shrink-for", "`soon`", "500ms"][..],
        ),
        (
            &["--shrink-for", "0s"],
            &["--shrink-for", "more than no time"],
        ),
        (&["--shrink-to", "x"], &["--shrink-for"]),
        (&["no-such-scenario"], &["no-such-scenario", "FILE.toml"]),
    ] {
        check(&shardproof(&[&chaos[..], flags].concat()), 64, expected);
    }
}
