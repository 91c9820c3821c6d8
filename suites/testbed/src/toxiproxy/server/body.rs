//! Request bodies. The content type is ignored: clients differ.

use serde_json::{Map, Value};

use super::Failed;
use super::json::Node;
use crate::fault::{Stream, Toxic, ToxicKind};

/// A proxy to create, or to replace another one.
#[derive(Debug)]
pub(super) struct NewProxy {
    pub(super) name: String,
    pub(super) listen: String,
    pub(super) upstream: String,
    pub(super) enabled: bool,
}

impl NewProxy {
    pub(super) fn read(body: &[u8]) -> Result<Self, Failed> {
        Self::of(&Node::first(body)?)
    }

    /// The proxies of a body that populates.
    pub(super) fn list(body: &[u8]) -> Result<Vec<Self>, Failed> {
        let body = Node::first(body)?;
        body.elements("the body")?.iter().map(Self::of).collect()
    }

    fn of(node: &Node) -> Result<Self, Failed> {
        let mut new = Self {
            name: String::new(),
            listen: String::new(),
            upstream: String::new(),
            enabled: true,
        };
        for (name, value) in node.members("a proxy")? {
            match name.as_str() {
                "name" => value.put(&name, &mut new.name)?,
                "listen" => value.put(&name, &mut new.listen)?,
                "upstream" => value.put(&name, &mut new.upstream)?,
                "enabled" => value.put(&name, &mut new.enabled)?,
                _ => {}
            }
        }
        Ok(new)
    }
}

/// The wanted state of a proxy. Its name stays.
#[derive(Debug)]
pub(super) struct ProxyChange {
    pub(super) listen: String,
    pub(super) upstream: String,
    pub(super) enabled: bool,
}

impl ProxyChange {
    /// Applies a body. Fields that it does not name keep their values.
    pub(super) fn read(mut self, body: &[u8]) -> Result<Self, Failed> {
        let body = Node::first(body)?;
        for (name, value) in body.members("a proxy")? {
            match name.as_str() {
                // Read and dropped, as in Toxiproxy: a wrong type is refused.
                "name" => value.put(&name, &mut String::new())?,
                "listen" => value.put(&name, &mut self.listen)?,
                "upstream" => value.put(&name, &mut self.upstream)?,
                "enabled" => value.put(&name, &mut self.enabled)?,
                _ => {}
            }
        }
        Ok(self)
    }
}

/// The toxic of a body. `taken` says whether a toxic of that name exists: Toxiproxy refuses it before it reads the
/// attributes.
pub(super) fn new_toxic(body: &[u8], taken: impl Fn(&str) -> bool) -> Result<Toxic, Failed> {
    let body = Node::first(body)?;
    let (mut name, mut kind) = (String::new(), String::new());
    let (mut stream, mut toxicity) = ("downstream".to_owned(), 1.0);
    let mut attributes = Attributes::default();
    for (field, value) in body.members("a toxic")? {
        match field.as_str() {
            "name" => value.put(&field, &mut name)?,
            "type" => value.put(&field, &mut kind)?,
            "stream" => value.put(&field, &mut stream)?,
            "toxicity" => value.put(&field, &mut toxicity)?,
            "attributes" => attributes.add(value)?,
            _ => {}
        }
    }
    let direction = stream.to_ascii_lowercase().parse()?;
    if name.is_empty() {
        name = format!("{kind}_{stream}");
    }
    if ToxicKind::rows().iter().all(|row| row.name != kind) {
        return Err(Failed::ToxicType);
    }
    if taken(&name) {
        return Err(Failed::ToxicExists);
    }
    let kind = attributes.on(&kind, Map::new())?;
    if kind.acts_on_replies() && direction == Stream::Upstream {
        let name = kind.name();
        return Err(Failed::Body(format!(
            "stream of {name}: expected downstream, where replies are"
        )));
    }
    Ok(Toxic {
        name,
        stream: direction,
        toxicity,
        kind,
    })
}

/// The toxic after the change of a body: attributes that it does not name stay, and so do type and direction.
pub(super) fn changed_toxic(body: &[u8], toxic: &Toxic) -> Result<Toxic, Failed> {
    let body = Node::first(body)?;
    let mut changed = toxic.clone();
    let mut attributes = Attributes::default();
    for (field, value) in body.members("a toxic")? {
        match field.as_str() {
            "toxicity" => value.put(&field, &mut changed.toxicity)?,
            "attributes" => attributes.add(value)?,
            _ => {}
        }
    }
    changed.kind = attributes.on(toxic.kind.name(), written(&toxic.kind)?)?;
    Ok(changed)
}

/// The attributes of a body, which may give them several times.
#[derive(Debug, Default)]
struct Attributes<'a> {
    given: Vec<(String, &'a Node)>,
    /// A null was given: Go then reads all that follow into something else.
    detached: bool,
}

impl<'a> Attributes<'a> {
    fn add(&mut self, value: &'a Node) -> Result<(), Failed> {
        self.detached |= *value == Node::Null;
        if !self.detached {
            self.given.extend(value.members("attributes")?);
        }
        Ok(())
    }

    /// The kind of this name with these attributes over `now`.
    fn on(self, name: &str, now: Map<String, Value>) -> Result<ToxicKind, Failed> {
        let mut attributes = written(&kind(name, now)?)?;
        for (field, value) in self.given {
            match attributes.get_mut(&field) {
                Some(Value::String(text)) => value.put(&field, text)?,
                Some(attribute) => {
                    let mut number = attribute.as_i64().unwrap_or(0);
                    value.put(&field, &mut number)?;
                    *attribute = number.into();
                }
                None => {}
            }
        }
        let kind = kind(name, attributes)?;
        match kind.refused() {
            Some(why) => Err(Failed::Body(why.to_owned())),
            None => Ok(kind),
        }
    }
}

fn kind(name: &str, attributes: Map<String, Value>) -> Result<ToxicKind, Failed> {
    let written = serde_json::json!({ "type": name, "attributes": attributes });
    serde_json::from_value(written).map_err(|why| Failed::Body(why.to_string()))
}

/// All attributes of a kind.
fn written(kind: &ToxicKind) -> Result<Map<String, Value>, Failed> {
    let written = serde_json::to_value(kind).map_err(|why| Failed::Body(why.to_string()))?;
    match written.get("attributes") {
        Some(Value::Object(attributes)) => Ok(attributes.clone()),
        _ => Ok(Map::new()),
    }
}
