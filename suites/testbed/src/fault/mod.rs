//! Faults: what can be done to a link or a node. Cases, rescale experiments and the Toxiproxy API share their names.
//!
//! A fault is one file of this folder, whose stem is its name, and one row of the table below. What all faults share is in
//! the folders. Never knows a case, a target or a report.

mod bandwidth;
mod down;
mod full;
mod hold;
mod injector;
mod kill;
mod latency;
mod limit_data;
mod noop;
mod partition;
mod pause;
mod readonly;
mod reset_peer;
mod row;
mod site;
mod slicer;
mod slow_close;
mod text;
mod timeout;
mod toxic;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use injector::{Error as InjectorError, FaultInjector, Foreign};
pub use row::{Effect, Object, Owned, Parameter, Row, Unit};
use site::Act;
pub use site::{Error, Site};
pub use text::{ParseError, usages};
pub use toxic::{BufferLimit, Decision, Head, Removal, Rule, Stream, Toxic, UnknownStream, View};

/// Makes the table out of its rows: the types with one variant for each row, and what differs between rows.
macro_rules! faults {
    (
        toxics { $(#[doc = $toxic_summary:literal] $toxic:ident: $Toxic:ident,)* }
        others { $(#[doc = $summary:literal] $name:ident: $Fault:ident,)* }
    ) => {
        $(pub use $toxic::$Toxic;)*
        $(pub use $name::$Fault;)*

        /// One toxic of a link: its type with its attributes, written as Toxiproxy does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "attributes", rename_all = "snake_case")]
        pub enum ToxicKind {
            $(
                #[doc = $toxic_summary]
                $Toxic($Toxic),
            )*
        }

        impl ToxicKind {
            /// What it does to the bytes.
            pub(crate) fn rule(&self) -> &dyn Rule {
                match self {
                    $(Self::$Toxic(rule) => rule,)*
                }
            }

            /// The name in files and reports.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Toxic(_) => stringify!($toxic),)*
                }
            }
        }

        /// A fault with the values of its parameters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault {
            /// A toxic of the link, on what the node answers.
            Toxic(ToxicKind),
            $(
                #[doc = $summary]
                $Fault($Fault),
            )*
        }

        /// All toxics, sorted by name.
        pub const TOXICS: &[Row] = &[
            $(Row::of::<$Toxic>(stringify!($toxic), $toxic_summary.trim_ascii()),)*
        ];

        /// All faults that are no toxics, sorted by name.
        const OTHERS: &[Row] = &[
            $(Row::of::<$Fault>(stringify!($name), $summary.trim_ascii()),)*
        ];

        impl Fault {
            /// Its row of the table.
            #[must_use]
            pub fn row(&self) -> &'static Row {
                match self {
                    $(Self::Toxic(ToxicKind::$Toxic(_)) => const {
                        &Row::of::<$Toxic>(stringify!($toxic), $toxic_summary.trim_ascii())
                    },)*
                    $(Self::$Fault(_) => const {
                        &Row::of::<$Fault>(stringify!($name), $summary.trim_ascii())
                    },)*
                }
            }

            /// Applies the fault.
            ///
            /// # Errors
            /// The cause. The fault may be partly applied, and must be healed.
            pub async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
                match self {
                    Self::Toxic(kind) => kind.apply(site).await,
                    $(Self::$Fault(fault) => fault.apply(site).await,)*
                }
            }

            /// Takes the fault back, and no other one.
            ///
            /// # Errors
            /// Why the fault could not be healed.
            pub async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
                match self {
                    Self::Toxic(kind) => kind.heal(site).await,
                    $(Self::$Fault(fault) => fault.heal(site).await,)*
                }
            }

            /// The fault of this name with these parameters.
            fn build(name: &str, attributes: Map<String, Value>) -> Option<Self> {
                let attributes = Value::Object(attributes);
                let read = match name {
                    $(stringify!($toxic) => {
                        let read = serde_json::from_value(attributes);
                        read.map(|toxic| Self::Toxic(ToxicKind::$Toxic(toxic)))
                    })*
                    $(stringify!($name) => serde_json::from_value(attributes).map(Self::$Fault),)*
                    _ => return None,
                };
                read.ok()
            }

            /// The values of all parameters, by name.
            fn attributes(&self) -> Map<String, Value> {
                let written = match self {
                    $(Self::Toxic(ToxicKind::$Toxic(toxic)) => serde_json::to_value(toxic),)*
                    $(Self::$Fault(fault) => serde_json::to_value(fault),)*
                };
                match written {
                    Ok(Value::Object(attributes)) => attributes,
                    _ => Map::new(),
                }
            }
        }
    };
}

faults! {
    toxics {
        /// Bytes flow at a limited rate.
        bandwidth: Bandwidth,
        /// Bytes wait until the fault is healed.
        hold: Hold,
        /// Bytes arrive later.
        latency: Latency,
        /// The connection closes after a number of bytes.
        limit_data: LimitData,
        /// Nothing happens.
        noop: Noop,
        /// The connection is reset as soon as bytes flow.
        reset_peer: ResetPeer,
        /// Bytes arrive in small pieces.
        slicer: Slicer,
        /// The end of the stream arrives later.
        slow_close: SlowClose,
        /// Bytes are dropped, and the connection closes.
        timeout: Timeout,
    }
    others {
        /// Connections to the node are reset, and new ones refused.
        down: Down,
        /// The node has no memory for another key.
        full: Full,
        /// The node crashes (SIGKILL), and starts again without its data.
        kill: Kill,
        /// The node loses its network; only a node in a container has one.
        partition: Partition,
        /// The node hangs (SIGSTOP).
        pause: Pause,
        /// The node refuses writes, as a replica does.
        readonly: Readonly,
    }
}

impl Fault {
    /// The whole table, sorted by name.
    #[must_use]
    pub fn rows() -> Vec<&'static Row> {
        let mut rows: Vec<&Row> = TOXICS.iter().chain(OTHERS).collect();
        rows.sort_by_key(|row| row.name);
        rows
    }

    /// The row of this name.
    #[must_use]
    pub fn row_of(name: &str) -> Option<&'static Row> {
        TOXICS.iter().chain(OTHERS).find(|row| row.name == name)
    }
}

impl Fault {
    /// The name in files and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.row().name
    }
}

impl From<ToxicKind> for Fault {
    fn from(kind: ToxicKind) -> Self {
        Self::Toxic(kind)
    }
}

#[cfg(test)]
mod tests;
