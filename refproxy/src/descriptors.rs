//! File descriptors: the soft limit is raised, and clients get what nodes, transactions and the admin interface leave.
//!
//! As `adjustOpenFilesLimit` in Redis' `server.c`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Limits;

/// Of the process itself: the log, the signal pipe, a file that is read again, sockets on their way to be refused.
const PROCESS: usize = 32;
/// Connections to the admin interface.
const ADMIN: usize = 32;
/// Of one worker: its listener and its runtime.
const WORKER: usize = 6;
/// To one node from one worker: one connection in each protocol, as many while a cluster is swapped, one to kill a script,
/// and one to ask whether the node is busy.
const NODE: usize = 6;

/// The users of descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) workers: usize,
    pub(crate) nodes: usize,
    pub(crate) clients_max: usize,
    pub(crate) dedicated_max: usize,
}

/// The maximum of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) clients_max: usize,
    pub(crate) dedicated_max: usize,
}

/// Fewer descriptors than the proxy needs to serve one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit is {limit} file descriptors, at least {least} are needed: raise `ulimit -n`")]
pub struct TooFew {
    limit: usize,
    least: usize,
}

impl Demand {
    /// The demand under these limits.
    pub(crate) fn of(workers: usize, nodes: usize, limits: &Limits) -> Self {
        Self {
            workers,
            nodes,
            clients_max: limits.clients_max,
            dedicated_max: limits.dedicated_max,
        }
    }

    fn fixed(&self) -> usize {
        PROCESS + ADMIN + self.workers * (WORKER + NODE * self.nodes)
    }

    fn total(&self) -> usize {
        let total = self.fixed().saturating_add(self.clients_max);
        total.saturating_add(self.dedicated_max)
    }

    /// Distributes `limit` descriptors: if they are scarce, transactions get at most a fifth of the rest.
    fn share(&self, limit: usize) -> Result<Share, TooFew> {
        let left = limit.saturating_sub(self.fixed());
        let dedicated_max = match self.total() <= limit {
            true => self.dedicated_max,
            false => self.dedicated_max.min(left / 5),
        };
        let clients_max = self.clients_max.min(left - dedicated_max.min(left));
        match dedicated_max.min(clients_max) {
            0 => Err(TooFew {
                limit,
                least: self.fixed() + 5,
            }),
            _ => Ok(Share {
                clients_max,
                dedicated_max,
            }),
        }
    }
}

/// Raises the soft limit of this process to the demand, as far as the hard limit allows, and shares the descriptors.
/// Lowered maximums are logged.
///
/// # Errors
/// Not one client could be served.
pub(crate) fn secure(demand: Demand) -> Result<Share, TooFew> {
    let share = demand.share(raise(demand.total()))?;
    if share.clients_max < demand.clients_max || share.dedicated_max < demand.dedicated_max {
        tracing::warn!(
            "too few file descriptors (ulimit -n): limits.clients is lowered from {} to {}, limits.dedicated_connections from {} to {}",
            demand.clients_max,
            share.clients_max,
            demand.dedicated_max,
            share.dedicated_max
        );
    }
    Ok(share)
}

/// Raises the soft limit to `wanted` if it is lower. Returns the new limit.
fn raise(wanted: usize) -> usize {
    let now = getrlimit(Resource::Nofile);
    let count = |limit: Option<u64>| {
        limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        })
    };
    let soft = count(now.current);
    let higher = wanted.min(count(now.maximum));
    if higher <= soft {
        return soft;
    }
    let raised = Rlimit {
        current: u64::try_from(higher).ok(),
        maximum: now.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => higher,
        Err(error) => {
            tracing::warn!(%error, soft, wanted, "cannot raise the limit of file descriptors");
            soft
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Demand, Share, TooFew};

    #[track_caller]
    fn check(limit: usize, expected: Result<(usize, usize), usize>) {
        // 64 of the process, 2 x (6 + 6 x 3) of the workers.
        let demand = Demand {
            workers: 2,
            nodes: 3,
            clients_max: 1_000,
            dedicated_max: 100,
        };
        let expected = expected
            .map(|(clients_max, dedicated_max)| Share {
                clients_max,
                dedicated_max,
            })
            .map_err(|least| TooFew { limit, least });
        assert_eq!(demand.share(limit), expected, "{limit} descriptors");
    }

    #[test]
    fn clients_get_the_remaining_descriptors() {
        check(usize::MAX, Ok((1_000, 100)));
        check(1_212, Ok((1_000, 100)));
        check(1_211, Ok((999, 100)));
        check(612, Ok((400, 100)));
        check(212, Ok((80, 20)));
        check(117, Ok((4, 1)));
        check(116, Err(117));
        check(0, Err(117));
    }
}
