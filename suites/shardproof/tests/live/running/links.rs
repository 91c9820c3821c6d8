//! Faults of links: which ones depends on the fault server, which is asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::site::{Site, ended, long};

/// Scenarios with a toxic of replies, and one with a toxic of Toxiproxy.
const OF_REPLIES: &[&str] = &["reply-duplicated", "reply-truncated", "node-loading"];
const OF_BYTES: &str = "node-slow";
/// A scenario that cannot be judged without a record of the nodes.
const OF_TAPS: &str = "late-reply";

fn words(server: &str) -> Vec<&str> {
    let mut words = OF_REPLIES.to_vec();
    words.extend([
        OF_BYTES,
        OF_TAPS,
        "--allow-disturbing",
        "--toxiproxy",
        server,
    ]);
    words
}

pub(super) fn toxics_of_replies_are_carried_out_by_links_of_shardproof(site: &Site) {
    let judged = site.judged(&words(&site.control().to_string()));
    for id in OF_REPLIES {
        judged.check_judged(id);
    }
    judged.check_judged(OF_BYTES);
    judged.check(OF_TAPS, "skipped", "needs a record of the nodes");
    judged.check_nothing_left();
    assert_eq!(site.toxics(), [(true, 0); 3]);
    site.check_untouched();
}

pub(super) fn a_toxiproxy_without_them_skips_their_scenarios(site: &Site) {
    let server = without_types(site.control());
    let judged = site.judged(&words(&server.to_string()));
    judged.check(
        "reply-duplicated",
        "skipped",
        "no Toxiproxy has the toxic `duplicate_reply`",
    );
    judged.check(
        "reply-truncated",
        "skipped",
        "no Toxiproxy has the toxic `cut_reply`",
    );
    judged.check_judged(OF_BYTES);
}

/// A fault server that answers like Toxiproxy where it lacks a route, and forwards everything else to `server`.
fn without_types(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || forward(client, server));
        }
    });
    addr
}

fn forward(mut client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let mut head = [0; 4096];
    let length = client.read(&mut head)?;
    if head.starts_with(b"GET /toxics ") {
        let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 19\r\n\r\n404 page not found\n";
        return client.write_all(answer.as_bytes());
    }
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(&head[..length])?;
    let (mut from, mut to) = (client.try_clone()?, upstream.try_clone()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut upstream, &mut client)?;
    client.shutdown(std::net::Shutdown::Both)
}

pub(super) fn an_interrupted_run_takes_its_toxics_off(site: &Site) {
    let server = site.control().to_string();
    for fault in ["latency 60ms", "drop_reply every 50", "down"] {
        let fixtures = long(fault);
        let fixtures = fixtures.path().to_str().unwrap();
        let words = [
            "long",
            "--fixtures",
            fixtures,
            "--allow-disturbing",
            "--toxiproxy",
            &server,
        ];
        let run = site.chaos(&words).spawn().unwrap();
        site.eventually("a toxic", || site.toxics() != [(true, 0); 3]);
        kill_process(Pid::from_child(&run), Signal::INT).unwrap();
        let output = ended(run);
        assert_eq!(output.status.code(), Some(130), "{fault}");
        assert_eq!(site.toxics(), [(true, 0); 3], "{fault}");
        site.check_untouched();
    }
}
