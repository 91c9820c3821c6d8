//! Conformance as a page: what was answered wrongly first, then cases x targets, then the evidence with both sides.

use std::fmt::Write;

use super::page;
use crate::report::summary::sentence;
use crate::report::svg::escaped;
use crate::report::svg::sequence::sequence;
use crate::report::terminal::spoken;
use crate::run::{Conformance, Judged};
use conformance::verdict::{Class, Evidence, Result as CaseResult, Standing, Verdict};

/// The page of a run.
#[must_use]
pub fn conformance(report: &Conformance) -> String {
    let mut body = format!(
        "<h1>shardproof: conformance</h1>\n<p class=\"dim\">{} cases, seed <code>{}</code></p>\n",
        cases(report).count(),
        escaped(&report.seed)
    );
    body.push_str(&cards(report));
    body.push_str(FILTERS);
    body.push_str(&matrix(report));
    body.push_str(&evidence(report));
    page("shardproof: conformance", &body)
}

const FILTERS: &str = "<div class=\"filters\"><input id=\"search\" type=\"search\" placeholder=\"case or promise\" aria-label=\"filter cases\">\
<button data-standing=\"broken\" aria-pressed=\"false\">FAIL</button>\
<button data-standing=\"known\" aria-pressed=\"false\">known deviation</button>\
<button data-standing=\"wrong\" aria-pressed=\"false\">answered wrongly</button>\
<button data-standing=\"skipped\" aria-pressed=\"false\">skipped</button>\
<span id=\"shown\" data-what=\"cases\" class=\"dim\"></span></div>\n";

/// Every target was judged by the same cases.
fn cases(report: &Conformance) -> impl Iterator<Item = (usize, &CaseResult)> {
    report
        .targets
        .iter()
        .take(1)
        .flat_map(|judged| judged.results.iter().enumerate())
}

fn cards(report: &Conformance) -> String {
    let mut html = String::from("<div class=\"cards\">\n");
    for judged in &report.targets {
        let sum = &judged.summary;
        let _ = writeln!(
            html,
            "<div class=\"card\"><h3>{} <span class=\"dim\">{}</span></h3>\
             <div class=\"number {}\">{}</div><p>answered wrongly, without an error</p>\
             <p class=\"dim\">{}</p></div>",
            escaped(&judged.target),
            escaped(&judged.version),
            if sum.wrong == 0 { "zero" } else { "some" },
            sum.wrong,
            escaped(&sentence(sum, &report.counted)),
        );
    }
    html + "</div>\n"
}

fn matrix(report: &Conformance) -> String {
    let mut html = String::from("<div class=\"wide\"><table>\n<thead><tr><th>case</th>");
    for judged in &report.targets {
        let _ = write!(html, "<th>{}</th>", escaped(&judged.target));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    let mut group = "";
    for (index, case) in cases(report) {
        let (folder, name) = case.case.split_once('/').unwrap_or(("", &case.case));
        if folder != group {
            group = folder;
            let columns = report.targets.len() + 1;
            let _ = writeln!(
                html,
                "<tr class=\"group\"><th colspan=\"{columns}\">{}</th></tr>",
                escaped(group)
            );
        }
        let results = || {
            report
                .targets
                .iter()
                .filter_map(|judged| Some((judged, judged.results.get(index)?)))
        };
        let standings: Vec<&str> = results()
            .flat_map(|(_, result)| standings(result))
            .collect();
        let _ = write!(
            html,
            "<tr data-case=\"{}\" data-standings=\"{}\"><td><span class=\"id\">{}</span><br><span class=\"dim\">{}</span></td>",
            escaped(&case.case),
            standings.join(" "),
            escaped(name),
            escaped(&case.promise)
        );
        for (judged, result) in results() {
            let _ = write!(html, "<td>{}</td>", cell(judged, result));
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody></table></div>\n"
}

fn cell(judged: &Judged, result: &CaseResult) -> String {
    let standing = word(result.standing());
    match &result.verdict {
        Verdict::Fail(evidence) => {
            let level = match result.standing() {
                Standing::Broken => format!("FAIL, {}: ", result.level.name()),
                _ => String::new(),
            };
            let class = if evidence.class == Class::Wrong {
                " wrong-class"
            } else {
                ""
            };
            format!(
                "<a class=\"{standing}{class}\" href=\"#{}\" title=\"{standing}\">{level}{}</a>",
                anchor(judged, result),
                evidence.word()
            )
        }
        Verdict::Skip { reason } => format!(
            "<span class=\"skipped\" title=\"{}\">skip</span>",
            escaped(reason)
        ),
        Verdict::Unknown { why } => format!(
            "<span class=\"unknown\" title=\"{}\">unknown</span>",
            escaped(why)
        ),
        Verdict::Pass => {
            let shown = match result.standing() {
                Standing::Kept => "✓",
                standing => standing.word(),
            };
            format!("<span class=\"{standing}\">{shown}</span>")
        }
    }
}

fn evidence(report: &Conformance) -> String {
    let mut html = String::from("<h2>Evidence</h2>\n");
    for judged in &report.targets {
        for result in &judged.results {
            if let Verdict::Fail(evidence) = &result.verdict {
                html.push_str(&broken(judged, result, evidence, &report.seed));
            }
        }
    }
    html
}

fn broken(judged: &Judged, result: &CaseResult, evidence: &Evidence, seed: &str) -> String {
    let known = result.deviation.as_ref().map_or(String::new(), |known| {
        let link = known.link.as_ref().map_or(String::new(), |link| {
            format!(", <a href=\"{0}\">{0}</a>", escaped(link))
        });
        format!(
            "<p class=\"known\">known: {} (seen with {}{link})</p>",
            escaped(&known.why),
            escaped(&known.seen)
        )
    });
    let said: Vec<String> = evidence.transcript.iter().map(spoken).collect();
    format!(
        "<details class=\"evidence\" id=\"{}\"><summary><b>{}</b> <span class=\"id\">{}</span> <span class=\"{}\">{}</span></summary><div>\
         <p>{} <a href=\"{}\">spec</a></p>{known}\
         <p><code>{}</code></p><p>expected <code>{}</code><br>got <code>{}</code></p>\
         <div class=\"picture\">{}</div><pre>{}</pre>\
         <p class=\"dim\">repeat: <code>{}</code></p></div></details>\n",
        anchor(judged, result),
        escaped(&judged.target),
        escaped(&result.case),
        word(result.standing()),
        evidence.word(),
        escaped(&result.promise),
        escaped(&result.spec),
        escaped(&evidence.at),
        escaped(&evidence.expected),
        escaped(&evidence.got),
        sequence(&evidence.transcript),
        escaped(&said.join("\n")),
        escaped(&judged.repeat(&result.case, seed)),
    )
}

/// The words that the filters of a row know.
fn standings(result: &CaseResult) -> Vec<&'static str> {
    [
        Some(word(result.standing())),
        result.is_wrong().then_some("wrong"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The name of its colour on the page.
fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Kept => "kept",
        Standing::Known => "known",
        Standing::Broken => "broken",
        Standing::Mended => "mended",
        Standing::Skipped => "skipped",
        Standing::Unknown => "unknown",
    }
}

fn anchor(judged: &Judged, result: &CaseResult) -> String {
    let plain = |text: &str| {
        text.replace(
            |letter: char| !letter.is_ascii_alphanumeric() && letter != '-',
            "-",
        )
    };
    format!("{}--{}", plain(&judged.target), plain(&result.case))
}
