//! A configuration of `fixtures/placement`: a proxy's own file, its nodes, and which of them are down.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use minijinja::{Environment, context};
use placement::{self, Cluster, Health};
use shardproof::planner::description::{self, Hints, Why};
use testbed::targets::Target;

/// One file, `fixtures/placement/TARGET/NAME.yaml`.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    /// The target of the file: the folder's name.
    pub(crate) target: Target,
    /// The stem of the file.
    pub(crate) name: String,
    /// The file's text, a template over the addresses that the proxy listens on.
    pub(crate) text: String,
}

/// The contents of a configuration.
#[derive(Debug)]
pub(crate) struct Described {
    /// The nodes in the order of the file, and how keys are placed on them.
    pub(crate) cluster: Cluster,
    /// Where each node is reached, by us as by the proxy.
    pub(crate) reach: Vec<String>,
    /// Which nodes do not run.
    pub(crate) down: Vec<bool>,
}

impl Configuration {
    /// All configurations of `targets`, by name.
    ///
    /// # Errors
    /// A folder without a target, or a file that cannot be read.
    pub(crate) fn all(targets: &[Target]) -> Result<Vec<Self>, String> {
        let mut all = Vec::new();
        for folder in sorted(&root())? {
            let target = targets
                .iter()
                .find(|target| folder.ends_with(&target.name))
                .ok_or_else(|| format!("{}: no target is called so", folder.display()))?;
            for file in sorted(&folder)? {
                if file.extension().is_some_and(|ending| ending == "yaml") {
                    all.push(Self::read(target, &file)?);
                }
            }
        }
        Ok(all)
    }

    fn read(target: &Target, file: &Path) -> Result<Self, String> {
        let failed = |why: &str| format!("{}: {why}", file.display());
        let name = file.file_stem().and_then(|stem| stem.to_str());
        Ok(Self {
            target: target.clone(),
            name: name.ok_or_else(|| failed("not UTF-8"))?.to_owned(),
            text: fs::read_to_string(file).map_err(|why| failed(&why.to_string()))?,
        })
    }

    /// Its name in trials.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.target.name, self.name)
    }

    /// The path below the workspace, for people.
    pub(crate) fn path(&self) -> String {
        format!("fixtures/placement/{}.yaml", self.id())
    }

    /// Where its recording is.
    pub(crate) fn recording(&self) -> PathBuf {
        root().join(format!("{}.vec.gz", self.id()))
    }

    /// Reads it as the planner reads files of its users.
    ///
    /// # Errors
    /// It cannot be read, or the node that is down is not in it.
    pub(crate) fn described(&self) -> Result<Described, String> {
        let path = self.path();
        let read = description::read(&self.rendered()?, &path, &hints());
        let read = read.map_err(|why| why.to_string())?;
        let mut described = Described {
            down: vec![false; read.reach.len()],
            cluster: read.cluster,
            reach: read.reach,
        };
        for line in self.text.lines() {
            if let Some(address) = line.strip_prefix("# down ") {
                let node = described
                    .node(address)
                    .map_err(|why| format!("{path}: {why}"))?;
                described.down[node] = true;
            }
            if let Some(address) = line.strip_prefix("# unhealthy ") {
                let node = described
                    .node(address)
                    .map_err(|why| format!("{path}: {why}"))?;
                described.down[node] = true;
                described.cluster.nodes[node].health = Health::Unhealthy;
            }
        }
        Ok(described)
    }

    /// Whether some keys have no node, as those of a priority with only degraded nodes: a placement is total or none.
    pub(crate) fn is_keyless(&self) -> bool {
        let read = |text: String| description::read(&text, &self.path(), &hints());
        let placeless = |why: &description::Error| {
            matches!(
                why,
                description::Error::Wrong {
                    why: Why::Placement(placement::Error::NoHealthyNode(_)),
                    ..
                }
            )
        };
        self.rendered()
            .is_ok_and(|text| read(text).is_err_and(|why| placeless(&why)))
    }

    fn rendered(&self) -> Result<String, String> {
        let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
        let place = context! { addr => nowhere.to_string(), host => nowhere.ip().to_string(), port => nowhere.port() };
        Environment::new()
            .render_str(&self.text, context! { listen => &place, admin => &place })
            .map_err(|why| format!("{}: {why}", self.path()))
    }
}

impl Described {
    /// The place of a node by its address.
    fn node(&self, address: &str) -> Result<usize, String> {
        let mut nodes = self.cluster.nodes.iter();
        nodes
            .position(|node| node.address == address)
            .ok_or_else(|| format!("no node is called {address}"))
    }

    /// The addresses of the nodes as the file has them.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let nodes = self.cluster.nodes.iter();
        nodes.map(|node| node.address.clone()).collect()
    }
}

/// Names in the configurations are all of this machine.
fn hints() -> Hints {
    let names = ["localhost", "a.localhost", "b.localhost", "c.localhost"];
    Hints {
        resolve: names
            .map(|name| (name.to_owned(), Ipv4Addr::LOCALHOST.into()))
            .into(),
        ..Hints::default()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/placement")
}

/// The files of a folder, by name.
fn sorted(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |why: io::Error| format!("{}: {why}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries
        .map(|entry| Ok(entry.map_err(failed)?.path()))
        .collect::<Result<Vec<_>, String>>()?;
    paths.sort();
    Ok(paths)
}

/// The ids of all recordings.
///
/// # Errors
/// A folder that cannot be read.
pub(crate) fn recordings() -> Result<Vec<String>, String> {
    let mut ids = Vec::new();
    for folder in sorted(&root())? {
        for file in sorted(&folder)? {
            let below = file.strip_prefix(root()).map_err(|why| why.to_string())?;
            let id = below.to_str().and_then(|path| path.strip_suffix(".vec.gz"));
            ids.extend(id.map(str::to_owned));
        }
    }
    Ok(ids)
}
