//! Where the keys of live nodes are, and the result of a migration, as text.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::fleet::{Check, Level, Migration, MoveOutcome, NodeKeys, Probed};

/// Keys of each kind that are listed.
const LISTED: usize = 20;

/// A check.
#[must_use]
pub fn check(check: &Check) -> String {
    let placed = check.matrix.len();
    let nodes_word = if placed == 1 { "node" } else { "nodes" };
    let mut text = format!(
        "{}, {placed} {nodes_word}, {} keys\n\n",
        check.policy, check.keys
    );
    let mut line = |words: &str| {
        let _ = writeln!(text, "{}", format!("  {words}").trim_end());
    };
    databases(check, &mut line);
    nodes(check).to_string().lines().for_each(&mut line);
    line("");
    matrix(check).to_string().lines().for_each(&mut line);
    line("");
    let fates = [
        ("kept", check.kept, "on the node that the proxy asks"),
        (
            "unreachable",
            check.unreachable,
            "only on a node that the proxy does not ask",
        ),
        (
            "duplicated",
            check.duplicated,
            "kept, with a copy on another node",
        ),
        (
            "stale",
            check.stale,
            "with a copy of another value, which comes back when the cluster changes back",
        ),
        (
            "conflict",
            check.conflicts,
            "unreachable, on several nodes with different values",
        ),
    ];
    for (name, count, what) in fates {
        line(&format!("{name:<12} {}  {what}", part(count, check.keys)));
    }
    if check.routed_elsewhere > 0 {
        line("");
        line(&elsewhere(check));
    }
    conflicts(check, &mut line);
    large(check, &mut line);
    findings(check, &mut line);
    line("");
    proxy(check.proxy.as_ref(), &mut line);
    text
}

fn conflicts(check: &Check, line: &mut impl FnMut(&str)) {
    for conflict in check.conflict_keys.iter().take(LISTED) {
        line(&format!(
            "  conflict: {} is on {}",
            conflict.key,
            conflict.nodes.join(" and ")
        ));
    }
}

fn large(check: &Check, line: &mut impl FnMut(&str)) {
    if check.large == 0 {
        return;
    }
    line("");
    line(&format!(
        "{} keys on wrong nodes are too large to move without stalling their nodes (--max-key-bytes, --allow-large):",
        check.large
    ));
    for key in check.large_keys.iter().take(LISTED) {
        let size = match key.bytes {
            Some(bytes) => format!("{bytes} bytes"),
            None => "unknown size: MEMORY USAGE was refused".to_owned(),
        };
        line(&format!("  {} on {}: {size}", key.key, key.node));
    }
}

/// Settings and features that the nodes lack to serve moved keys as before.
fn findings(check: &Check, line: &mut impl FnMut(&str)) {
    if !check.findings.is_empty() {
        line("");
    }
    for finding in &check.findings {
        let level = match finding.level {
            Level::Blocks => "BLOCKS",
            Level::Differs => "differs",
            Level::Unknown => "UNKNOWN",
        };
        line(&format!(
            "{level:<8} {:<10} {}: {}",
            finding.point.name(),
            finding.node,
            finding.what
        ));
    }
}

/// Whether the proxy was seen to place keys as the description says.
fn proxy(probed: Option<&Probed>, line: &mut impl FnMut(&str)) {
    let Some(probed) = probed else {
        line("not verified: no proxy was asked (--proxy)");
        return;
    };
    let asked = probed.differ + probed.agree;
    if probed.differ > 0 {
        line(&format!(
            "THE PROXY DISAGREES with the description on {} of {asked} keys:",
            probed.differ
        ));
        for example in &probed.examples {
            line(&format!("  {example}"));
        }
    } else if let Some(doubt) = probed.doubt() {
        line(&format!(
            "NOT VERIFIED: the proxy was asked for {asked} keys; {doubt}"
        ));
    } else {
        line(&format!(
            "verified: the answers of the proxy for {asked} keys match the placement"
        ));
    }
}

/// The inspected databases, if not only the first, and the keys in others.
fn databases(check: &Check, line: &mut impl FnMut(&str)) {
    if check.databases != [0] {
        let numbers: Vec<String> = check.databases.iter().map(ToString::to_string).collect();
        line(&format!("databases: {}", numbers.join(", ")));
    }
    for other in &check.elsewhere {
        line(&format!(
            "NOT LOOKED AT: {} keys in database {} of {}; use --db {} or --db all",
            other.keys, other.database, other.node, other.database
        ));
    }
    if check.databases != [0] || !check.elsewhere.is_empty() {
        line("");
    }
}

/// Keys that the proxy asks for on another cluster.
fn elsewhere(check: &Check) -> String {
    let keys = check.routed_elsewhere;
    let fate = if check.shares_nodes {
        "that cluster shares nodes with this one, so they may be in reach; check it by --cluster-name"
    } else {
        "OUT OF REACH on these nodes"
    };
    format!(
        "routed elsewhere: {keys} keys are left out, because the routes of the proxy send them to another cluster or to none: {fate}"
    )
}

/// A migration, or a dry run.
#[must_use]
pub fn migration(migration: &Migration) -> String {
    let mut text = check(&migration.check);
    text.push('\n');
    match &migration.carried {
        Some(carried) => text.push_str(&done(carried, migration.took_ms)),
        None => text.push_str(&dry(&migration.check)),
    }
    text
}

fn dry(check: &Check) -> String {
    if check.misplaced() == 0 {
        return "  nothing is to be moved\n".to_owned();
    }
    let mut text = format!(
        "  nothing was moved. With --apply {} keys move, and the copies of {} keys are removed",
        check.movable, check.duplicated
    );
    if check.conflicts > 0 {
        let _ = write!(
            text,
            ",\n  {} keys with conflicts stay where they are, unless --conflict keep-node ADDR is given",
            check.conflicts
        );
    }
    if check
        .findings
        .iter()
        .any(|finding| finding.level == Level::Blocks)
    {
        text.push_str(
            ",\n  but --apply is refused while a finding BLOCKS, unless --ignore POINT is given",
        );
    }
    if check.stale > 0 {
        let _ = write!(
            text,
            ",\n  {} of which the right node has with another value: its value stays,\n  also where it is the older one, unless --spare-stale is given",
            check.stale
        );
    }
    text.push('\n');
    text
}

fn done(carried: &MoveOutcome, took_ms: u64) -> String {
    let seconds = took_ms as f64 / 1000.0;
    let mut text = format!(
        "  moved        {:>8}  {} bytes in {seconds:.1} s, {:.0} keys per second\n",
        carried.moved,
        carried.bytes,
        carried.moved as f64 / seconds.max(0.001),
    );
    let rest = [
        (
            "conflict",
            carried.conflicts,
            "copies left: several wrong nodes have the key with different values",
        ),
        (
            "large",
            carried.large,
            "copies left: too large, see --max-key-bytes",
        ),
        (
            "superseded",
            carried.superseded,
            "copies removed: the right node has its own value",
        ),
        (
            "spared",
            carried.spared,
            "copies left: the right node has another value",
        ),
        (
            "gone",
            carried.gone,
            "expired or were deleted before it was their turn",
        ),
        (
            "contested",
            carried.contested,
            "written on the node that they are leaving: both copies stay",
        ),
        (
            "refused",
            carried.refused,
            "their right node refuses them: they stay on their node",
        ),
    ];
    for (name, count, what) in rest {
        if count > 0 {
            let _ = writeln!(text, "  {name:<12} {count:>8}  {what}");
        }
    }
    for example in &carried.examples {
        let _ = writeln!(text, "    {example}");
    }
    match carried.deletes {
        None => text.push_str(
            "  the nodes do not report whether clients deleted keys during the migration\n",
        ),
        Some(0) => {}
        Some(deletes) => {
            let _ = writeln!(
                text,
                "  clients sent {deletes} deletes during the migration: a key that was deleted before it was moved exists again with its old value"
            );
        }
    }
    text
}

fn nodes(check: &Check) -> Table {
    let head = ["", "node", "keys on it", "kept", "unreachable", "copies"];
    table(
        head.map(str::to_owned).to_vec(),
        (1..).zip(&check.nodes).map(|(number, node)| {
            let counts = [node.lie, node.kept, node.unreachable, node.duplicated];
            [format!("#{number}"), name(node)]
                .into_iter()
                .chain(counts.iter().map(ToString::to_string))
                .collect()
        }),
        2,
    )
}

/// Nodes by number, because many addresses side by side are wider than a terminal.
fn matrix(check: &Check) -> Table {
    let on = (1..=check.nodes.len()).map(|number| format!("on #{number}"));
    let head = ["placed on".to_owned()].into_iter().chain(on);
    table(
        head.collect(),
        (1..).zip(&check.matrix).map(|(number, row)| {
            [format!("#{number}")]
                .into_iter()
                .chain(row.iter().map(ToString::to_string))
                .collect()
        }),
        1,
    )
}

/// The first `left` columns are names, the others numbers.
fn table(head: Vec<String>, rows: impl Iterator<Item = Vec<String>>, left: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn name(node: &NodeKeys) -> String {
    if node.leaving {
        format!("{} (left)", node.addr)
    } else {
        node.addr.clone()
    }
}

fn part(count: u64, whole: u64) -> String {
    format!(
        "{count:>8} {:>6.1} %",
        100.0 * count as f64 / whole.max(1) as f64
    )
}
