//! Several reports of one command. JSON has a single report as it is, and several as a list with a format of its own.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{FaultReport, Report};

/// One or more rescales: in JSON the only one as `shardproof.rescale/1`, several as `shardproof.rescales/1`, which lists them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescales {
    /// In the order of the command line.
    pub reports: Vec<Report>,
}

/// One or more rescales with a fault: in JSON the only one as `shardproof.fault/1`, several as `shardproof.faults/1`, which
/// lists them.
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    /// In the order of the command line.
    pub reports: Vec<FaultReport>,
}

impl Serialize for Rescales {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        one_or_list(&self.reports, "shardproof.rescales/1", out)
    }
}

impl Serialize for Faults {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        one_or_list(&self.reports, "shardproof.faults/1", out)
    }
}

/// The only report, or all of them in a list with a format of its own.
fn one_or_list<S: Serializer>(
    reports: &[impl Serialize],
    format: &'static str,
    out: S,
) -> Result<S::Ok, S::Error> {
    if let [only] = reports {
        return only.serialize(out);
    }
    let mut fields = out.serialize_struct("List", 2)?;
    fields.serialize_field("format", format)?;
    fields.serialize_field("reports", reports)?;
    fields.end()
}
