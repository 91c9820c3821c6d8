//! One test per case on the proxy of a target file: `cargo run --example of_file -- multi-key`, in the folder of this
//! package.

shardproof::harness!("examples/small_proxy/small-proxy.toml");
