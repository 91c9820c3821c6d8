//! What targets are configured with is read back as the cluster that they were to have.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use minijinja::context;
use shardproof::fixtures::Fixtures;
use shardproof::planner::description::{Hints, inline, read};
use shardproof::target;

#[test]
fn the_configuration_of_each_target_describes_its_cluster() {
    let targets = target::load_all(&Fixtures::compiled_in().targets().unwrap()).unwrap();
    assert!(!targets.is_empty());
    for target in targets {
        for policy in &target.policies {
            for hash_tags in [false, true] {
                let config = configuration(&target.start.config, policy, hash_tags);
                let found = read(&config, &target.start.config_name, &Hints::default()).unwrap();
                let expected =
                    format!("{policy}/hash_tags={hash_tags}:127.0.0.1:21001,127.0.0.1:21002");
                assert_eq!(
                    found,
                    inline(&expected, &Hints::default()).unwrap(),
                    "{config}"
                );
            }
        }
    }
}

fn configuration(template: &str, policy: &str, hash_tags: bool) -> String {
    let place =
        |port: u16| context! { addr => format!("127.0.0.1:{port}"), host => "127.0.0.1", port };
    let variables = context! {
        listen => place(6400), admin => place(9901), policy, hash_tags, op_timeout_ms => 200,
        nodes => vec![place(21001), place(21002)],
    };
    minijinja::Environment::new()
        .render_str(template, variables)
        .unwrap()
}
