//! `fingerprint`: mistakes of its flags, and servers that it cannot use.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;

use testbed::port::Refusing;

use crate::program::{check, shardproof};

/// A server that answers PING, and everything else with `reply`.
fn answering(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut bytes = [0; 65_536];
                while let Ok(count @ 1..) = stream.read(&mut bytes) {
                    let asked = &bytes[..count];
                    let reply = if asked.ends_with(b"PING\r\n") {
                        "+PONG\r\n"
                    } else {
                        reply
                    };
                    // No key has an asterisk, so each begins a request.
                    let requests = asked.iter().filter(|byte| **byte == b'*').count();
                    if stream.write_all(reply.repeat(requests).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    addr
}

fn fingerprint(proxy: &str, nodes: &[&str], more: &[&str]) -> Output {
    let nodes = nodes.iter().flat_map(|node| ["--node", node]);
    let arguments: Vec<&str> = ["fingerprint", "--proxy", proxy]
        .into_iter()
        .chain(nodes)
        .chain(more.iter().copied())
        .collect();
    shardproof(&arguments)
}

#[test]
fn a_fingerprint_that_is_asked_for_wrongly_is_64() {
    let (a, b) = ("127.0.0.1:1", "127.0.0.1:2");
    for (nodes, more, parts) in [
        (&[a][..], &[][..], &["--node", "at least two"][..]),
        (&[a, b, a], &[], &["--node 127.0.0.1:1", "twice"]),
        (&[a, "127.0.0.1:2="], &[], &["--node", "sides of ="]),
        (&[a, "nowhere"], &[], &["--node", "HOST:PORT"]),
        (
            &[a, b],
            &["--node-name", "x"],
            &["--node-name", "1 times", "expected 2"],
        ),
        (
            &[a, b],
            &["--node-name", "x", "--node-name", "x"],
            &["--node-name x", "twice"],
        ),
        (&[a, b], &["--node-name", ""], &["--node-name"]),
        (&[a, "127.0.0.1:2*0"], &[], &["--node", "after *"]),
        (&[a, "127.0.0.1:2*2"], &[], &["--node", "all or none"]),
        (&[a, b], &["--tag", "{"], &["--tag", "two characters"]),
        (&[a, b], &["--tag", "ab"], &["--tag", "neither letters"]),
        (
            &[a, b],
            &["--table-size", "65536"],
            &["--table-size", "prime"],
        ),
        (&[a, b], &["--ring-size", "0"], &["--ring-size"]),
        (&[a, b], &["--count", "5"], &["--count"]),
    ] {
        check(&fingerprint("127.0.0.1:3", nodes, more), 64, parts);
    }
    check(&shardproof(&["fingerprint", "--node", a]), 64, &["--proxy"]);
}

#[test]
fn a_failed_fingerprint_names_the_cause() {
    let refusing = Refusing::bind().unwrap();
    let closed = refusing.addr().unwrap().to_string();
    let (empty, full) = (answering(":0\r\n"), answering(":1\r\n"));
    let (other, proxy) = (answering(":0\r\n"), answering("+OK\r\n"));
    let refusing = answering("-READONLY you cannot\r\n");
    let odd = answering("$3\r\nodd\r\n");
    for (proxy, nodes, parts) in [
        (
            &proxy,
            [&empty, &closed],
            &["node", &closed, "no connection"][..],
        ),
        (
            &closed,
            [&empty, &other],
            &["proxy", &closed, "no connection"],
        ),
        (
            &refusing,
            [&empty, &other],
            &[&refusing, "refuses", "SET", "READONLY"],
        ),
        (&proxy, [&empty, &odd], &["node", &odd, "EXISTS", "odd"]),
        (
            &proxy,
            [&empty, &other],
            &["64 of 64 keys", "on none", "--node"],
        ),
        (
            &proxy,
            [&full, &answering(":1\r\n")],
            &["64 of 64 keys", "several", "replica"],
        ),
    ] {
        let output = fingerprint(proxy, &nodes.map(String::as_str), &[]);
        check(&output, 2, parts);
    }
}
