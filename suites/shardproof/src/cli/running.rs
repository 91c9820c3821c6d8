//! Options of a proxy that already runs, for commands that compare it with one plain Redis.

use clap::Args;
use conformance::Allowed;
use conformance::matrix::{RunningProxy, Subject};
use testbed::address::Address;
use testbed::targets::Target;

use super::conformance::OP_TIMEOUT_MS;
use super::connect::{self, Connect};
use super::node::{NODE, NodeFlag};
use super::{ADDRESS, Basics, Console, Folder, Usage, repeat};

/// A proxy that already runs.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// Running proxy to judge. Without --node, commands that need the node of a key are skipped
    #[arg(long, value_name = ADDRESS, value_parser = connect::address, conflicts_with = "link_port_base")]
    proxy: Option<Address>,
    /// Node of --proxy; repeat for all of them. SEEN is its address as the proxy sees it
    #[arg(long = "node", value_name = NODE, conflicts_with = "targets")]
    nodes: Vec<NodeFlag>,
    /// Target whose claims are also those of --proxy, by name or file. A version has the same claims as others
    #[arg(
        long = "as",
        value_name = "TARGET[@VERSION]",
        conflicts_with = "targets"
    )]
    likened_to: Option<String>,
    /// Time limit of --proxy for one request
    #[arg(long, value_name = "MS", default_value_t = OP_TIMEOUT_MS, conflicts_with = "targets")]
    op_timeout_ms: u64,
    #[command(flatten)]
    connect: Connect,
}

/// Permissions on a proxy that already runs.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Permissions {
    /// Also send commands that destroy data on the nodes of --proxy, such as FLUSHALL
    #[arg(long, conflicts_with = "targets")]
    allow_destructive: bool,
    /// Also send commands that other clients of --proxy can notice, such as MULTI or CONFIG SET. Do not use it on a proxy in
    /// production
    #[arg(long, conflicts_with = "targets")]
    allow_disturbing: bool,
}

impl Permissions {
    pub(super) fn allowed(&self) -> Allowed {
        Allowed {
            destructive: self.allow_destructive,
            disturbing: self.allow_disturbing,
        }
    }

    /// The flags in the form of a command line.
    pub(super) fn repeated(&self, repeat: &mut repeat::Flags) {
        repeat.switch("--allow-destructive", self.allow_destructive);
        repeat.switch("--allow-disturbing", self.allow_disturbing);
    }
}

impl Flags {
    /// The target of --as.
    pub(super) fn likened_to(&self, folder: &Folder) -> anyhow::Result<Option<Target>> {
        let argument = self.likened_to.as_ref();
        let target = argument.map(|argument| super::target::likened(folder, argument));
        // Versions differ in deviations only.
        Ok(target.transpose()?.map(|(target, _)| target))
    }

    /// The proxy of --proxy. Waits for its servers if asked for.
    async fn proxy(
        &self,
        likened_to: Option<&Target>,
        allowed: Allowed,
        console: &Console,
    ) -> anyhow::Result<Option<RunningProxy>> {
        let Some(address) = &self.proxy else {
            return Ok(self.connects_to_none().map(|()| None)?);
        };
        let connector = self.connect.connector(console)?;
        let claims = |claim| {
            let mut targets = likened_to.iter();
            targets.any(|target| target.capabilities.iter().any(|has| has == claim))
        };
        Ok(Some(RunningProxy {
            proxy: connector.proxy("--proxy", address).await?,
            nodes: connector.nodes(&self.nodes).await?,
            op_timeout_ms: self.op_timeout_ms,
            allowed,
            hash_tags: claims("hash-tags"),
        }))
    }

    /// Refuses options of connections where there are none.
    fn connects_to_none(&self) -> Result<(), Usage> {
        let mut given = repeat::Flags::default();
        self.connect.repeat(&mut given);
        match given.text() {
            none if none.is_empty() => Ok(()),
            given => Err(Usage(format!(
                "{}: has no effect without --proxy",
                given.trim()
            ))),
        }
    }

    /// The proxy of --proxy, or those of --target.
    pub(super) async fn subjects(
        &self,
        (basics, targets): (&Basics, &[String]),
        allowed: Allowed,
        console: &Console,
    ) -> anyhow::Result<Vec<Subject>> {
        let likened_to = self.likened_to(&basics.folder)?;
        let proxy = self.proxy(likened_to.as_ref(), allowed, console).await?;
        if let Some(running) = proxy {
            return Ok(vec![Subject::Running(running)]);
        }
        let targets = basics.targets(targets)?.into_iter();
        Ok(targets.map(|it| Subject::Target(Box::new(it))).collect())
    }

    /// The flags that affect the judgement, but for the proxy.
    pub(super) fn repeated(&self, repeat: &mut repeat::Flags) {
        for node in &self.nodes {
            repeat.value("--node", node);
        }
        if let Some(target) = &self.likened_to {
            repeat.value("--as", target);
        }
        if self.op_timeout_ms != OP_TIMEOUT_MS {
            repeat.value("--op-timeout-ms", self.op_timeout_ms);
        }
        self.connect.repeat(repeat);
    }
}
