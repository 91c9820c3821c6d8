//! Settings of policies by name, as files and command lines give them.

use std::fmt;

use crate::hash::{Digest, PredixyHash};
use crate::policy::Policy;

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
        /// The allowed values, in words.
        expected: String,
    },
}

/// The setting that hashes nodes by their host names.
const HASH_HOSTNAMES: &str = "hash_hostnames";

impl Policy {
    /// The settings of the policy by their names in files, with their values.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, Value)> {
        let mut policy = self.clone();
        let settings = policy.settings_mut().into_iter();
        settings
            .map(|(name, setting)| (name, setting.value()))
            .collect()
    }

    /// Changes a setting. A switch that is off has no effect on a policy without it.
    ///
    /// # Errors
    /// The policy has no such setting, or the setting no such value.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<(), SettingError> {
        let policy = self.name();
        let mut settings = self.settings_mut().into_iter();
        match settings.find(|(known, _)| *known == name) {
            Some((_, setting)) => setting.set(value).map_err(|expected| SettingError::Value {
                setting: name.to_owned(),
                value: value.clone(),
                expected,
            }),
            None if *value == Value::Switch(false) => Ok(()),
            None => Err(SettingError::Unsupported {
                policy,
                setting: name.to_owned(),
            }),
        }
    }

    /// Whether the policy can hash nodes by their host names.
    #[must_use]
    pub fn supports_hostnames(&self) -> bool {
        let settings = self.settings();
        settings.iter().any(|(name, _)| *name == HASH_HOSTNAMES)
    }

    /// The same policy, with nodes hashed by their host names or not. Unchanged if it does not support them.
    #[must_use]
    pub fn with_hostnames(mut self, on: bool) -> Self {
        // Refused if the policy does not support them.
        let _ = self.set(HASH_HOSTNAMES, &Value::Switch(on));
        self
    }

    /// Whether nodes without a hash key are hashed by their host names.
    #[must_use]
    pub fn hashes_hostnames(&self) -> bool {
        let on = (HASH_HOSTNAMES, Value::Switch(true));
        self.settings().contains(&on)
    }

    /// The settings by their names in files.
    fn settings_mut(&mut self) -> Settings<'_> {
        match self {
            Self::Maglev {
                table_size,
                hash_hostnames,
            } => vec![("table_size", table_size), (HASH_HOSTNAMES, hash_hostnames)],
            Self::RingHash {
                size_min,
                size_max,
                function,
                hash_hostnames,
            } => vec![
                ("minimum_ring_size", size_min),
                ("maximum_ring_size", size_max),
                ("hash_function", function),
                (HASH_HOSTNAMES, hash_hostnames),
            ],
            Self::Ketama { digest } | Self::Modula { digest } => vec![("hash", digest)],
            Self::Predixy { hash } => vec![("hash", hash)],
            Self::Random | Self::Slots | Self::Libketama | Self::Jump | Self::Rendezvous => {
                Vec::new()
            }
        }
    }
}

/// A field of a policy that is a setting.
pub(crate) trait Setting {
    fn value(&self) -> Value;
    /// Changes the setting, or returns the values that it may have.
    fn set(&mut self, value: &Value) -> Result<(), String>;
}

/// The settings of a policy, by their names in files.
pub(crate) type Settings<'a> = Vec<(&'static str, &'a mut dyn Setting)>;

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

impl Setting for PredixyHash {
    fn value(&self) -> Value {
        Value::Word(self.name().to_owned())
    }

    fn set(&mut self, value: &Value) -> Result<(), String> {
        let named = match value {
            Value::Word(name) => Self::named(name),
            _ => None,
        };
        *self = named.ok_or_else(|| {
            let known: Vec<&str> = Self::all().map(Self::name).collect();
            format!("one of {}", known.join(", "))
        })?;
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
