//! Transactions through the proxy: the replies of one plain Redis, on the node of their keys, or an error and no
//! effect.

mod connections;
mod failing_nodes;
mod limits;
mod plain_redis;
mod protocol;
mod refusals;
mod watch;

use std::net::SocketAddr;

use testbed::client::Client;
use testbed::wire;

use crate::support::{DEADLINE, Proxy, ask, keys_on, nodes, show};

const ABORTED: &str = "-EXECABORT Transaction discarded because of previous errors.";

/// The replies to lines that are written in pieces of `piece` bytes, up to the end of the connection.
async fn say(client: &mut Client, lines: &[String], piece: usize) -> Vec<String> {
    let bytes: Vec<u8> = lines
        .iter()
        .flat_map(|line| wire::encode_request(&line.split(' ').collect::<Vec<_>>()))
        .collect();
    for piece in bytes.chunks(piece) {
        if client.write(piece, DEADLINE).await.is_err() {
            break;
        }
    }
    let mut replies = Vec::new();
    for _ in lines {
        match client.reply(DEADLINE).await {
            Ok(reply) => replies.push(show(&reply)),
            Err(_) => {
                replies.push("closed".to_owned());
                break;
            }
        }
    }
    replies
}

/// Commands, written `WATCH a; MULTI`, in which a, b, c are keys of one node, and x, y, z keys of another.
fn lines(text: &str, addrs: &[SocketAddr]) -> Vec<String> {
    let key = |word: &str| {
        let place = |letters: &str| letters.split(' ').position(|letter| letter == word);
        let on = |node: usize, place: usize| keys_on(addrs, node).nth(place);
        place("a b c")
            .and_then(|place| on(1, place))
            .or_else(|| place("x y z").and_then(|place| on(0, place)))
            .unwrap_or_else(|| word.to_owned())
    };
    let line = |line: &str| line.split(' ').map(key).collect::<Vec<_>>().join(" ");
    text.split("; ").map(line).collect()
}

struct Setting {
    proxy: Proxy,
    plain: SocketAddr,
    nodes: Vec<testbed::node::Process>,
}

impl Setting {
    /// A proxy over two nodes, and a plain Redis.
    async fn start(settings: &str) -> Self {
        let (nodes, addrs) = nodes(3).await;
        Self {
            proxy: Proxy::start(&addrs[..2], settings).await,
            plain: addrs[2],
            nodes,
        }
    }

    fn lines(&self, text: &str) -> Vec<String> {
        lines(text, &self.proxy.nodes)
    }

    /// Sends the same to both, from new clients, over empty nodes: line by line, and at once in pieces.
    async fn check(&self, text: &str) {
        let lines = self.lines(text);
        for piece in [0, 1, 7, 64, usize::MAX] {
            let mut plain = Client::connect(self.plain, DEADLINE).await.unwrap();
            let mut proxy = self.proxy.client().await;
            for client in [&mut plain, &mut proxy] {
                assert_eq!(ask(client, &["FLUSHALL"]).await, "OK");
            }
            let (mut expected, mut seen) = (Vec::new(), Vec::new());
            if piece == 0 {
                for line in &lines {
                    let line = std::slice::from_ref(line);
                    expected.extend(say(&mut plain, line, usize::MAX).await);
                    seen.extend(say(&mut proxy, line, usize::MAX).await);
                }
            } else {
                expected = say(&mut plain, &lines, piece).await;
                seen = say(&mut proxy, &lines, piece).await;
            }
            assert_eq!(seen, expected, "{text} in pieces of {piece}");
        }
    }
}
