//! The templates of a target file: its configuration and arguments, rendered with minijinja over the setting.

use std::net::SocketAddr;
use std::path::Path;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::setting::Setting;

/// Renders the templates of a target file.
pub(super) struct Render<'a> {
    pub(super) setting: &'a Setting,
    pub(super) eject: bool,
    pub(super) addr: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) folder: &'a Path,
    pub(super) config_name: &'a str,
    pub(super) log_name: &'a str,
}

/// A template cannot be rendered.
pub(super) struct Error {
    /// Which one.
    pub(super) field: &'static str,
    /// The mistake.
    pub(super) why: String,
}

impl Render<'_> {
    /// The text of a template; errors name it by `field`.
    pub(super) fn text(&self, field: &'static str, template: &str) -> Result<String, Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let variables = Variables {
            nodes: self.setting.nodes.iter().map(Place::from).collect(),
            policy: &self.setting.policy,
            hash_tags: self.setting.hash_tags,
            op_timeout_ms: self.setting.op_timeout_ms,
            eject: self.eject,
            listen: Place::from(&self.addr),
            admin: Place::from(&self.admin),
            config: self.folder.join(self.config_name).display().to_string(),
            log: self.folder.join(self.log_name).display().to_string(),
        };
        environment
            .render_str(template, Serde(&variables))
            .map_err(|why| Error {
                field,
                why: why.to_string(),
            })
    }
}

#[derive(Serialize)]
struct Variables<'a> {
    nodes: Vec<Place>,
    policy: &'a str,
    hash_tags: bool,
    op_timeout_ms: u64,
    eject: bool,
    listen: Place,
    admin: Place,
    config: String,
    log: String,
}

/// An address in a template: `{{ node.host }}`, `{{ node.port }}`, `{{ node.addr }}`.
#[derive(Serialize)]
struct Place {
    addr: String,
    host: String,
    port: u16,
}

impl From<&SocketAddr> for Place {
    fn from(addr: &SocketAddr) -> Self {
        Self {
            addr: addr.to_string(),
            host: addr.ip().to_string(),
            port: addr.port(),
        }
    }
}
