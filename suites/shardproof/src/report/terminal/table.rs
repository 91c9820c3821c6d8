//! A table of figures as text: names on the left, counts on the right.

use comfy_table::{CellAlignment, Table, presets};

/// Rows below a head, without lines; all columns from `figures` on are aligned to the right.
pub(super) fn table(
    head: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    figures: usize,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.to_vec());
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(figures) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines = table.lines().map(|line| format!(" {}\n", line.trim_end()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn figures_are_aligned_to_the_right() {
        let rows = [["a proxy", "1"], ["b", "1000"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let expected = "  proxy    kept\n  a proxy     1\n  b        1000\n";
        assert_eq!(table(&["proxy", "kept"], rows, 1), expected);
    }
}
