//! The picture of a conformance run: one square per case, one column per proxy, one band per group of cases.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::measured::{targets, titled, word};

const NAMES: usize = 130;
const COLUMN: usize = 240;
const TOP: usize = 74;
/// From one square to the next.
const STEP: usize = 12;
const SIDE: usize = 10;
/// Squares next to each other.
const WIDE: usize = 18;
const GAP: usize = 10;

/// Kinds of squares with their colour, in the order of the legend.
const KINDS: &[(&str, &str)] = &[
    ("pass", "#4a9e6b"),
    ("wrong", "#c4261d"),
    ("hung", "#8d4bb0"),
    ("partial", "#d9761a"),
    ("closed", "#dfae2b"),
    ("refused", "#6f93c4"),
    ("misrouted", "#8a7a5c"),
    ("not claimed", "#e2e3e5"),
];

/// The picture, as an SVG file.
pub(super) fn squares(run: &Value) -> String {
    let columns: Vec<&Value> = targets(run).collect();
    let bands = bands(&columns);
    let cases: usize = bands.values().map(|band| band[0].len()).sum();
    let lines = |band: &Vec<Vec<&str>>| band[0].len().div_ceil(WIDE);
    let height = TOP
        + bands
            .values()
            .map(|band| lines(band) * STEP + GAP)
            .sum::<usize>()
        + 36;
    let width = NAMES + COLUMN * columns.len();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\
         <style>text{{font:12px system-ui,sans-serif;fill:#1c1d1f}}.b{{font-weight:600}}.d{{fill:#63676d}}.e{{text-anchor:end}}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    let end = NAMES - 12;
    let _ = writeln!(
        svg,
        "<text class=\"e b\" x=\"{end}\" y=\"26\">{cases} cases</text>"
    );
    for (place, target) in columns.iter().enumerate() {
        let x = NAMES + place * COLUMN;
        let (kept, wrong) = (&target["summary"]["kept"], &target["summary"]["wrong"]);
        let _ = writeln!(
            svg,
            "<text class=\"b\" x=\"{x}\" y=\"26\">{}</text>\
             <text class=\"d\" x=\"{x}\" y=\"46\">{kept} passed, {wrong} silently wrong</text>",
            titled(target)
        );
    }
    let mut y = TOP;
    for (group, band) in &bands {
        let _ = writeln!(
            svg,
            "<text class=\"e\" x=\"{end}\" y=\"{}\">{group}</text>",
            y + SIDE
        );
        for (place, kinds) in band.iter().enumerate() {
            column(&mut svg, NAMES + place * COLUMN, y, kinds);
        }
        y += lines(band) * STEP + GAP;
    }
    legend(&mut svg, y + 8);
    svg + "</svg>\n"
}

/// For each group of cases and each target, the kinds of its squares in the order of the cases.
fn bands<'a>(columns: &[&'a Value]) -> BTreeMap<&'a str, Vec<Vec<&'static str>>> {
    let mut bands: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    for (place, target) in columns.iter().enumerate() {
        for result in target["results"].as_array().expect("results") {
            let (group, _) = word(&result["case"]).split_once('/').expect("a group");
            let band = bands
                .entry(group)
                .or_insert_with(|| vec![Vec::new(); columns.len()]);
            band[place].push(kind(result));
        }
    }
    bands
}

fn kind(result: &Value) -> &'static str {
    let name = match word(&result["verdict"]) {
        "pass" => "pass",
        "skip" => "not claimed",
        "fail" => word(&result["class"]),
        verdict => panic!("{}: {verdict} is no result to show", result["case"]),
    };
    let known = KINDS.iter().find(|(kind, _)| *kind == name);
    known.unwrap_or_else(|| panic!("no colour for {name}")).0
}

/// One path per colour.
fn column(svg: &mut String, left: usize, top: usize, kinds: &[&str]) {
    for (kind, colour) in KINDS {
        let places = kinds.iter().enumerate().filter(|(_, found)| *found == kind);
        let path: Vec<String> = places
            .map(|(place, _)| {
                let (x, y) = (left + place % WIDE * STEP, top + place / WIDE * STEP);
                format!("M{x} {y}h{SIDE}v{SIDE}h-{SIDE}z")
            })
            .collect();
        if !path.is_empty() {
            let _ = writeln!(svg, "<path fill=\"{colour}\" d=\"{}\"/>", path.concat());
        }
    }
}

fn legend(svg: &mut String, y: usize) {
    let mut x = NAMES;
    for (kind, colour) in KINDS {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\">{kind}</text>",
            x + SIDE + 5,
            y + SIDE
        );
        x += 34 + kind.len() * 7;
    }
}
