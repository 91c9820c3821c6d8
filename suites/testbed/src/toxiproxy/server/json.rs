//! JSON as Go's `encoding/json` reads it into a struct: names match in any case, null changes nothing, the last of two
//! values wins, unknown names are ignored, and text after the first value is not read.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Failed;

/// A JSON value that keeps every member of an object, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// A number without a fraction and an exponent that fits.
    Integer(i64),
    /// Any other number.
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The first value of a body.
    pub(super) fn first(body: &[u8]) -> Result<Self, Failed> {
        // Invalid UTF-8 is replaced, as in Go.
        let text = String::from_utf8_lossy(body);
        Self::deserialize(&mut serde_json::Deserializer::from_str(&text))
            .map_err(|why| Failed::Body(why.to_string()))
    }

    /// The members of an object, their names folded; null has none.
    pub(super) fn members(&self, what: &str) -> Result<Vec<(String, &Node)>, Failed> {
        match self {
            Self::Null => Ok(Vec::new()),
            Self::Object(members) => Ok(members
                .iter()
                .map(|(name, value)| (folded(name), value))
                .collect()),
            _ => Err(self.unfit(what, "an object")),
        }
    }

    /// The elements of a list; null has none.
    pub(super) fn elements(&self, what: &str) -> Result<&[Node], Failed> {
        match self {
            Self::Null => Ok(&[]),
            Self::List(elements) => Ok(elements),
            _ => Err(self.unfit(what, "an array")),
        }
    }

    /// Puts the value into `field`; null leaves it alone.
    pub(super) fn put<T: Scalar>(&self, name: &str, field: &mut T) -> Result<(), Failed> {
        if *self != Self::Null {
            *field = T::of(self).ok_or_else(|| self.unfit(name, T::NAME))?;
        }
        Ok(())
    }

    fn unfit(&self, what: &str, wanted: &str) -> Failed {
        let found = match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Integer(_) | Self::Number(_) => "another number",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        };
        Failed::Body(format!("{what}: expected {wanted}, found {found}"))
    }
}

/// Go's simple folding, as far as letters of field names have it: ſ is s and the Kelvin sign is k.
fn folded(name: &str) -> String {
    let letters = name.chars().flat_map(char::to_uppercase);
    letters.flat_map(char::to_lowercase).collect()
}

/// A type that a field of a struct may have.
pub(super) trait Scalar: Sized {
    /// The type in refusals.
    const NAME: &'static str;

    fn of(node: &Node) -> Option<Self>;
}

impl Scalar for String {
    const NAME: &'static str = "a string";

    fn of(node: &Node) -> Option<Self> {
        match node {
            Node::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl Scalar for bool {
    const NAME: &'static str = "a bool";

    fn of(node: &Node) -> Option<Self> {
        match node {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }
}

impl Scalar for i64 {
    const NAME: &'static str = "an integer of 64 bits";

    fn of(node: &Node) -> Option<Self> {
        match node {
            Node::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl Scalar for f32 {
    const NAME: &'static str = "a number of 32 bits";

    fn of(node: &Node) -> Option<Self> {
        let number = match node {
            Node::Integer(number) => *number as f32,
            Node::Number(number) => *number as f32,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(i64::try_from(number).map_or(Node::Number(number as f64), Node::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Node::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}
