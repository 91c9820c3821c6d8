//! `rescale` with containers that cannot be used.

use std::process::Command;

use crate::program::{check, shardproof};

#[test]
fn containers_that_cannot_be_had_are_2() {
    let rescale = ["rescale", "--target", "envoy", "--from", "1", "--to", "2"];
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(rescale)
        .args(["--nodes", "docker", "--link-port-base", "22141"])
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        // The version of Envoy is asked first: this one prints none.
        .env("SHARDPROOF_ENVOY", "/bin/true")
        .output()
        .unwrap();
    let why = if cfg!(feature = "docker") {
        "no Docker engine is available"
    } else {
        "--features docker"
    };
    check(&output, 2, &[why, "--nodes process"]);
    check(
        &shardproof(&[&rescale[..], &["--nodes", "podman"]].concat()),
        64,
        &["podman", "--nodes"],
    );
}
