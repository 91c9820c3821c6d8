//! What a proxy makes of a node that does what no Redis does: two real nodes, and one that answers GET by script.
//!
//! Whatever the node says, its client sees an error or the end of the connection and never something else's answer, the
//! other nodes are served on, and the node is, too, once it answers like Redis again.

mod support;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use shardproof::client::{Client, Error};
use shardproof::node::{Act, Node, Process, Scripted};
use shardproof::target::{Proxy, Setting, Target};
use shardproof::wire::Value;
use support::Presence;

const WITHIN: Duration = Duration::from_secs(5);

/// What the node says to GET, by the name of the test.
fn scripts() -> Vec<(&'static str, Act)> {
    let send = |bytes: &str| Act::Send(bytes.as_bytes().to_vec());
    let cut = |bytes: &str| Act::SendAndClose(bytes.as_bytes().to_vec());
    vec![
        ("garbage-is-not-handed-on", send("\x01\x02\x03\r\n")),
        ("text-is-not-handed-on", send("what is this\r\n")),
        (
            "a-wrong-length-is-not-handed-on",
            send("$3\r\nabcdefgh\r\n"),
        ),
        ("a-reply-cut-in-its-header-is-no-reply", cut("$1")),
        ("a-reply-cut-in-its-body-is-no-reply", cut("$10\r\nabc")),
        ("silence-ends-at-the-time-limit", Act::Silence),
    ]
}

fn main() {
    let targets = support::targets();
    for deviation in targets.iter().flat_map(|target| &target.deviations) {
        if let Some(name) = deviation.cases.strip_prefix("scripted/") {
            let known = scripts().iter().any(|(script, _)| *script == name);
            assert!(known, "deviation `{}` covers no script", deviation.cases);
        }
    }
    let trials = targets.iter().flat_map(|target| {
        scripts().into_iter().map(|(name, act)| {
            let (title, target) = (format!("{}::{name}", target.name), target.clone());
            match support::presence(&target) {
                Presence::Expected => Trial::test(title, move || run(&target, name, act)),
                Presence::Missing(why) => {
                    Trial::test(format!("{title} ({why})"), || Ok(())).with_ignored_flag(true)
                }
            }
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

/// A recorded deviation has to show, and whatever is not recorded must not.
fn run(target: &Target, name: &str, act: Act) -> Result<(), Failed> {
    support::prepare(target);
    let runtime = tokio::runtime::Runtime::new()?;
    let judged = runtime.block_on(judge(target, act))?;
    match (judged, target.deviation(&format!("scripted/{name}"))) {
        (Err(broken), None) => Err(broken.into()),
        (Ok(()), Some(known)) => {
            Err(format!("recorded as broken: {}; remove the deviation", known.why).into())
        }
        _ => Ok(()),
    }
}

/// What was broken, if anything.
async fn judge(target: &Target, act: Act) -> Result<Result<(), String>, Failed> {
    let search = support::search();
    let nodes = [
        Process::start(&search).await?,
        Process::start(&search).await?,
    ];
    let broken = Arc::new(AtomicBool::new(false));
    let scripted = Scripted::start(script(act, Arc::clone(&broken))).await?;
    let setting = Setting {
        nodes: vec![nodes[0].addr(), nodes[1].addr(), scripted.addr()],
        policy: target.policies[0].clone(),
        hash_tags: false,
        op_timeout_ms: target.op_timeout_ms,
    };
    let proxy = Proxy::start(target, setting, &search).await?;
    let mut client = Client::connect(proxy.addr(), WITHIN).await?;
    let (theirs, real) = keys(&mut client).await?;

    broken.store(true, Ordering::Relaxed);
    match client.call(&["GET", &theirs], WITHIN).await {
        Ok(Value::Error(_)) | Err(Error::Closed { .. }) => {}
        other => {
            return Ok(Err(format!(
                "GET at the scripted node: an error or the end is expected, got {other:?}"
            )));
        }
    }
    let mut other = Client::connect(proxy.addr(), WITHIN).await?;
    let value = other.call(&["GET", &real], WITHIN).await?;
    if value != Value::Bulk(real.clone().into_bytes()) {
        let why = format!("GET at a real node: its value is expected, got {value}");
        return Ok(Err(why));
    }

    broken.store(false, Ordering::Relaxed);
    let healed = Instant::now();
    loop {
        let mut client = Client::connect(proxy.addr(), WITHIN).await?;
        match client.call(&["GET", &theirs], WITHIN).await {
            Ok(Value::Bulk(value)) if value == theirs.as_bytes() => return Ok(Ok(())),
            Ok(Value::Error(_)) | Err(_) if healed.elapsed() < WITHIN => {}
            other => {
                let why = format!("GET at the healed node: {theirs} is expected, got {other:?}");
                return Ok(Err(why));
            }
        }
    }
}

/// Answers GET with the key itself, as the real nodes do, until it is broken.
fn script(act: Act, broken: Arc<AtomicBool>) -> impl Fn(&Vec<Vec<u8>>) -> Act + Send + Sync {
    move |request| match (request[0].to_ascii_uppercase().as_slice(), request.get(1)) {
        (b"GET", Some(_)) if broken.load(Ordering::Relaxed) => act.clone(),
        (b"GET", Some(key)) => {
            let length = format!("${}\r\n", key.len());
            Act::Send([length.as_bytes(), key, b"\r\n"].concat())
        }
        // The mark by which the test knows which keys are here.
        (b"SET", _) => Act::Send(b"+HERE\r\n".to_vec()),
        _ => Act::Send(b"+PONG\r\n".to_vec()),
    }
}

/// A key of the scripted node and one of a real node; each has itself as its value.
async fn keys(client: &mut Client) -> Result<(String, String), Failed> {
    let mut found = HashMap::new();
    for number in 0..1000 {
        let key = format!("key-{}", number * 7919);
        let reply = client.call(&["SET", &key, &key], WITHIN).await?;
        found.entry(reply.to_string()).or_insert(key);
        if let (Some(theirs), Some(real)) = (found.get("+HERE"), found.get("+OK")) {
            return Ok((theirs.clone(), real.clone()));
        }
    }
    Err(format!("no key of each kind of node: {found:?}").into())
}
