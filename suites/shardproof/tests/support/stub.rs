//! A target file for tests of what happens before and around a proxy.

/// A target that runs a shell script instead of a proxy.
pub(crate) fn stub(script: &str, ready_within_s: u32) -> String {
    format!(
        r#"
name = "stub"
op_timeout_ms = 200
policies = ["maglev"]
program = {{ name = "sh", env = "SHARDPROOF_STUB" }}
start = {{ args = ["-c", "{script}"], ready_within_s = {ready_within_s} }}
"#
    )
}
