//! `shardproof probe`: which capabilities a proxy offers.

use clap::{ArgGroup, Args};
use conformance::Allowed;
use shardproof::run::{self, Subject};
use testbed::address::Address;
use testbed::program::Search;

use super::conformance::OP_TIMEOUT_MS;
use super::{ADDRESS, Common, Console, Exit, output};

/// Find out which capabilities a proxy offers, as the list for a target file.
///
/// One request per capability shows whether the proxy accepts it. On a running proxy, only requests are sent that no other
/// client can notice; keys have a random prefix and a time to live, and are removed. With --target, the list is compared
/// with the claims of the target file: exit code 1 if it claims more than the proxy offers
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").required(true).args(["target", "proxy"]))]
pub(super) struct Flags {
    /// Proxy to start, by the name or file of its target
    #[arg(long, value_name = "NAME|FILE.toml")]
    target: Option<String>,
    /// Running proxy to probe
    #[arg(long, value_name = ADDRESS, value_parser = super::connect::address,
        conflicts_with_all = ["toxiproxy", "source", "redis_image", "link_port_base"])]
    proxy: Option<Address>,
    /// Time limit of --proxy for one request
    #[arg(long, value_name = "MS", default_value_t = OP_TIMEOUT_MS, requires = "proxy")]
    op_timeout_ms: u64,
    /// Also send requests that can disturb other clients of --proxy, such as SELECT on connections that the proxy shares
    #[arg(long, requires = "proxy")]
    allow_disturbing: bool,
    #[command(flatten)]
    output: output::Json,
    #[command(flatten)]
    pub(super) common: Common,
}

pub(super) async fn run(flags: Flags, search: Search, console: &Console) -> anyhow::Result<Exit> {
    flags.common.check()?;
    let allowed = Allowed {
        destructive: false,
        disturbing: flags.allow_disturbing,
    };
    let connector = flags.common.connect.connector(console)?;
    let subject = match &flags.proxy {
        Some(proxy) => Subject::Running {
            proxy: connector.proxy("--proxy", proxy).await?,
            op_timeout_ms: flags.op_timeout_ms,
            allowed,
            likened_to: None,
        },
        None => {
            let names: Vec<String> = flags.target.iter().cloned().collect();
            let mut targets = flags.common.targets(&names)?;
            Subject::Target {
                target: Box::new(targets.remove(0)),
                allowed,
            }
        }
    };
    let options = flags
        .common
        .run_options_with_links(search, &connector)
        .await?;
    (console.err)(&format!("seed {:x}", options.seed));
    let probed = run::probe(&options, &subject).await?;
    flags.output.output().write(&probed, console)
}
