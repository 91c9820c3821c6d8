//! A scenario as the text of a file that [`Scenario::parse`] reads back.

use super::{CoverText, FaultRowText, File, LoadText, Pace, RescaleText, Scenario};
use crate::scenario::text::{ConditionName, FaultText, LawName, Time, WorkloadName};

impl Scenario {
    /// The text of a file with this scenario. `notes` are comments below its head, one line each; they change no run.
    ///
    /// # Errors
    /// Never for a scenario that was read or made from one.
    pub fn text(&self, notes: &[String]) -> Result<String, toml::ser::Error> {
        let mut text = comment(&self.shows);
        if let Some(link) = &self.source {
            text += &comment(link);
        }
        if !notes.is_empty() {
            text.push('\n');
        }
        for note in notes {
            text += &comment(note);
        }
        Ok(format!(
            "{text}\n{}",
            toml::to_string_pretty(&File::of(self))?
        ))
    }
}

fn comment(text: &str) -> String {
    format!("# {}\n", text.replace(char::is_control, " "))
}

impl File {
    fn of(scenario: &Scenario) -> Self {
        let loads = scenario.loads.iter();
        Self {
            nodes: scenario.nodes,
            proxies: scenario.proxies.clone(),
            duration: Time(scenario.duration),
            // Always: the file may get any name.
            seeded_as: Some(scenario.seeded_as.clone()),
            needs: scenario.needs.clone(),
            ejects: scenario.ejects,
            laws: scenario.laws.iter().copied().map(LawName).collect(),
            loads: loads.map(|load| LoadText::of(load, scenario)).collect(),
            faults: scenario.faults.iter().map(FaultRowText::of).collect(),
            rescales: scenario.rescales.iter().map(RescaleText::of).collect(),
            covers: scenario.covers.iter().map(CoverText::of).collect(),
        }
    }
}

impl LoadText {
    fn of(load: &super::Load, scenario: &Scenario) -> Self {
        Self {
            kind: WorkloadName(load.workload),
            clients: load.clients,
            keys: load.keys,
            pipeline: load.pipeline,
            rate: match load.pace {
                Pace::Closed => None,
                Pace::Rate(rate) => Some(rate),
            },
            apart: load.apart,
            lasts: (load.lasts != scenario.duration).then_some(Time(load.lasts)),
        }
    }
}

impl FaultRowText {
    fn of(row: &super::FaultRow) -> Self {
        Self {
            kind: FaultText(row.fault.clone()),
            on: row.on,
            at: row.at,
            lasts: row.lasts,
            every: row.every,
        }
    }
}

impl RescaleText {
    fn of(row: &super::RescaleRow) -> Self {
        Self {
            at: row.at,
            nodes: row.nodes,
        }
    }
}

impl CoverText {
    fn of(cover: &super::Cover) -> Self {
        Self {
            condition: ConditionName(cover.condition),
            at_least: cover.at_least,
        }
    }
}
