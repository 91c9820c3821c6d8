//! The step `answers`, on a double that forwards all replies of its node: the link of a plain Redis itself.

use std::time::Duration;

use super::super::Harness;
use super::super::environment::Started;
use super::{ALL, case};
use crate::cases::case::Case;
use crate::verdict::{Class, Verdict};
use testbed::cluster::{self, Cluster, RunOptions};
use testbed::fault::{Links, Owned};
use testbed::port;
use testbed::program::Search;

/// One node, and its link in the place of a proxy.
async fn harness() -> Harness {
    let search = Search::new(&std::env::current_exe().unwrap(), std::env::vars_os());
    let taken = |why: &cluster::Error| why.to_string().contains("in use");
    let start = async || {
        let options = RunOptions {
            link_port_base: port::Port::free().unwrap().number(),
            ..RunOptions::new(search.clone(), 7)
        };
        Cluster::start(&options, 1).await
    };
    let cluster = port::retry_if_taken(taken, start).await.unwrap();
    let (double, nodes) = (cluster.link_addrs()[0], cluster.node_endpoints());
    let mut harness = Harness::attach(double, &nodes, 200, ALL, 7).await.unwrap();
    harness.environment.tap = cluster.tap().clone();
    harness.environment.cluster = Some(cluster);
    harness.environment.started = Started::Proxy(Owned {
        links: Links::Own,
        ..Owned::default()
    });
    harness
}

async fn judge(deadline_ms: u64, steps: &str) -> Verdict {
    let case = Case {
        deadline: Some(Duration::from_millis(deadline_ms)),
        ..case(steps)
    };
    harness().await.judge(&case).await.verdict
}

/// Plenty for replies that come.
const ENOUGH_MS: u64 = 10_000;

async fn check_kept(steps: &str) {
    assert_eq!(judge(ENOUGH_MS, steps).await, Verdict::Pass, "{steps}");
}

async fn check_broken(deadline_ms: u64, steps: &str, class: Class) {
    match judge(deadline_ms, steps).await {
        Verdict::Fail(evidence) => assert_eq!(evidence.class, class, "{steps}{evidence:#?}"),
        other => panic!("{steps}{other:#?}"),
    }
}

#[tokio::test]
async fn a_scripted_answer_is_judged() {
    let get = |answer: &str, want: &str| {
        format!("given A $a1 = one\nanswers A $a1 {answer}\nsend GET $a1\nwant {want}\n")
    };
    for (answer, want) in [
        (r#""\x01\x02\r\n""#, "error-or-close"),
        (r#""what is this\r\n""#, "error-or-close"),
        (r#""$3\r\nabcdefgh\r\n""#, "error-or-cut"),
    ] {
        check_broken(ENOUGH_MS, &get(answer, want), Class::Wrong).await;
    }
    let cut = get(r#""$10\r\nabc" close"#, "error-or-close");
    check_broken(ENOUGH_MS, &cut, Class::Partial).await;
    let silent = get("nothing", "error-or-close");
    check_broken(300, &silent, Class::Hung).await;
    check_kept(&get(r#""$10\r\nabc" close"#, "error-or-cut")).await;
    check_kept(&get("close", "error-or-close")).await;
    check_kept(&get(r#""-MASTERDOWN no\r\n""#, "error MASTERDOWN")).await;
}

#[tokio::test]
async fn replies_without_a_request_are_found_out() {
    let unasked = "send GET $a1\nwant nil\nanswers A unasked \"$5\\r\\nstray\\r\\n\"\n";
    let next = format!("{unasked}send GET $a1\nwant nil | error-or-close\n");
    check_broken(ENOUGH_MS, &next, Class::Wrong).await;
    let nothing = format!("{unasked}nothing\n");
    check_broken(ENOUGH_MS, &nothing, Class::Wrong).await;
    let twice = "answers A $a1 \"$-1\\r\\n+OK\\r\\n\"\nsend GET $a1\nwant nil\nheal A\n";
    let next = format!("{twice}send GET $a1\nwant nil | error-or-close\n");
    check_broken(ENOUGH_MS, &next, Class::Wrong).await;
}

#[tokio::test]
async fn a_healed_node_answers_for_itself() {
    check_kept(
        "given A $a1 = one\nanswers A get \"+x\\r\\n\"\nsend GET $a1\nsend EXISTS $a1\nwant +x :1\n\
         heal A\nsend GET $a1\nwant \"one\"\n",
    )
    .await;
    // Also by the end of a case.
    let mut harness = harness().await;
    let scripted = case("answers A GET \"+x\\r\\n\"\nsend GET $a1\nwant +x\n");
    let own = case("send GET $a1\nwant nil\n");
    for case in [scripted, own] {
        let deadline = Some(Duration::from_millis(ENOUGH_MS));
        let case = Case { deadline, ..case };
        assert_eq!(harness.judge(&case).await.verdict, Verdict::Pass);
    }
}
