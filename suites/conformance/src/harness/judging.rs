//! The judging of one case: the proxy is made fit for it, the steps run, everything is healed, and a verdict follows.

use tokio::time::Instant;

use super::{Error, Harness, Stopped};
use crate::cases::case::{Action, Case, NODES, Step};
use crate::cases::word::{Scope, Variable};
use crate::harness::cleanup::{left_behind, with};
use crate::harness::deadlines::After;
use crate::harness::environment::{Damage, obstacle_of_files};
use crate::harness::runner::{Run, Stop};
use crate::harness::spoiled::{ATTEMPTS, Waits, is_by_time, is_long};
use crate::probe::Probe;
use crate::verdict::{Known, NOT_JUDGED, Result as Judged, Verdict};
use testbed::targets::{Occurs, Proxy, Target};

/// Lines of the proxy's log in the evidence.
const LOG_LINES: usize = 10;

impl Harness {
    /// Judges one case, and leaves everything as it was found.
    pub async fn judge(&mut self, case: &Case) -> Judged {
        let started = Instant::now();
        let verdict = match (self.obstacle(case), &self.stopped) {
            (Some(reason), _) => Verdict::Skip { reason },
            (None, Some(Stopped { case, .. })) => Verdict::Unknown {
                why: format!("{NOT_JUDGED}the run stopped after {case}"),
            },
            (None, None) => self.undisturbed(case).await,
        };
        if verdict == Verdict::Pass {
            self.kept = case.template_id().map(str::to_owned);
        }
        Judged {
            case: case.id.clone(),
            promise: case.promise.clone(),
            level: case.level,
            spec: case.spec.clone(),
            deviation: self.known(case, &verdict),
            verdict,
            repeats: None,
            took: started.elapsed(),
        }
    }

    fn obstacle(&self, case: &Case) -> Option<String> {
        let lacking = self
            .target
            .as_ref()
            .and_then(|target| skipped(target, case))
            .or_else(|| not_offered(self.probed.as_ref()?, case));
        lacking.or_else(|| self.environment.obstacle(case))
    }

    /// The deviation of a judged case. By address, the version of a proxy is unknown: a row of earlier versions says
    /// nothing about a case that was kept.
    fn known(&self, case: &Case, verdict: &Verdict) -> Option<Known> {
        let target = self.target.as_ref()?;
        let row = target.deviation(&case.id)?;
        let of_others = self.likened && !row.seen.covers(&target.version.pinned, &target.version);
        match of_others && *verdict == Verdict::Pass {
            true => None,
            false => self.deviation(&case.id),
        }
    }

    fn deviation(&self, case: &str) -> Option<Known> {
        let deviation = self.target.as_ref()?.deviation(case)?;
        Some(Known {
            why: deviation.why.clone(),
            seen: deviation.seen.to_string(),
            always: deviation.occurs == Occurs::Always,
            class: deviation.class,
            link: deviation.link.clone(),
            row: None,
        })
    }

    /// Judges a case again if the machine was too busy. What a target is known for is expected to fail.
    async fn undisturbed(&mut self, case: &Case) -> Verdict {
        if self.deviation(&case.id).is_some() {
            return self.patiently(case).await;
        }
        for _ in 1..ATTEMPTS {
            let waits = Waits::begin();
            let verdict = self.patiently(case).await;
            if !is_by_time(&verdict) {
                return verdict;
            }
            let waited = waits.longest();
            if !is_long(waited, self.environment.op_timeout) {
                return verdict;
            }
            let (id, waited) = (&case.id, waited.as_millis());
            tracing::info!("{id}: judged again, a thread waited {waited} ms for a processor");
        }
        self.patiently(case).await
    }

    /// Runs a case with a short deadline if the proxy is silent. A failure under a short deadline counts only while the
    /// proxy is silent; else the case runs again with the full one.
    async fn patiently(&mut self, case: &Case) -> Verdict {
        self.environment.reply_within = self.deadlines.reply_within(self.environment.op_timeout);
        let short = self.environment.reply_within.is_some();
        let verdict = self.run(case).await;
        if short && self.deadlines.is_full() && matches!(verdict, Verdict::Fail(_)) {
            self.environment.reply_within = None;
            return self.run(case).await;
        }
        verdict
    }

    async fn run(&mut self, case: &Case) -> Verdict {
        let scope = match self.prepare(case).await {
            Ok(scope) => scope,
            Err(why) => {
                let settled = self.settle(After::Broken).await;
                self.note(case, After::Broken, &settled);
                return unknown(&why);
            }
        };
        self.environment.tap.forget();
        let log = self.proxy.as_ref().map_or(0, Proxy::log_length);
        let mut run = Run::new(&self.environment, self.proxy.as_mut(), case, scope);
        let mut ended = run.steps().await;
        let (transcript, names) = (run.transcript(), run.names());
        let damages = std::mem::take(&mut run.damages);
        let written = std::mem::take(&mut run.written);
        // Its clients must be gone before the proxy is checked.
        drop(run);
        if let (Err(Stop::Broken(evidence)), Some(proxy)) = (&mut ended, &self.proxy) {
            // Before it is started again with a new log.
            evidence.log = proxy.log_since(log, LOG_LINES);
        }

        let after = match &ended {
            Err(_) => After::Broken,
            Ok(()) if case.has_faults() => After::Faults,
            Ok(()) => After::Calm,
        };
        let (waited, in_full) = self.deadlines.settled_within(after);
        let restored = self.restore(case, &damages, &written, after).await;
        self.note(case, after, &restored);
        match (ended, restored) {
            (Err(Stop::Stuck(why)), _) => Verdict::Unknown { why },
            (Ok(()), Ok(None)) => Verdict::Pass,
            (Ok(()), Err(why)) => unknown(&why),
            (Ok(()), Ok(Some(_))) if !in_full => Verdict::Unknown {
                why: format!(
                    "the promise was kept; that the proxy serves again was awaited for {} s only, because it did not \
                     after the cases before",
                    waited.as_secs()
                ),
            },
            (Ok(()), Ok(Some(why))) => Verdict::Fail(left_behind(case, (transcript, &names), why)),
            (Err(Stop::Broken(evidence)), Ok(None)) => Verdict::Fail(*evidence),
            (Err(Stop::Broken(evidence)), Ok(Some(why))) => Verdict::Fail(with(*evidence, &why)),
            (Err(Stop::Broken(evidence)), Err(why)) => {
                Verdict::Fail(with(*evidence, &why.to_string()))
            }
        }
    }

    /// A proxy that is fit for the case, and its keys.
    async fn prepare(&mut self, case: &Case) -> Result<Scope, Error> {
        self.refresh(case).await?;
        self.scope(case).await
    }

    /// Heals, waits until every node is served, and cleans up. Returns the repair of the proxy, if it needed one.
    async fn restore(
        &mut self,
        case: &Case,
        damages: &[(usize, Damage)],
        written: &[Vec<u8>],
        after: After,
    ) -> Result<Option<String>, Error> {
        let mut healed = Ok(());
        for node in 0..self.environment.nodes.len() {
            let of_node = damages.iter().filter(|(at, _)| *at == node);
            let damages: Vec<Damage> = of_node.map(|(_, damage)| damage.clone()).collect();
            if !damages.is_empty() {
                healed = healed.and(self.environment.heal(node, &damages).await);
            }
        }
        healed.map_err(|why| Error::Unhealed(why.to_string()))?;
        let settled = match self.intact(&case.id, case.destructive).await {
            Ok(()) if case.changes_cluster() => match self.usual_cluster().await {
                Ok(()) => self.settle(after).await,
                Err(why) => Err(why),
            },
            Ok(()) => self.settle(after).await,
            Err(why) => Err(why),
        };
        if settled.is_err() && self.environment.nodes.is_empty() {
            // Only the proxy could remove them.
            return settled;
        }
        // Also when the proxy is lost: the nodes are still there. The canaries too: on nodes that are not emptied, the
        // next case would find them.
        let cleaned = self.clean(&[written, &self.canaries].concat()).await;
        let settled = settled?;
        cleaned?;
        Ok(settled)
    }

    async fn scope(&mut self, case: &Case) -> Result<Scope, Error> {
        let most = (0..NODES)
            .map(|node| {
                let here =
                    |variable: &&Variable| variable.node == Some(node) && variable.moved.is_none();
                case.variables.iter().filter(here).count()
            })
            .max();
        self.fill(most.unwrap_or(0)).await?;
        self.fill_moved(case).await?;
        let mut scope = Scope {
            run: self.environment.prefix.clone(),
            ..Scope::default()
        };
        for variable in &case.variables {
            let found = match (variable.node, variable.moved, case.clusters().next()) {
                (Some(node), Some(moved), Some(to)) => self.moved.take(to, (node, moved)),
                (Some(node), ..) => self.pool.take(node),
                (None, ..) => None,
            };
            let key = found.unwrap_or_else(|| self.pool.fresh());
            scope.keys.insert(*variable, key);
        }
        Ok(scope)
    }
}

/// Why a target is not judged by a case, as far as its file and the limits of this process show.
#[must_use]
pub fn skipped(target: &Target, case: &Case) -> Option<String> {
    let lacking: Vec<&str> = target.lacks(&case.needs).collect();
    let title = &target.title;
    if !lacking.is_empty() {
        return Some(format!("{title} does not claim {}", lacking.join(", ")));
    }
    let gives_bad = |step: &Step| step.action == Action::BadCluster;
    (case.steps.iter().any(gives_bad) && target.rescale.malformed().is_empty())
        .then(|| format!("the target file of {title} has no malformed clusters"))
        .or_else(|| obstacle_of_files(case))
}

/// Why a proxy that was probed is not judged by a case: it does not offer what the case needs.
fn not_offered(probed: &Probe, case: &Case) -> Option<String> {
    let mut needs = case.needs.iter();
    needs.find_map(|need| {
        let why = probed.lacks(need)?;
        Some(format!("not offered: {need}: {why}"))
    })
}

fn unknown(why: &Error) -> Verdict {
    Verdict::Unknown {
        why: why.to_string(),
    }
}
