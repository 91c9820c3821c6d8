//! `toxiproxy_rust` against the server in this process. It blocks: it is called from the trials' plain threads, and only
//! the suite's own client runs on the runtime.
//!
//! It ignores refusals, so each trial checks the state as well.

use std::net::SocketAddr;

use libtest_mimic::{Failed, Trial};
use testbed::client::{Client, Error, NODE_DEADLINE, ping};
use testbed::node::{Node, Process};
use testbed::toxiproxy::Server;
use testbed::wire::Value;
use tokio::runtime::Runtime;
use toxiproxy_rust::client::Client as Toxiproxy;
use toxiproxy_rust::proxy::{Proxy, ProxyPack};

type Outcome = Result<(), Failed>;

type Judge = fn(&Setting) -> Outcome;

pub(crate) fn trials() -> Vec<Trial> {
    let trials: [(&str, Judge); 6] = [
        ("keeps-the-books", keeps_the_books),
        ("latency-delays-and-lets-go", latency),
        ("down-refuses-and-comes-back", down),
        ("limit-data-cuts-a-reply", limit_data),
        ("timeout-swallows-a-command", timeout),
        ("slicer-and-bandwidth-lose-nothing", slicer_and_bandwidth),
    ];
    trials
        .into_iter()
        .map(|(name, trial)| {
            let name = format!("toxiproxy::toxiproxy_rust::{name}");
            Trial::test(name, move || trial(&Setting::new()?))
        })
        .collect()
}

/// A Redis behind a proxy of the fault server, used by the foreign client.
struct Setting {
    runtime: Runtime,
    node: Process,
    /// Serves until it is dropped.
    _server: Server,
    toxiproxy: Toxiproxy,
    listen: SocketAddr,
}

impl Setting {
    fn new() -> Result<Self, Failed> {
        let runtime = Runtime::new()?;
        let node = runtime.block_on(Process::start(&crate::support::search()))?;
        let server = runtime.block_on(Server::start("127.0.0.1:0", None, 1))?;
        let toxiproxy = Toxiproxy::new(server.addr());
        let (listen, upstream) = ("127.0.0.1:0".to_owned(), node.addr().to_string());
        let made =
            toxiproxy.populate(vec![ProxyPack::new("redis".to_owned(), listen, upstream)])?;
        let listen = made.first().ok_or("nothing was populated")?;
        let listen = listen.proxy_pack.listen.parse()?;
        Ok(Self {
            runtime,
            node,
            _server: server,
            toxiproxy,
            listen,
        })
    }

    fn proxy(&self) -> Result<Proxy, Failed> {
        Ok(self.toxiproxy.find_and_reset_proxy("redis")?)
    }

    fn connect(&self, addr: SocketAddr) -> Result<Client, Error> {
        self.runtime.block_on(Client::connect(addr, NODE_DEADLINE))
    }

    fn call(&self, client: &mut Client, arguments: &[&str]) -> Result<Value, Error> {
        self.runtime.block_on(client.call(arguments, NODE_DEADLINE))
    }

    /// Asks the node itself.
    fn on_the_node(&self, arguments: &[&str]) -> Result<Value, Error> {
        let mut client = self.connect(self.node.addr())?;
        self.call(&mut client, arguments)
    }

    fn toxics(&self) -> Result<Vec<String>, Failed> {
        let toxics = self.toxiproxy.find_proxy("redis")?.toxics()?;
        Ok(toxics.into_iter().map(|toxic| toxic.name).collect())
    }
}

#[track_caller]
fn check<T: PartialEq + std::fmt::Debug>(got: T, expected: T) -> Outcome {
    let at = std::panic::Location::caller();
    (got == expected)
        .then_some(())
        .ok_or_else(|| format!("{at}: expected {expected:?}, got {got:?}").into())
}

fn pong() -> Result<Value, Error> {
    Ok(Value::Simple(b"PONG".to_vec()))
}

fn keeps_the_books(on: &Setting) -> Outcome {
    check(on.toxiproxy.is_running(), true)?;
    let version = on.toxiproxy.version()?;
    check(version.starts_with(r#"{"version":"2."#), true)?;
    on.proxy()?
        .with_slow_close("upstream".to_owned(), 10, 0.5)
        .with_limit_data("downstream".to_owned(), 1000, 1.0);
    let all = on.toxiproxy.all()?;
    let redis = &all.get("redis").ok_or("no proxy `redis`")?.proxy_pack;
    let toxic = &redis.toxics[0];
    check(toxic.name.as_str(), "slow_close_upstream")?;
    check((toxic.toxicity, toxic.attributes["delay"]), (0.5, 10))?;
    check(redis.toxics[1].attributes["bytes"], 1000)?;
    on.proxy()?.disable()?;
    check(on.toxiproxy.find_proxy("redis")?.proxy_pack.enabled, false)?;
    on.toxiproxy.reset()?;
    check(on.toxiproxy.find_proxy("redis")?.proxy_pack.enabled, true)?;
    check(on.toxics()?, vec![])?;
    on.proxy()?.delete()?;
    check(on.toxiproxy.all()?.len(), 0)?;
    check(on.toxiproxy.find_proxy("redis").is_err(), true)
}

fn latency(on: &Setting) -> Outcome {
    let mut client = on.connect(on.listen)?;
    // An hour would be noticed; the end of `apply` lets go of the reply.
    let mut written = None;
    let mut other = None;
    on.proxy()?
        .with_latency("downstream".to_owned(), 3_600_000, 0, 1.0)
        .apply(|| {
            let request = client.write(b"*1\r\n$4\r\nPING\r\n", NODE_DEADLINE);
            written = Some(on.runtime.block_on(request));
            other = Some(on.runtime.block_on(ping(on.listen)).is_err());
        })?;
    check((written, other), (Some(Ok(())), Some(true)))?;
    check(on.runtime.block_on(client.reply(NODE_DEADLINE)), pong())?;
    check(on.toxics()?, vec![])
}

fn down(on: &Setting) -> Outcome {
    let mut client = on.connect(on.listen)?;
    let mut seen = None;
    on.proxy()?.with_down(|| {
        let open = on.runtime.block_on(client.reply(NODE_DEADLINE));
        let new = on.runtime.block_on(ping(on.listen));
        let node = on.runtime.block_on(ping(on.node.addr()));
        seen = Some((
            matches!(open, Err(Error::Closed { .. })),
            matches!(new, Err(Error::Connect { .. })),
            node,
        ));
    })?;
    check(seen, Some((true, true, Ok(()))))?;
    check(on.runtime.block_on(ping(on.listen)), Ok(()))
}

fn limit_data(on: &Setting) -> Outcome {
    on.on_the_node(&["SET", "k", &"x".repeat(100)])?;
    let mut client = on.connect(on.listen)?;
    let mut seen = None;
    on.proxy()?
        .with_limit_data("downstream".to_owned(), 10, 1.0)
        .apply(|| seen = Some(on.call(&mut client, &["GET", "k"])))?;
    // The header of the reply, and four bytes of the value.
    let pending = b"$100\r\nxxxx".to_vec();
    check(seen, Some(Err(Error::Closed { pending })))
}

fn timeout(on: &Setting) -> Outcome {
    let mut client = on.connect(on.listen)?;
    let mut seen = None;
    on.proxy()?
        .with_timeout("upstream".to_owned(), 100, 1.0)
        .apply(|| seen = Some(on.call(&mut client, &["INCR", "n"])))?;
    check(seen, Some(Err(Error::Closed { pending: vec![] })))?;
    // The node was never asked.
    check(on.on_the_node(&["EXISTS", "n"]), Ok(Value::Integer(0)))
}

fn slicer_and_bandwidth(on: &Setting) -> Outcome {
    let value: String = (0..20_000)
        .map(|n| char::from(b'a' + (n % 26) as u8))
        .collect();
    let mut client = on.connect(on.listen)?;
    let mut seen = None;
    on.proxy()?
        .with_slicer("upstream".to_owned(), 500, 100, 50, 1.0)
        .with_bandwidth("downstream".to_owned(), 1000, 1.0)
        .apply(|| {
            let set = on.call(&mut client, &["SET", "k", &value]);
            seen = Some((set, on.call(&mut client, &["GET", "k"])));
        })?;
    let ok = Ok(Value::Simple(b"OK".to_vec()));
    check(seen, Some((ok, Ok(Value::Bulk(value.into_bytes())))))
}
