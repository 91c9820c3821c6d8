//! Clients that keep working while keys are moved: each register has one writer, so the allowed results of a read are
//! known.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use testbed::client::Client;
use testbed::wait;
use testbed::wire::Value;
use tokio::task::JoinHandle;

const TASKS: usize = 4;
const REGISTERS: usize = 120;
/// Two of three registers are written, and one is only read.
const READ_ONLY: usize = 3;
const WITHIN: Duration = Duration::from_secs(10);

/// One register, and its known state since the proxy was switched.
#[derive(Debug, Clone)]
struct Register {
    number: usize,
    /// The last acknowledged version of all.
    version: u64,
    /// Whether that was acknowledged since the switch, or read, so that no older value and no absence may follow.
    known: bool,
}

/// All registers, between two switches.
#[derive(Debug, Clone)]
pub(crate) struct Registers(Vec<Register>);

/// Registers that are read and written.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<Vec<Register>>>,
}

impl Registers {
    /// Writes the first version of each.
    pub(crate) async fn create(proxy: SocketAddr) -> Self {
        let mut client = Client::connect(proxy, WITHIN).await.unwrap();
        let mut registers = Vec::new();
        for number in 0..REGISTERS {
            let mut register = Register {
                number,
                version: 0,
                known: false,
            };
            register.write(&mut client).await;
            registers.push(register);
        }
        Self(registers)
    }

    /// Begins to read and write through a proxy that was just switched.
    pub(crate) fn begin(self, proxy: SocketAddr) -> Load {
        let (stop, rounds) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let all = self.0.into_iter().map(|register| Register {
            known: false,
            ..register
        });
        let all: Vec<Register> = all.collect();
        let tasks = all.chunks(REGISTERS / TASKS).map(|part| {
            let (part, stop, rounds) = (part.to_vec(), Arc::clone(&stop), Arc::clone(&rounds));
            tokio::spawn(go_on(part, proxy, stop, rounds))
        });
        Load {
            tasks: tasks.collect(),
            stop,
            rounds,
        }
    }

    /// Number of registers.
    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Reads every register: each has its last acknowledged version.
    pub(crate) async fn check(&self, proxy: SocketAddr) {
        let mut client = Client::connect(proxy, WITHIN).await.unwrap();
        for register in &self.0 {
            let mut register = Register {
                known: true,
                ..register.clone()
            };
            register.read(&mut client).await;
        }
    }
}

impl Load {
    /// Rounds over some registers that were done.
    pub(crate) fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Waits until every register had its turn.
    pub(crate) async fn first_round(&self) {
        let probe = async || {
            assert!(
                !self.tasks.iter().any(JoinHandle::is_finished),
                "a client ended"
            );
            let rounds = self.rounds();
            wait::found(rounds >= 2 * TASKS as u64, || format!("{rounds} rounds"))
        };
        let turned = wait::eventually("a turn of every register", WITHIN, probe).await;
        turned.unwrap_or_else(|late| panic!("{late}"));
    }

    /// Ends the load. Panics if a client saw a forbidden result.
    pub(crate) async fn end(self) -> Registers {
        self.stop.store(true, Ordering::Relaxed);
        let mut registers = Vec::new();
        for task in self.tasks {
            registers.extend(task.await.unwrap());
        }
        Registers(registers)
    }
}

async fn go_on(
    mut registers: Vec<Register>,
    proxy: SocketAddr,
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
) -> Vec<Register> {
    let mut client = Client::connect(proxy, WITHIN).await.unwrap();
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        for register in &mut registers {
            // Some are first written when others have been moved already.
            if register.number % READ_ONLY > 0 && round % 8 == register.number % 8 {
                register.write(&mut client).await;
            }
            register.read(&mut client).await;
        }
        round += 1;
        rounds.fetch_add(1, Ordering::Relaxed);
    }
    registers
}

impl Register {
    fn key(&self) -> String {
        format!("register:{}", self.number)
    }

    async fn write(&mut self, client: &mut Client) {
        let version = (self.version + 1).to_string();
        let key = self.key();
        let answer = client.call(&["SET", &key, &version], WITHIN).await.unwrap();
        assert_eq!(answer, Value::Simple(b"OK".to_vec()), "{self:?}");
        self.version += 1;
        self.known = true;
    }

    async fn read(&mut self, client: &mut Client) {
        let key = self.key();
        match client.call(&["GET", &key], WITHIN).await.unwrap() {
            // There is no other writer, so only the last acknowledged version may be read.
            Value::Bulk(text) => {
                assert_eq!(text, self.version.to_string().as_bytes(), "{self:?}");
                self.known = true;
            }
            // Until it is moved, the proxy does not find it.
            Value::NullBulk => assert!(!self.known, "{self:?} is missing"),
            other => panic!("{self:?}: {other}"),
        }
    }
}
