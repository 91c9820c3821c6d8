//! The templates of a target file: its configuration and arguments, rendered with minijinja over the setting.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::file::Target;
use super::setting::Setting;
use crate::text;

/// The variables of templates, with their meanings.
pub const VARIABLES: &[(&str, &str)] = &[
    (
        "nodes",
        "the nodes as the proxy must reach them, in the order of the cluster: `{% for node in nodes %}`",
    ),
    (
        "node.addr",
        "address of one of them, as `127.0.0.1:21001`; also `node.host` and `node.port`",
    ),
    (
        "listen.addr",
        "address to listen on for clients; also `listen.host` and `listen.port`",
    ),
    (
        "admin.addr",
        "free address for an admin port; also `admin.host` and `admin.port`",
    ),
    ("config", "path of the written configuration"),
    (
        "log",
        "path of the log, whose end is shown if the proxy does not start; stdout and stderr go there too",
    ),
    ("policy", "one of `policies`"),
    (
        "hash_tags",
        "whether only the part of a key in braces is hashed: `true` or `false`",
    ),
    (
        "op_timeout_ms",
        "time limit for one request, in milliseconds; some cases and scenarios choose another",
    ),
    (
        "eject",
        "whether the proxy must eject nodes that fail, for scenarios that need `eject`: `true` or `false`",
    ),
];

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
        self.raw(template).map_err(|why| Error {
            field,
            why: why.to_string(),
        })
    }

    fn raw(&self, template: &str) -> Result<String, minijinja::Error> {
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
        environment.render_str(template, Serde(&variables))
    }
}

/// A mistake in a template.
pub(super) struct Mistake {
    /// Its line in the template, from 1.
    pub(super) line: usize,
    /// The mistake and the expectation.
    pub(super) why: String,
}

/// The mistakes in a template of a target: each unknown variable; else the first error of its rendering.
pub(super) fn mistakes(template: &str, target: &Target) -> Vec<Mistake> {
    let environment = Environment::new();
    let parsed = match environment.template_from_str(template) {
        Ok(parsed) => parsed,
        Err(why) => return vec![mistake(&why)],
    };
    let mut used: Vec<String> = parsed.undeclared_variables(true).into_iter().collect();
    used.sort();
    let globals: Vec<&str> = environment.globals().map(|(name, _)| name).collect();
    let known = names();
    let is_known = |name: &str| {
        let root = name.split('.').next().unwrap_or(name);
        known.iter().any(|it| it == name) || globals.contains(&root)
    };
    let unknown: Vec<&String> = used.iter().filter(|name| !is_known(name)).collect();
    let mistakes = unknown.iter().map(|name| Mistake {
        line: line_of(template, name),
        why: unknown_variable(name, &known),
    });
    match unknown.is_empty() {
        true => rendered(template, target).err().into_iter().collect(),
        false => mistakes.collect(),
    }
}

/// Whether a template uses a variable.
pub(super) fn uses(template: &str, variable: &str) -> bool {
    let environment = Environment::new();
    let parsed = environment.template_from_str(template);
    parsed.is_ok_and(|it| it.undeclared_variables(false).contains(variable))
}

/// Every name that may be written outside of a loop over the nodes.
fn names() -> Vec<String> {
    let rows = VARIABLES.iter().map(|(name, _)| *name);
    let mut names = Vec::new();
    for name in rows.filter(|name| !name.starts_with("node.")) {
        match name.strip_suffix(".addr") {
            None => names.push(name.to_owned()),
            Some(place) => {
                let parts = ["addr", "host", "port"].map(|part| format!("{place}.{part}"));
                names.extend(parts);
            }
        }
    }
    names
}

fn unknown_variable(name: &str, known: &[String]) -> String {
    match text::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("unknown variable `{name}`, did you mean `{near}`?"),
        None => format!(
            "unknown variable `{name}`, expected one of {}",
            known.join(", ")
        ),
    }
}

/// Renders a template with three nodes, with and without all that is optional.
fn rendered(template: &str, target: &Target) -> Result<(), Mistake> {
    let place = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for optional in [false, true] {
        let setting = Setting {
            hash_tags: optional,
            ..Setting::usual(target, [1, 2, 3].map(place).to_vec())
        };
        let render = Render {
            setting: &setting,
            eject: optional,
            addr: place(4),
            admin: place(5),
            folder: Path::new("/"),
            config_name: &target.start.config_name,
            log_name: "log",
        };
        render.raw(template).map_err(|why| mistake(&why))?;
    }
    Ok(())
}

fn mistake(why: &minijinja::Error) -> Mistake {
    let what = why.kind().to_string();
    Mistake {
        line: why.line().unwrap_or(1),
        why: match why.detail() {
            Some(detail) => format!("{what}: {detail}"),
            None => what,
        },
    }
}

/// The first line with a name; a line that writes it in another way is as good as the first.
fn line_of(template: &str, name: &str) -> usize {
    let found = template.lines().position(|line| line.contains(name));
    found.map_or(1, |at| at + 1)
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
