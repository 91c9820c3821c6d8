//! The flags of a printed `repeat:` line: all that change the judgement.

use testbed::cluster::LINK_PORT_BASE;
use testbed::text;

use super::{Basics, Common, NodeSource};

/// Flags of a command line, quoted for a shell. Begins with a space unless it is empty.
#[derive(Debug, Default)]
pub(super) struct Flags(String);

impl Flags {
    /// A flag with its value.
    pub(super) fn value(&mut self, flag: &str, value: impl ToString) {
        let value = text::shell_quoted(&value.to_string());
        self.0.push_str(&format!(" {flag} {value}"));
    }

    /// A flag without a value, if it was given.
    pub(super) fn switch(&mut self, flag: &str, given: bool) {
        if given {
            self.0.push_str(&format!(" {flag}"));
        }
    }

    /// The flags of every subcommand that judges, but for the seed.
    pub(super) fn basics(&mut self, basics: &Basics) {
        if let Some(folder) = &basics.folder.fixtures {
            self.value("--fixtures", folder.display());
        }
        if basics.link_port_base != LINK_PORT_BASE {
            self.value("--link-port-base", basics.link_port_base);
        }
    }

    /// Where nodes and faults come from.
    pub(super) fn common(&mut self, common: &Common) {
        self.basics(&common.basics);
        self.switch("--nodes docker", common.source() == NodeSource::Docker);
        if let Some(image) = &common.redis_image {
            self.value("--redis-image", image);
        }
        for node in &common.nodes {
            self.value("--node", node);
        }
        common.connect.repeat(self);
        if let Some(server) = common.toxiproxy {
            self.value("--toxiproxy", server);
        }
    }

    /// The text.
    pub(super) fn text(self) -> String {
        self.0
    }
}
