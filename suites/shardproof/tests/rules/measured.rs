//! Parts of the documents that come from runs over real proxies: the reports that `make picture` leaves in a folder.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::documents::read;
use super::generated::cases;
use super::squares::squares;

/// Where the pictures are.
const SQUARES: &str = "docs/pictures/conformance.svg";
const FLOW: &str = "docs/pictures/plan.svg";

/// Style of a picture of the HTML report outside of its page.
const STYLE: &str = "<style>svg{background:#fff;font:12px monospace}.name{text-anchor:end}.node{fill:#1c1d1f}\
    .flow-stay{fill:#63676d;fill-opacity:.25}.flow-move{fill:#c2702a;fill-opacity:.6}.flow-unforced{fill:#b3261e;fill-opacity:.8}</style>";

/// Results of real proxies.
pub(super) struct Reports {
    run: Value,
    matrix: Value,
    rescale: Value,
    /// The page of a plan.
    plan: String,
    /// Outputs of commands against a proxy that already runs, by name.
    outputs: BTreeMap<&'static str, String>,
}

/// Parts that are the output of a command.
const OUTPUTS: [&str; 3] = ["proxy", "migrate", "fingerprint"];

impl Reports {
    /// Reads the reports of a folder.
    pub(super) fn read(folder: &Path) -> Self {
        let text = |name: &str| fs::read_to_string(folder.join(name)).expect(name);
        let json = |name: &str| serde_json::from_str(&text(name)).expect(name);
        Self {
            run: json("run.json"),
            matrix: json("matrix.json"),
            rescale: json("rescale.json"),
            plan: text("plan.html"),
            outputs: OUTPUTS
                .into_iter()
                .map(|name| (name, text(&format!("{name}.txt"))))
                .collect(),
        }
    }

    /// Pictures, with their paths.
    pub(super) fn pictures(&self) -> [(&'static str, String); 2] {
        let (_, flow) = self.plan.split_once("<svg class=\"flow\"").expect("a flow");
        let (flow, _) = flow.split_once("</svg>").expect("the end of a flow");
        let (open, drawn) = flow.split_once('>').expect("an element");
        let flow =
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\"{open}>{STYLE}{drawn}</svg>\n");
        [(SQUARES, squares(&self.run)), (FLOW, flow)]
    }

    /// The part of this name.
    pub(super) fn part(&self, name: &str) -> String {
        match name {
            "results" => self.results(),
            "classes" => self.classes(),
            "matrix" => self.matrix(),
            "rescale" => self.rescale(),
            name => {
                let output = self.outputs.get(name);
                let output = output.unwrap_or_else(|| panic!("no part is called {name}"));
                format!("```\n{}\n```\n", output.trim_end())
            }
        }
    }

    fn results(&self) -> String {
        let head = [
            "proxy",
            "cases passed",
            "known deviations",
            "not claimed",
            "silently wrong",
            "commands wrong in the matrix",
        ];
        let rows = targets(&self.run).map(|target| {
            let count = |field: &str| target["summary"][field].to_string();
            let name = word(&target["target"]);
            let commands = self.matrix["summary"][name]["wrong"].to_string();
            vec![
                titled(target),
                count("kept"),
                count("known"),
                count("skipped"),
                count("wrong"),
                commands,
            ]
        });
        table(&head, rows)
    }

    /// How the cases fail, by outcome class.
    fn classes(&self) -> String {
        let head = [
            "proxy",
            "wrong",
            "misrouted",
            "hung",
            "partial",
            "closed",
            "refused",
        ];
        let rows = targets(&self.run).map(|target| {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for result in target["results"].as_array().into_iter().flatten() {
                if result["verdict"] == "fail" {
                    *counts.entry(word(&result["class"])).or_default() += 1;
                }
            }
            let count = |class: &str| counts.get(class).copied().unwrap_or(0).to_string();
            [titled(target)]
                .into_iter()
                .chain(head[1..].iter().copied().map(count))
                .collect()
        });
        table(&head, rows)
    }

    fn matrix(&self) -> String {
        let head = [
            "proxy", "correct", "refused", "closed", "partial", "hung", "wrong",
        ];
        let rows = targets(&self.matrix).map(|target| {
            let counts = &self.matrix["summary"][word(&target["target"])];
            let cells = head[1..].iter().map(|class| counts[class].to_string());
            [titled(target)].into_iter().chain(cells).collect()
        });
        table(&head, rows)
    }

    fn rescale(&self) -> String {
        let head = [
            "proxy",
            "policy",
            "nodes",
            "found",
            "unreachable",
            "lost",
            "stale on the way back",
        ];
        let reports = self.rescale["reports"].as_array().expect("reports");
        let rows = reports.iter().map(|report| {
            let count = |field: &str| report[field].to_string();
            vec![
                titled(report),
                word(&report["policy"]).to_owned(),
                format!("{} to {}", report["from"], report["to"]),
                count("found"),
                count("unreachable"),
                count("lost"),
                count("stale"),
            ]
        });
        table(&head, rows)
    }
}

#[test]
fn pictures_show_every_case_and_the_front_page_has_their_figures() {
    let picture = read(SQUARES);
    let cases = cases().len();
    assert!(
        picture.contains(&format!(">{cases} cases<")),
        "{SQUARES} is not of {cases} cases: run `make picture`"
    );
    let readme = read("README.md");
    for name in ["envoy", "refproxy", "twemproxy"] {
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| {name} ")));
        let cells: Vec<&str> = row.expect(name).split(" | ").collect();
        let (passed, wrong) = (cells[1], cells[4]);
        assert!(
            picture.contains(&format!(">{passed} passed, {wrong} silently wrong<")),
            "README.md and {SQUARES} differ about {name}: run `make picture`"
        );
    }
}

/// The targets of a report, in its order.
pub(super) fn targets(report: &Value) -> impl Iterator<Item = &Value> {
    report["targets"].as_array().expect("targets").iter()
}

/// Name and version.
pub(super) fn titled(target: &Value) -> String {
    format!("{} {}", word(&target["target"]), word(&target["version"]))
}

pub(super) fn word(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = format!(
        "| {} |\n|---|{}\n",
        head.join(" | "),
        "---:|".repeat(head.len() - 1)
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}
