//! A sharding proxy that is small enough to read: one request at a time per client, FNV-1a modulo the number of nodes.
//! Its bugs can be switched on one by one.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, timeout};

use super::bug::Bug;

type Link = BufStream<TcpStream>;
type Word = Vec<u8>;
/// A reply as it is on the wire, or an error of the proxy.
type Reply = Result<Vec<u8>, String>;

struct Proxy {
    nodes: Vec<SocketAddr>,
    /// Connections to each node that wait for their next request, of any client.
    idle: Vec<Mutex<Vec<Link>>>,
    time_limit: Duration,
    bug: Option<Bug>,
}

/// Serves clients until it is dropped.
pub(crate) async fn serve(
    listen: SocketAddr,
    nodes: &[SocketAddr],
    time_limit: Duration,
    bug: Option<Bug>,
) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    let proxy = Arc::new(Proxy {
        nodes: nodes.to_vec(),
        idle: nodes.iter().map(|_| Mutex::default()).collect(),
        time_limit,
        bug,
    });
    loop {
        let (client, _) = listener.accept().await?;
        let proxy = Arc::clone(&proxy);
        tokio::spawn(async move { proxy.converse(BufStream::new(client)).await });
    }
}

impl Proxy {
    /// Answers the requests of one client, in their order.
    async fn converse(&self, mut client: Link) -> io::Result<()> {
        while let Some(request) = read(&mut client).await? {
            let words = match request.raw.first() {
                Some(b'*') => request.words,
                _ => self.inline(&request.raw),
            };
            if let Some(command) = words.first() {
                let command = String::from_utf8_lossy(command).to_uppercase();
                let reply = self.reply(&command, &words).await;
                let reply = reply.unwrap_or_else(|why| format!("-ERR {why}\r\n").into_bytes());
                client.write_all(&reply).await?;
                client.flush().await?;
            }
        }
        Ok(())
    }

    /// The words of a line.
    fn inline(&self, line: &[u8]) -> Vec<Word> {
        let is_end = |byte: &u8| match self.bug {
            Some(Bug::InlineLineEnd) => b" \n".contains(byte),
            _ => byte.is_ascii_whitespace(),
        };
        let words = line.split(is_end).filter(|word| !word.is_empty());
        words.map(<[u8]>::to_vec).collect()
    }

    async fn reply(&self, command: &str, words: &[Word]) -> Reply {
        match (command, &words[1..]) {
            ("PING", []) => Ok(b"+PONG\r\n".to_vec()),
            ("MGET", [_, ..]) => self.mget(&words[1..]).await,
            ("MSET", [_, _, ..]) if words.len() % 2 == 1 => self.mset(&words[1..]).await,
            ("DEL", [_, ..]) => self.del(&words[1..]).await,
            ("GET" | "SET" | "APPEND" | "STRLEN" | "INCR" | "EXPIRE" | "TTL", [key, ..]) => {
                self.ask(key, words).await
            }
            _ => Err("unknown command, or wrong number of arguments".to_owned()),
        }
    }

    async fn mget(&self, keys: &[Word]) -> Reply {
        let mut keys: Vec<&Word> = keys.iter().collect();
        if self.bug == Some(Bug::MgetOrder) {
            keys.sort_by_key(|key| self.node_of(key));
        }
        let mut joined = format!("*{}\r\n", keys.len()).into_bytes();
        for key in keys {
            let part = self.ask(key, &[b"MGET".to_vec(), key.clone()]).await?;
            match part.strip_prefix(b"*1\r\n") {
                Some(value) => joined.extend(value),
                None if self.bug == Some(Bug::SwallowedError) => joined.extend(b"$-1\r\n"),
                None => return Ok(part),
            }
        }
        Ok(joined)
    }

    async fn mset(&self, pairs: &[Word]) -> Reply {
        for pair in pairs.chunks(2) {
            let part = [&[b"MSET".to_vec()][..], pair].concat();
            let stored = self.ask(&pair[0], &part).await;
            let is_stored = stored.as_ref().is_ok_and(|reply| reply == b"+OK\r\n");
            if !is_stored && self.bug != Some(Bug::MsetPartial) {
                return stored;
            }
        }
        Ok(b"+OK\r\n".to_vec())
    }

    async fn del(&self, keys: &[Word]) -> Reply {
        let mut removed = 0;
        for key in keys {
            let part = self.ask(key, &[b"DEL".to_vec(), key.clone()]).await?;
            match part.as_slice() {
                b":0\r\n" if self.bug != Some(Bug::DelCount) => {}
                b":0\r\n" | b":1\r\n" => removed += 1,
                _ => return Ok(part),
            }
        }
        Ok(format!(":{removed}\r\n").into_bytes())
    }

    /// The reply of a key's node.
    async fn ask(&self, key: &[u8], request: &[Word]) -> Reply {
        let node = self.node_of(key);
        let idle = self.idle(node).pop();
        let mut link = match idle {
            Some(link) => link,
            None => BufStream::new(self.connect(node).await?),
        };
        let reply = match timeout(self.time_limit, call(&mut link, request)).await {
            Ok(reply) => Ok(reply.map_err(|why| format!("node {}: {why}", self.nodes[node]))?),
            Err(_) => Err(format!("node {}: timed out", self.nodes[node])),
        };
        // A connection that still owes a reply must not serve another request.
        if reply.is_ok() || self.bug == Some(Bug::LateReply) {
            self.idle(node).push(link);
        }
        reply
    }

    async fn connect(&self, node: usize) -> Result<TcpStream, String> {
        let connecting = TcpStream::connect(self.nodes[node]);
        let connected = timeout(self.time_limit, connecting).await;
        let connected = connected.unwrap_or_else(|late| Err(late.into()));
        connected.map_err(|why| format!("node {}: {why}", self.nodes[node]))
    }

    fn idle(&self, node: usize) -> MutexGuard<'_, Vec<Link>> {
        let idle = self.idle[node].lock();
        idle.unwrap_or_else(PoisonError::into_inner)
    }

    fn node_of(&self, key: &[u8]) -> usize {
        let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        key.iter().fold(0x811c_9dc5, step) as usize % self.nodes.len()
    }
}

async fn call(link: &mut Link, request: &[Word]) -> io::Result<Vec<u8>> {
    let mut bytes = format!("*{}\r\n", request.len()).into_bytes();
    for word in request {
        bytes.extend(format!("${}\r\n", word.len()).bytes());
        bytes.extend(word);
        bytes.extend(b"\r\n");
    }
    link.write_all(&bytes).await?;
    link.flush().await?;
    let reply = read(link).await?;
    reply
        .map(|reply| reply.raw)
        .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// One value of RESP2, or a line.
#[derive(Default)]
struct Value {
    /// As it is on the wire.
    raw: Vec<u8>,
    /// Its strings.
    words: Vec<Word>,
}

/// The next value; `None` at the end of the connection.
async fn read(from: &mut Link) -> io::Result<Option<Value>> {
    let mut value = Value::default();
    let mut values_left = 1;
    while values_left > 0 {
        let start = value.raw.len();
        if from.read_until(b'\n', &mut value.raw).await? == 0 {
            return Ok(None);
        }
        values_left -= 1;
        let line = value.raw[start..].trim_ascii_end();
        match line.split_first() {
            Some((b'*' | b'$', b"-1")) => {}
            Some((b'*', count)) => values_left += number(count)?,
            Some((b'$', length)) => {
                let (begin, length) = (value.raw.len(), number(length)?);
                value.raw.resize(begin + length + 2, 0);
                from.read_exact(&mut value.raw[begin..]).await?;
                value.words.push(value.raw[begin..][..length].to_vec());
            }
            _ => {}
        }
    }
    Ok(Some(value))
}

/// A length of at most 64 MiB.
fn number(digits: &[u8]) -> io::Result<usize> {
    let digits = str::from_utf8(digits).ok();
    let number = digits.and_then(|digits| digits.parse().ok());
    let number = number.filter(|number| *number <= 64 * 1024 * 1024);
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
