//! Settings of policies by name, as files and command lines give them.

use std::fmt;

use crate::Policy;
use crate::hash::Digest;

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A size.
    Number(u32),
    /// On or off.
    Switch(bool),
    /// The name of a digest or of a function.
    Word(String),
}

/// Why a setting cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The policy has no such setting.
    #[error("policy {policy} does not support {setting}")]
    Unsupported {
        /// Name of the policy.
        policy: &'static str,
        /// Name of the setting.
        setting: String,
    },
    /// The setting has no such value.
    #[error("{setting} `{value}`: expected {expected}")]
    Value {
        /// Name of the setting.
        setting: String,
        /// The value.
        value: Value,
        /// The values that it may have, in words.
        expected: String,
    },
}

/// A field of a policy that is a setting.
pub(crate) trait Setting {
    fn value(&self) -> Value;
    /// Changes the setting, or returns the values that it may have.
    fn set(&mut self, value: &Value) -> Result<(), String>;
}

/// The settings of a policy, by their names in files.
pub(crate) type Settings<'a> = Vec<(&'static str, &'a mut dyn Setting)>;

/// Of a policy without settings.
pub(crate) fn none(_: &mut Policy) -> Settings<'_> {
    Vec::new()
}

impl Setting for u32 {
    fn value(&self) -> Value {
        Value::Number(*self)
    }

    fn set(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Number(number) => *self = *number,
            _ => return Err("a whole number".to_owned()),
        }
        Ok(())
    }
}

impl Setting for bool {
    fn value(&self) -> Value {
        Value::Switch(*self)
    }

    fn set(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Switch(on) => *self = *on,
            _ => return Err("true or false".to_owned()),
        }
        Ok(())
    }
}

impl Setting for Digest {
    fn value(&self) -> Value {
        Value::Word(self.name().to_owned())
    }

    fn set(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Word(name) => *self = Self::named(name).ok_or_else(known_digests)?,
            _ => return Err(known_digests()),
        }
        Ok(())
    }
}

fn known_digests() -> String {
    let known: Vec<&str> = Digest::all().map(Digest::name).collect();
    format!("one of {}", known.join(", "))
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(out),
            Self::Switch(on) => on.fmt(out),
            Self::Word(word) => out.write_str(word),
        }
    }
}
