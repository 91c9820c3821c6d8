//! Connections to a real server: with a password, a user, a database, TLS, a Unix socket and IPv6.
//!
//! The certificates of `certificates/` are for localhost, made with `openssl req -x509` and `openssl x509 -req` for a
//! hundred years.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::child::Running;
use crate::client::{self, Client, NODE_DEADLINE};
use crate::folder::Folder;
use crate::node::{Node, Process};
use crate::port::Port;
use crate::program::{Program, Search};
use crate::wait::Wait;
use crate::wire::Value;

const PASSWORD: &str = "hunter2";

fn search() -> Search {
    Search::new(&std::env::current_exe().unwrap(), std::env::vars_os())
}

fn certificate(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/endpoint/certificates");
    folder.join(name)
}

/// A server, after the settings.
async fn server(settings: &[&[&str]]) -> Process {
    let node = Process::start(&search()).await.unwrap();
    let mut client = Client::connect(node.addr(), NODE_DEADLINE).await.unwrap();
    for request in settings {
        let answer = client.call(request, NODE_DEADLINE).await.unwrap();
        assert_eq!(answer, Value::Simple(b"OK".to_vec()), "{request:?}");
    }
    node
}

/// A server that speaks TLS on another port, which is returned.
async fn tls_server(clients: &str) -> (Process, u16) {
    let port = Port::free().unwrap().number();
    let [ca, cert, key] =
        ["ca.pem", "server.pem", "server.key"].map(|name| certificate(name).display().to_string());
    let number = port.to_string();
    let settings = [
        "CONFIG",
        "SET",
        "tls-cert-file",
        &cert,
        "tls-key-file",
        &key,
        "tls-ca-cert-file",
        &ca,
        "tls-auth-clients",
        clients,
        "tls-port",
        &number,
    ];
    (server(&[&settings]).await, port)
}

fn endpoint(text: &str, access: &Access) -> Endpoint {
    access.endpoint(&text.parse().unwrap(), Role::Node).unwrap()
}

async fn ping(text: &str, access: &Access) -> Result<(), String> {
    let endpoint = endpoint(text, access);
    let answer = client::ping(endpoint).await.map_err(|why| why.to_string());
    let shown = format!("{endpoint} {endpoint:?} {answer:?}");
    assert!(!shown.contains(PASSWORD), "{shown}");
    answer
}

#[track_caller]
fn fails(answer: Result<(), String>, part: &str) {
    let why = answer.unwrap_err();
    assert!(why.contains(part), "{why}");
}

#[tokio::test]
async fn a_password_comes_from_the_address_the_file_or_the_environment() {
    let node = server(&[&["CONFIG", "SET", "requirepass", PASSWORD]]).await;
    let addr = node.addr();
    let none = Access::default();
    ping(&format!("redis://:{PASSWORD}@{addr}"), &none)
        .await
        .unwrap();
    ping(&format!("redis://default:{PASSWORD}@{addr}"), &none)
        .await
        .unwrap();
    fails(ping(&addr.to_string(), &none).await, "a password is needed");
    fails(
        ping(&format!("redis://:wrong@{addr}"), &none).await,
        "the password is wrong",
    );

    let environment = Access {
        node: Some(Secret::new(PASSWORD)),
        proxy: Some(Secret::new("other")),
        ..Access::default()
    };
    ping(&addr.to_string(), &environment).await.unwrap();
    for text in [
        format!("[node]\npassword = \"{PASSWORD}\""),
        format!("[node]\npassword = \"x\"\n[\"{addr}\"]\npassword = \"{PASSWORD}\""),
    ] {
        let file = Access {
            file: AuthFile::read(&text).unwrap(),
            node: Some(Secret::new("wrong")),
            ..Access::default()
        };
        ping(&addr.to_string(), &file).await.unwrap();
    }
}

#[tokio::test]
async fn a_user_has_its_own_password_and_what_it_may_not_do_is_named() {
    let rule = [
        "ACL", "SETUSER", "ann", "on", ">hunter2", "~*", "+ping", "+select",
    ];
    let node = server(&[&rule, &["CONFIG", "SET", "requirepass", "other"]]).await;
    let addr = node.addr();
    let none = Access::default();
    ping(&format!("redis://ann:{PASSWORD}@{addr}"), &none)
        .await
        .unwrap();
    fails(
        ping(&format!("redis://bob:{PASSWORD}@{addr}"), &none).await,
        "is wrong",
    );
    let file = format!("[node]\nuser = \"ann\"\npassword = \"{PASSWORD}\"");
    let access = Access {
        file: AuthFile::read(&file).unwrap(),
        ..Access::default()
    };
    ping(&addr.to_string(), &access).await.unwrap();
    let ann = endpoint(&addr.to_string(), &access);
    let mut client = Client::connect(ann, NODE_DEADLINE).await.unwrap();
    let answer = client.call(&["GET", "k"], NODE_DEADLINE).await.unwrap();
    let shown = client::cause::of_answer(&answer);
    assert!(shown.contains("not allowed"), "{shown}");
    let without: Address = format!("redis://ann@{addr}").parse().unwrap();
    let refused = none
        .endpoint(&without, Role::Proxy)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("$SHARDPROOF_PROXY_PASSWORD"), "{refused}");
}

#[tokio::test]
async fn a_database_is_selected_or_named_as_missing() {
    let node = server(&[]).await;
    let none = Access::default();
    let two = endpoint(&format!("redis://{}/2", node.addr()), &none);
    let mut client = Client::connect(two, NODE_DEADLINE).await.unwrap();
    client
        .call(&["SET", "k", "v"], NODE_DEADLINE)
        .await
        .unwrap();
    let mut first = Client::connect(two.in_database(0), NODE_DEADLINE)
        .await
        .unwrap();
    let found = first.call(&["EXISTS", "k"], NODE_DEADLINE).await;
    assert_eq!(found, Ok(Value::Integer(0)));
    let missing = format!("redis://{}/99", node.addr());
    fails(ping(&missing, &none).await, "does not have this database");
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn tls_verifies_the_certificate_unless_told_otherwise() {
    let (_node, port) = tls_server("no").await;
    let trusting = |tls| Access {
        tls,
        ..Access::default()
    };
    let authority = trusting(TlsOptions {
        cacert: Some(certificate("ca.pem")),
        ..TlsOptions::default()
    });
    let any = trusting(TlsOptions {
        insecure: true,
        ..TlsOptions::default()
    });
    let other = trusting(TlsOptions {
        cacert: Some(certificate("client.pem")),
        ..TlsOptions::default()
    });
    for host in ["localhost", "127.0.0.1"] {
        ping(&format!("rediss://{host}:{port}"), &authority)
            .await
            .unwrap();
        ping(&format!("rediss://{host}:{port}"), &any)
            .await
            .unwrap();
        fails(
            ping(&format!("rediss://{host}:{port}"), &other).await,
            "--cacert FILE",
        );
    }
    let mut long = Client::connect(
        endpoint(&format!("rediss://localhost:{port}"), &any),
        NODE_DEADLINE,
    )
    .await
    .unwrap();
    let value = vec![b'x'; 3_000_000];
    let set: [&[u8]; 3] = [b"SET", b"k", &value];
    long.call(&set, NODE_DEADLINE).await.unwrap();
    let got = long.call(&["GET", "k"], NODE_DEADLINE).await;
    assert_eq!(got, Ok(Value::Bulk(value)));
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn tls_with_a_client_certificate() {
    let (_node, port) = tls_server("yes").await;
    let with = |cert: Option<&str>, key: Option<&str>| Access {
        tls: TlsOptions {
            cacert: Some(certificate("ca.pem")),
            cert: cert.map(certificate),
            key: key.map(certificate),
            insecure: false,
        },
        ..Access::default()
    };
    let place = format!("rediss://localhost:{port}");
    ping(&place, &with(Some("client.pem"), Some("client.key")))
        .await
        .unwrap();
    ping(&place, &with(None, None)).await.unwrap_err();
    for (cert, key, flag) in [
        ("none.pem", "client.key", "--cert"),
        ("client.key", "client.key", "--cert"),
        ("client.pem", "client.pem", "--key"),
    ] {
        let refused = with(Some(cert), Some(key)).endpoint(&place.parse().unwrap(), Role::Node);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.starts_with(flag), "{refused}");
    }
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn tls_on_one_side_only_is_named() {
    let (node, port) = tls_server("no").await;
    let any = Access {
        tls: TlsOptions {
            insecure: true,
            ..TlsOptions::default()
        },
        node: Some(Secret::new(PASSWORD)),
        ..Access::default()
    };
    fails(ping(&format!("127.0.0.1:{port}"), &any).await, "rediss://");
    let plain = endpoint(&format!("rediss://{}", node.addr()), &any);
    let why = Client::connect(plain, Duration::from_millis(500)).await;
    let why = why.unwrap_err().to_string();
    assert!(
        why.contains("may not speak") || why.contains("does not speak"),
        "{why}"
    );
}

#[tokio::test]
async fn a_unix_socket_and_ipv6_are_addresses_too() {
    let folder = Folder::create("unix-").unwrap();
    let path = folder.path().join("redis.sock");
    let port = Port::free().unwrap().number();
    let mut command = Command::new(search().find(&Program::redis_server()).unwrap());
    command
        .args(["--bind", "::1", "--port", &port.to_string(), "--save", ""])
        .args(["--requirepass", PASSWORD, "--unixsocket"])
        .arg(&path)
        .stdout(Stdio::null());
    let _running = Running::start(command).unwrap();
    let access = Access {
        node: Some(Secret::new(PASSWORD)),
        ..Access::default()
    };
    for text in [format!("unix:{}", path.display()), format!("[::1]:{port}")] {
        let mut wait = Wait::begin("an answer", NODE_DEADLINE);
        while let Err(why) = ping(&text, &access).await {
            wait.pause(why).await.unwrap();
        }
        assert_eq!(endpoint(&text, &access).to_string(), text);
    }
}

#[test]
fn a_wrong_file_of_passwords_names_the_line_and_repeats_nothing() {
    for (text, part) in [
        ("[node]\npassword = 42424242", "line 2"),
        ("[node]\nuser = \"a\"\n", "line 1"),
        ("[node]\npassword = \"x\"\nother = \"42424242\"", "line 3"),
        ("password = \"42424242\"", "line 1"),
        ("[node\npassword = \"42424242\"", "line 1"),
        ("[other]\npassword = \"42424242\"", "[other]"),
        ("[\"redis://42424242@h:1\"]\npassword = \"x\"", "[h:1]"),
    ] {
        let wrong = AuthFile::read(text).unwrap_err().to_string();
        assert!(wrong.contains(part), "{text}: {wrong}");
        assert!(!wrong.contains("42424242"), "{wrong}");
    }
}

#[test]
fn the_shown_form_is_an_address_again() {
    let none = Access::default();
    for text in [
        "127.0.0.1:1",
        "[::1]:1",
        "redis://127.0.0.1:1/3",
        "unix:/a/b",
    ] {
        assert_eq!(endpoint(text, &none).to_string(), text);
    }
    assert_eq!(
        endpoint("redis://127.0.0.1:1/0", &none).to_string(),
        "127.0.0.1:1"
    );
    let plain = endpoint("127.0.0.1:1", &none);
    assert!(plain.plain().is_some());
    let secret = endpoint("redis://:p@127.0.0.1:1", &none);
    assert_eq!((secret.plain(), secret == plain), (None, true));
}
