//! Between two cases: the proxy must serve every node again, and the keys of the last case are removed.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Error, Harness};
use crate::cases::case::Case;
use crate::cases::members::Members;
use crate::cases::word::letter;
use crate::harness::canary::{Canary, Reading};
use crate::harness::deadlines::{After, SETTLED_WITHIN};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::cluster;
use testbed::endpoint::Endpoint;
use testbed::leftovers::{self, TTL_S};
use testbed::wait::{self, Probed};
use testbed::wire::Value;

/// A proxy with several workers has connections to its nodes for each, and a client cannot choose its worker. This many
/// clients reach all of a few workers.
const CONNECTIONS: usize = 16;
/// Between two checks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

impl Harness {
    /// Waits until the proxy serves every node; restarts it when it does not. Returns the repair, if it needed one.
    pub(crate) async fn settle(&mut self, after: After) -> Result<Option<String>, Error> {
        if after == After::Broken {
            self.renew_links().await?;
        }
        let died = self.proxy.as_mut().is_some_and(|proxy| !proxy.alive());
        let why = if died {
            "the proxy has ended".to_owned()
        } else {
            let (window, _) = self.deadlines.settled_within(after);
            match self.serves(after, window).await {
                Ok(()) => return Ok(None),
                Err(why) => why,
            }
        };
        let Some(proxy) = &mut self.proxy else {
            return Err(Error::Unsettled(why));
        };
        let why = format!("{why}; it was started again. Its log:\n{}", proxy.log());
        proxy.restart().await?;
        self.used = false;
        // A proxy that was just started has its time in full.
        let served = self.serves(after, SETTLED_WITHIN).await;
        served.map_err(Error::Unsettled)?;
        Ok(Some(why))
    }

    /// Starts a proxy of our own again with its usual cluster. One that has ended is left to [`Harness::settle`].
    pub(crate) async fn usual_cluster(&mut self) -> Result<(), Error> {
        let usual = self.links_of(&Members::usual())?;
        let Some(proxy) = &mut self.proxy else {
            return Ok(());
        };
        proxy.set_nodes(usual);
        if proxy.alive() {
            proxy.restart().await?;
            self.used = false;
        }
        Ok(())
    }

    /// Restarts a proxy of our own before a case that disturbs, and before the case after it. The shapes of a template
    /// share a proxy as long as it keeps their promise, unless they set states of clients.
    pub(crate) async fn refresh(&mut self, case: &Case) -> Result<(), Error> {
        let worn = self.is_worn(case);
        self.kept = None;
        let op_timeout = case.op_timeout.or(self.op_timeout());
        let Some(proxy) = &mut self.proxy else {
            return Ok(());
        };
        let limited = op_timeout.filter(|limit| *limit != self.environment.op_timeout);
        if let Some(limit) = limited {
            proxy.set_op_timeout_ms(limit.as_millis().try_into().unwrap_or(u64::MAX));
            self.environment.op_timeout = limit;
        }
        if limited.is_some() || worn {
            proxy.restart().await?;
            // The case meets warm connections, as after any other case.
            let served = self.serves(After::Faults, SETTLED_WITHIN).await;
            served.map_err(Error::Unsettled)?;
            self.clean(&self.canaries).await?;
        }
        (self.used, self.spoiled) = (true, !case.disturbs.is_empty());
        Ok(())
    }

    /// Whether the case needs a proxy that was started for it.
    pub(crate) fn is_worn(&self, case: &Case) -> bool {
        let kept = self.kept.as_deref();
        let shared = kept.is_some() && kept == case.template_id() && !case.leaves_state();
        self.used && !shared && (self.spoiled || !case.disturbs.is_empty())
    }

    /// The target's own time limit for one request.
    fn op_timeout(&self) -> Option<Duration> {
        let target = self.target.as_ref();
        target.map(|target| Duration::from_millis(target.op_timeout_ms))
    }

    /// Whether clients of a proxy that the suite did not start still read the values that they wrote.
    /// `case` names what ran last; `destructive` says whether it may have removed keys of others.
    pub(crate) async fn intact(&mut self, case: &str, destructive: bool) -> Result<(), Error> {
        let Some(mut canary) = self.canary.take() else {
            return Ok(());
        };
        let found = self.untouched(&mut canary, case, destructive).await;
        self.canary = Some(canary);
        found
    }

    async fn untouched(
        &self,
        canary: &mut Canary,
        case: &str,
        destructive: bool,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + self.deadlines.settled_within(After::Calm).0;
        let mut rewrite = destructive;
        loop {
            let reading = match rewrite {
                true => canary.restore(&self.environment.nodes).await.err(),
                false => None,
            };
            let reading = match reading {
                Some(failed) => failed,
                None => canary.read().await,
            };
            match reading {
                // A failed renewal is tried again after the next case.
                Reading::Intact => {
                    let _ = canary.renew().await;
                    return Ok(());
                }
                // Evicted or flushed by other clients, not by the proxy.
                Reading::Changed { .. } if !rewrite && self.lost(canary).await => rewrite = true,
                Reading::Changed { wrong, got } => {
                    return Err(Error::Disturbed(canary.taken_back(case, wrong, &got).await));
                }
                Reading::Unserved(_) | Reading::Refused(_) if Instant::now() > deadline => {
                    return Err(Error::Unsettled(reading.shown()));
                }
                Reading::Unserved(_) | Reading::Refused(_) => sleep(BETWEEN_LOOKS).await,
            }
        }
    }

    /// Whether a key of the canary is gone from its node.
    async fn lost(&self, canary: &Canary) -> bool {
        for (key, node) in canary.keys().iter().zip(&self.environment.nodes) {
            let found = call(*node, &[b"GET", key], NODE_DEADLINE).await;
            if !matches!(found, Ok(Value::Bulk(value)) if value == canary.value()) {
                return true;
            }
        }
        false
    }

    /// The state that a broken case left on the proxy's connections to its nodes must not reach the next one.
    async fn renew_links(&self) -> Result<(), Error> {
        let Some(cluster) = &self.environment.cluster else {
            return Ok(());
        };
        for node in 0..cluster.size() {
            let down = cluster.injector().down(node).await;
            down.map_err(cluster::Error::from)?;
        }
        Ok(cluster.heal().await?)
    }

    /// Waits until every node is served, on as many connections as necessary, up to a limit.
    async fn serves(&mut self, after: After, window: Duration) -> Result<(), String> {
        let connections = match after {
            After::Calm => 1,
            After::Faults | After::Broken => CONNECTIONS,
        };
        let mut served = 0;
        let serving = wait::eventually("every node", window, async || {
            while served < connections {
                match self.serves_a_client().await {
                    Ok(()) => served += 1,
                    Err(why) => return Probed::Continue(why),
                }
            }
            Probed::Break(())
        });
        serving.await.map_err(|late| match window.as_secs() {
            0 => late.instead,
            waited => format!("after {waited} s: {}", late.instead),
        })
    }

    /// Writes to every node on one connection, and checks the nodes.
    async fn serves_a_client(&mut self) -> Result<(), String> {
        self.looks += 1;
        let value = self.looks.to_string().into_bytes();
        let within = self.within();
        let ttl = TTL_S.to_string();
        let sets = self
            .canaries
            .iter()
            .map(|key| vec![&b"SET"[..], key, &value, b"EX", ttl.as_bytes()]);
        let requests: Vec<_> = sets.chain([vec![&b"PING"[..]]]).collect();
        let speaking = async {
            let mut client = Client::connect(self.environment.proxy, within).await?;
            client.pipeline(&requests, within).await
        };
        let mut replies = speaking.await.map_err(|why| why.to_string())?;
        // The PING is for proxies whose nodes are unknown.
        replies.pop();
        for (node, (key, set)) in self.canaries.iter().zip(replies).enumerate() {
            let found = call(self.environment.nodes[node], &[b"GET", key], within).await?;
            let there = matches!(&found, Value::Bulk(bytes) if *bytes == value);
            if set != Value::Simple(b"OK".to_vec()) || !there {
                let node = letter(node);
                return Err(format!(
                    "the reply to SET is {set}, and node {node} has {found}"
                ));
            }
        }
        Ok(())
    }

    /// Removes the keys of a case.
    pub(crate) async fn clean(&self, written: &[Vec<u8>]) -> Result<(), Error> {
        let places = match self.environment.nodes.is_empty() {
            true => vec![self.environment.proxy],
            false => self.environment.nodes.clone(),
        };
        for addr in places {
            let cleaned = match self.environment.owned().nodes {
                true => call(addr, &[b"FLUSHALL"], NODE_DEADLINE).await.map(drop),
                false => leftovers::delete(addr, written).await.map(drop),
            };
            cleaned.map_err(|why| Error::Unclean { addr, why })?;
        }
        Ok(())
    }
}

async fn call(addr: Endpoint, request: &[&[u8]], within: Duration) -> Result<Value, String> {
    let calling = async {
        let mut client = Client::connect(addr, within).await?;
        client.call(request, within).await
    };
    calling.await.map_err(|why| why.to_string())
}
