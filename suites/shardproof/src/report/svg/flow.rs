//! Flows: keys that go from node to node, as ribbons whose width is their number.

use std::fmt::Write;

use super::{cut, escaped};

/// Keys that go from a node on the left to a node on the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ribbon {
    /// Place on the left.
    pub(crate) from: usize,
    /// Place on the right.
    pub(crate) to: usize,
    /// How many.
    pub(crate) keys: u64,
    /// What they do, as a class: `stay`, `move` or `unforced`.
    pub(crate) class: &'static str,
}

/// Left edge of the ribbons, and right edge.
const EDGES: (f64, f64) = (170.0, 530.0);
const WIDTH: usize = 700;
/// A node's box.
const BOX: f64 = 10.0;
const GAP: f64 = 10.0;
/// Height of all keys, for each node.
const NODE: f64 = 44.0;
const TOP: f64 = 26.0;
/// Letters that fit beside the ribbons.
const NAME: usize = 21;

/// The picture, as an `svg` element: nodes before on the left, nodes after on the right.
#[must_use]
pub(crate) fn flow(before: &[String], after: &[String], ribbons: &[Ribbon]) -> String {
    let nodes = before.len().max(after.len()).max(1) as f64;
    let keys: u64 = ribbons.iter().map(|ribbon| ribbon.keys).sum();
    let scale = nodes * NODE / keys.max(1) as f64;
    let height = TOP + nodes * (NODE + GAP) + 4.0;
    let mut svg = format!(
        "<svg class=\"flow\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" role=\"img\" aria-label=\"keys that move from node to node\">\
         <text class=\"name\" x=\"{}\" y=\"14\">before</text><text x=\"{}\" y=\"14\">after</text>",
        EDGES.0, EDGES.1
    );
    let left = Column::new(
        before.len(),
        scale,
        ribbons.iter().map(|ribbon| (ribbon.from, ribbon.keys)),
    );
    let right = Column::new(
        after.len(),
        scale,
        ribbons.iter().map(|ribbon| (ribbon.to, ribbon.keys)),
    );
    let (mut leave, mut arrive) = (left.tops.clone(), right.tops.clone());
    for ribbon in ribbons {
        let thick = ribbon.keys as f64 * scale;
        let (from, to) = (&mut leave[ribbon.from], &mut arrive[ribbon.to]);
        svg.push_str(&path(ribbon, *from, *to, thick));
        let _ = write!(
            svg,
            "<title>{} → {}: {} keys</title></path>",
            escaped(&before[ribbon.from]),
            escaped(&after[ribbon.to]),
            ribbon.keys
        );
        *from += thick;
        *to += thick;
    }
    let (from, to) = EDGES;
    left.draw(&mut svg, before, (from - BOX, from - BOX - 6.0, "name"));
    right.draw(&mut svg, after, (to, to + BOX + 6.0, "name-right"));
    svg + "</svg>"
}

/// The start of a ribbon's element.
fn path(ribbon: &Ribbon, from: f64, to: f64, thick: f64) -> String {
    let ((left, right), middle) = (EDGES, (EDGES.0 + EDGES.1) / 2.0);
    format!(
        "<path class=\"flow-{}\" d=\"M{left} {from:.1} C{middle} {from:.1} {middle} {to:.1} {right} {to:.1} \
         V{:.1} C{middle} {:.1} {middle} {:.1} {left} {:.1} Z\">",
        ribbon.class,
        to + thick,
        to + thick,
        from + thick,
        from + thick,
    )
}

/// The nodes of one side, from top to bottom.
struct Column {
    tops: Vec<f64>,
    heights: Vec<f64>,
}

impl Column {
    fn new(nodes: usize, scale: f64, keys: impl Iterator<Item = (usize, u64)>) -> Self {
        let mut heights = vec![0.0; nodes];
        for (node, keys) in keys {
            heights[node] += keys as f64 * scale;
        }
        let mut next = TOP;
        let tops = heights.iter().map(|height| {
            let top = next;
            next += height + GAP;
            top
        });
        Self {
            tops: tops.collect(),
            heights,
        }
    }

    /// Boxes and names; `place` is the left edge of the boxes, where names stand, and their class.
    fn draw(&self, svg: &mut String, names: &[String], (x, name_x, class): (f64, f64, &str)) {
        for ((top, height), name) in self.tops.iter().zip(&self.heights).zip(names) {
            let _ = write!(
                svg,
                "<rect class=\"node\" x=\"{x}\" y=\"{top:.1}\" width=\"{BOX}\" height=\"{:.1}\"/>\
                 <text class=\"{class}\" x=\"{name_x}\" y=\"{:.1}\">{}</text>",
                height.max(1.0),
                top + height / 2.0 + 4.0,
                escaped(&cut(name, NAME))
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ribbon, flow};

    #[test]
    fn each_ribbon_is_drawn_and_named() {
        let ribbon = |from, to, keys, class| Ribbon {
            from,
            to,
            keys,
            class,
        };
        let names = ["a<b".to_owned(), "c".to_owned()];
        let svg = flow(
            &names,
            &names,
            &[ribbon(0, 0, 5, "stay"), ribbon(1, 0, 3, "move")],
        );
        assert_eq!(svg.matches("<path").count(), 2);
        assert!(svg.contains("<title>c → a&lt;b: 3 keys</title>"));
        assert!(svg.contains("class=\"flow-move\""));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert!(!flow(&[], &[], &[]).contains("NaN"));
    }
}
