//! The parameters of faults: their units, and their defaults.

/// The unit of a parameter. Toxiproxy has numbers without units only; a text names the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of bytes: `100B`.
    Bytes,
    /// A rate in 1000 bytes per second: `10KB/s`.
    KilobytesPerSecond,
    /// A time in milliseconds: `50ms` or `2s`.
    Milliseconds,
    /// A time in microseconds: `10us`, `50ms` or `2s`.
    Microseconds,
    /// A plain number: `3`.
    Count,
    /// A number of clients or connections, at most [`CLIENTS_MAX`]: `20`.
    Clients,
    /// A number of silent connections, at most [`CONNECTIONS_MAX`]: `10000`.
    Connections,
    /// A number of requests, at most [`REQUESTS_MAX`]: `1000`.
    Requests,
    /// A part of a hundred: `10%`.
    Percent,
    /// The name of a command in any case: `GET`.
    Command,
    /// A key, in which `*` matches anything: `user:*`.
    Glob,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// Most clients of one fault: the suite must not overload a proxy.
pub const CLIENTS_MAX: i64 = 500;
/// Most connections of one fault that carry no request.
pub const CONNECTIONS_MAX: i64 = 10_000;
/// Most requests of one client.
pub const REQUESTS_MAX: i64 = 100_000;

/// The value of a parameter that is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// A number.
    Number(i64),
    /// A text; an empty one means any command or key.
    Text(&'static str),
}

/// One parameter of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name; that of Toxiproxy's attribute if it has the toxic.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Whether a text must give it. Toxiproxy's API requires none.
    pub required: bool,
    /// Its value if it is not given.
    pub default: Default,
}

impl Parameter {
    /// One that a text has to give, and that is 0 or the first choice where a JSON does not.
    pub(in crate::fault) const fn required(name: &'static str, unit: Unit) -> Self {
        Self {
            required: true,
            ..Self::optional(name, unit)
        }
    }

    /// A parameter whose default is 0, any, or the first choice.
    pub(in crate::fault) const fn optional(name: &'static str, unit: Unit) -> Self {
        let default = match unit {
            Unit::Command | Unit::Glob => Default::Text(""),
            Unit::Choice(words) => Default::Text(words[0]),
            _ => Default::Number(0),
        };
        Self {
            name,
            unit,
            required: false,
            default,
        }
    }

    /// The same with another default number.
    pub(in crate::fault) const fn or(self, number: i64) -> Self {
        Self {
            default: Default::Number(number),
            ..self
        }
    }
}
