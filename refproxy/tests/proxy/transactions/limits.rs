//! What the proxy keeps of a transaction, and for how long.

use super::{ABORTED, Setting, say};
use crate::support::ask;

#[tokio::test]
async fn what_is_kept_for_a_transaction_has_a_limit() {
    let settings = "workers: 1\nlimits: { client_bytes: 20000 }\nscripts_without_keys: any_node";
    let setting = Setting::start(settings).await;
    let mut client = setting.proxy.client().await;
    let mut lines = vec!["MULTI".to_owned()];
    lines.extend((0..30).map(|_| format!("ECHO {}", "x".repeat(1000))));
    lines.push("EXEC".to_owned());
    let replies = say(&mut client, &lines, 10_000).await;
    assert!(
        replies.contains(&"-ERR transaction too large".to_owned()),
        "{replies:?}"
    );
    assert_eq!(replies.last().unwrap(), ABORTED);
    assert_eq!(ask(&mut client, &["PING"]).await, "PONG");
}

#[tokio::test]
async fn what_a_node_has_got_is_kept_no_longer() {
    let settings = "workers: 1\nlimits: { client_bytes: 20000 }\nscripts_without_keys: any_node";
    let setting = Setting::start(settings).await;
    let mut client = setting.proxy.client().await;
    let long = "x".repeat(1000);
    let mut lines = vec!["MULTI".to_owned()];
    // The first ones wait for a key, the last ones for EXEC.
    lines.extend((0..15).map(|_| format!("EVAL return(1)--{long} 0")));
    lines.push("SET k v".to_owned());
    lines.extend((0..15).map(|_| format!("ECHO {long}")));
    lines.push("EXEC".to_owned());
    let replies = say(&mut client, &lines, 10_000).await;
    assert_eq!(replies[1..32], vec!["QUEUED"; 31], "{replies:?}");
    let done = [
        vec![":1".to_owned(); 15],
        vec!["OK".to_owned()],
        vec![format!("\"{long}\""); 15],
    ];
    assert_eq!(replies[32], format!("[{}]", done.concat().join(" ")));
}

#[tokio::test]
async fn many_small_requests_count_for_what_keeping_them_costs() {
    let settings = "workers: 1\nlimits: { client_bytes: 20000 }\nscripts_without_keys: any_node";
    let setting = Setting::start(settings).await;
    let mut client = setting.proxy.client().await;
    for small in ["PING", "EVAL return(1) 0"] {
        for (count, fits) in [(100, true), (400, false)] {
            let mut lines = vec!["MULTI".to_owned()];
            lines.extend(vec![small.to_owned(); count]);
            lines.push("EXEC".to_owned());
            let replies = say(&mut client, &lines, 10_000).await;
            let refused = replies.contains(&"-ERR transaction too large".to_owned());
            assert_eq!(refused, !fits, "{count} {small}");
            assert_eq!(replies[count + 1] == ABORTED, !fits, "{count} {small}");
        }
    }
}
