//! What clients send. Their content type is not looked at, and fields that nobody knows are ignored: clients differ.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Failed;
use crate::link::toxic::{Kind, NAMES, Stream, Toxic};

/// A body as JSON of a shape.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failed> {
    serde_json::from_slice(body).map_err(wrong)
}

fn wrong(why: serde_json::Error) -> Failed {
    Failed::Body(why.to_string())
}

/// A proxy to create, or to replace another one.
#[derive(Debug, Deserialize)]
pub(super) struct NewProxy {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) listen: String,
    #[serde(default)]
    pub(super) upstream: String,
    pub(super) enabled: Option<bool>,
}

/// What to change of a proxy. Its name stays.
#[derive(Debug, Deserialize)]
pub(super) struct ProxyChange {
    pub(super) listen: Option<String>,
    pub(super) upstream: Option<String>,
    pub(super) enabled: Option<bool>,
}

/// A toxic to add.
#[derive(Debug, Deserialize)]
pub(super) struct NewToxic {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    stream: Option<String>,
    toxicity: Option<f32>,
    attributes: Option<Map<String, Value>>,
}

impl NewToxic {
    pub(super) fn toxic(self) -> Result<Toxic, Failed> {
        let stream = match &self.stream {
            Some(stream) => stream.parse()?,
            None => Stream::Downstream,
        };
        let kind = kind(&self.kind, self.attributes.unwrap_or_default())?;
        let toxic = Toxic::new(stream, kind);
        Ok(Toxic {
            name: if self.name.is_empty() {
                toxic.name.clone()
            } else {
                self.name
            },
            toxicity: self.toxicity.unwrap_or(toxic.toxicity),
            ..toxic
        })
    }
}

/// What to change of a toxic. Attributes that are not named stay; its type and direction too.
#[derive(Debug, Deserialize)]
pub(super) struct ToxicChange {
    toxicity: Option<f32>,
    attributes: Option<Map<String, Value>>,
}

impl ToxicChange {
    pub(super) fn applied_to(self, toxic: &Toxic) -> Result<Toxic, Failed> {
        let now = serde_json::to_value(toxic.kind).map_err(wrong)?;
        let mut attributes = match now.get("attributes") {
            Some(Value::Object(attributes)) => attributes.clone(),
            _ => Map::new(),
        };
        attributes.extend(self.attributes.unwrap_or_default());
        Ok(Toxic {
            toxicity: self.toxicity.unwrap_or(toxic.toxicity),
            kind: kind(toxic.kind.name(), attributes)?,
            ..toxic.clone()
        })
    }
}

fn kind(name: &str, attributes: Map<String, Value>) -> Result<Kind, Failed> {
    if !NAMES.contains(&name) {
        return Err(Failed::ToxicType);
    }
    let written = serde_json::json!({ "type": name, "attributes": attributes });
    let kind = serde_json::from_value(written).map_err(wrong)?;
    match kind {
        Kind::Slicer(slicer) if slicer.average_size == 0 => Err(Failed::Body(
            "average_size of a slicer: expected at least 1".to_owned(),
        )),
        Kind::Slicer(slicer) if slicer.size_variation >= slicer.average_size => Err(Failed::Body(
            "size_variation of a slicer: expected less than average_size".to_owned(),
        )),
        kind => Ok(kind),
    }
}
