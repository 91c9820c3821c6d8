//! Replies as JSON: each with its RESP type, as in `{"bulk":"one"}` or `"null-bulk"`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use testbed::wire::Value;

use super::bytes;

/// A reply by its RESP type. Bytes that are not UTF-8 are written as `\xNN`, a backslash as `\\`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reply {
    Simple(Bytes),
    Error(Bytes),
    Integer(i64),
    Bulk(Bytes),
    NullBulk,
    Array(Vec<Reply>),
    NullArray,
    Null,
    Boolean(bool),
    Double(Bytes),
    BigNumber(Bytes),
    BulkError(Bytes),
    Verbatim(Bytes, Bytes),
    Map(Vec<(Reply, Reply)>),
    Set(Vec<Reply>),
    Push(Vec<Reply>),
    Attributed(Vec<(Reply, Reply)>, Box<Reply>),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Bytes(
    #[serde(with = "bytes")]
    #[schemars(with = "String")]
    Vec<u8>,
);

impl From<&Value> for Reply {
    fn from(value: &Value) -> Self {
        let bytes = |bytes: &[u8]| Bytes(bytes.to_vec());
        let series = |values: &[Value]| values.iter().map(Self::from).collect();
        match value {
            Value::Simple(text) => Self::Simple(bytes(text)),
            Value::Error(text) => Self::Error(bytes(text)),
            Value::Integer(number) => Self::Integer(*number),
            Value::Bulk(text) => Self::Bulk(bytes(text)),
            Value::NullBulk => Self::NullBulk,
            Value::Array(values) => Self::Array(series(values)),
            Value::NullArray => Self::NullArray,
            Value::Null => Self::Null,
            Value::Boolean(is) => Self::Boolean(*is),
            Value::Double(text) => Self::Double(bytes(text)),
            Value::BigNumber(text) => Self::BigNumber(bytes(text)),
            Value::BulkError(text) => Self::BulkError(bytes(text)),
            Value::Verbatim { format, text } => Self::Verbatim(bytes(format), bytes(text)),
            Value::Map(entries) => Self::Map(pairs(entries)),
            Value::Set(values) => Self::Set(series(values)),
            Value::Push(values) => Self::Push(series(values)),
            Value::Attributed { attributes, value } => {
                Self::Attributed(pairs(attributes), Box::new(Self::from(&**value)))
            }
        }
    }
}

fn pairs(entries: &[(Value, Value)]) -> Vec<(Reply, Reply)> {
    let pair = |(key, value): &(Value, Value)| (Reply::from(key), Reply::from(value));
    entries.iter().map(pair).collect()
}

/// The mistake that JSON allows in a reply.
const FORMAT: &str = "the format of a verbatim reply has three bytes";

impl TryFrom<Reply> for Value {
    type Error = &'static str;

    fn try_from(reply: Reply) -> Result<Self, &'static str> {
        Ok(match reply {
            Reply::Simple(text) => Self::Simple(text.0),
            Reply::Error(text) => Self::Error(text.0),
            Reply::Integer(number) => Self::Integer(number),
            Reply::Bulk(text) => Self::Bulk(text.0),
            Reply::NullBulk => Self::NullBulk,
            Reply::Array(values) => Self::Array(series(values)?),
            Reply::NullArray => Self::NullArray,
            Reply::Null => Self::Null,
            Reply::Boolean(is) => Self::Boolean(is),
            Reply::Double(text) => Self::Double(text.0),
            Reply::BigNumber(text) => Self::BigNumber(text.0),
            Reply::BulkError(text) => Self::BulkError(text.0),
            Reply::Verbatim(format, text) => Self::Verbatim {
                format: format.0.try_into().map_err(|_| FORMAT)?,
                text: text.0,
            },
            Reply::Map(entries) => Self::Map(entries_of(entries)?),
            Reply::Set(values) => Self::Set(series(values)?),
            Reply::Push(values) => Self::Push(series(values)?),
            Reply::Attributed(attributes, value) => Self::Attributed {
                attributes: entries_of(attributes)?,
                value: Box::new((*value).try_into()?),
            },
        })
    }
}

fn series(replies: Vec<Reply>) -> Result<Vec<Value>, &'static str> {
    replies.into_iter().map(Value::try_from).collect()
}

fn entries_of(pairs: Vec<(Reply, Reply)>) -> Result<Vec<(Value, Value)>, &'static str> {
    let entry = |(key, value): (Reply, Reply)| Ok((key.try_into()?, value.try_into()?));
    pairs.into_iter().map(entry).collect()
}

pub(super) fn serialize<S: Serializer>(reply: &Option<Value>, out: S) -> Result<S::Ok, S::Error> {
    reply.as_ref().map(Reply::from).serialize(out)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    let reply = Option::<Reply>::deserialize(from)?;
    let value = reply.map(Value::try_from).transpose();
    value.map_err(serde::de::Error::custom)
}

/// A reply that is always present.
pub(super) mod one {
    use super::{Deserialize, Deserializer, Reply, Serialize, Serializer, Value};

    pub(in crate::history) fn serialize<S: Serializer>(
        reply: &Value,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        Reply::from(reply).serialize(out)
    }

    pub(in crate::history) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Value, D::Error> {
        let reply = Reply::deserialize(from)?;
        reply.try_into().map_err(serde::de::Error::custom)
    }
}
