//! Flows: keys that move between nodes, as ribbons whose width is their number.

use askama::Template;

use super::{Picture, cut};

/// Keys that go from a node on the left to a node on the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ribbon {
    /// Place on the left.
    pub(crate) from: usize,
    /// Place on the right.
    pub(crate) to: usize,
    /// Number of keys.
    pub(crate) keys: u64,
    /// The class: `stay`, `move` or `unforced`.
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
/// Letters that fit next to the ribbons.
const NAME: usize = 21;

/// The picture: nodes before on the left, nodes after on the right.
#[must_use]
pub(crate) fn flow(before: &[String], after: &[String], ribbons: &[Ribbon]) -> Picture {
    let nodes = before.len().max(after.len()).max(1) as f64;
    let keys: u64 = ribbons.iter().map(|ribbon| ribbon.keys).sum();
    let scale = nodes * NODE / keys.max(1) as f64;
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
    let path = |ribbon: &Ribbon| {
        let thick = ribbon.keys as f64 * scale;
        let (from, to) = (&mut leave[ribbon.from], &mut arrive[ribbon.to]);
        let path = Path {
            class: ribbon.class,
            outline: outline(*from, *to, thick),
            from: &before[ribbon.from],
            to: &after[ribbon.to],
            keys: ribbon.keys,
        };
        *from += thick;
        *to += thick;
        path
    };
    let paths = ribbons.iter().map(path).collect();
    let (from, to) = EDGES;
    let left = left.boxes(before, (from - BOX, from - BOX - 6.0, "name"));
    let right = right.boxes(after, (to, to + BOX + 6.0, "name-right"));
    Picture::new(&Drawing {
        height: TOP + nodes * (NODE + GAP) + 4.0,
        paths,
        nodes: left.chain(right).collect(),
    })
}

#[derive(Template)]
#[template(path = "flow.svg")]
struct Drawing<'a> {
    height: f64,
    paths: Vec<Path<'a>>,
    nodes: Vec<NodeBox>,
}

struct Path<'a> {
    class: &'static str,
    outline: String,
    from: &'a str,
    to: &'a str,
    keys: u64,
}

struct NodeBox {
    x: f64,
    top: f64,
    height: f64,
    class: &'static str,
    name_x: f64,
    middle: f64,
    name: String,
}

/// The outline of a ribbon from its upper left corner, as the commands of a path.
fn outline(from: f64, to: f64, thick: f64) -> String {
    let ((left, right), middle) = (EDGES, (EDGES.0 + EDGES.1) / 2.0);
    format!(
        "M{left} {from:.1} C{middle} {from:.1} {middle} {to:.1} {right} {to:.1} \
         V{:.1} C{middle} {:.1} {middle} {:.1} {left} {:.1} Z",
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

    /// Boxes with names: the left edge of the boxes, the place of their names, and the class of these.
    fn boxes(
        &self,
        names: &[String],
        (x, name_x, class): (f64, f64, &'static str),
    ) -> impl Iterator<Item = NodeBox> {
        let nodes = self.tops.iter().zip(&self.heights).zip(names);
        nodes.map(move |((top, height), name)| NodeBox {
            x,
            top: *top,
            height: height.max(1.0),
            class,
            name_x,
            middle: top + height / 2.0 + 4.0,
            name: cut(name, NAME),
        })
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
        let svg = svg.to_string();
        assert_eq!(svg.matches("<path").count(), 2);
        assert!(svg.contains("<title>c → a&#60;b: 3 keys</title>"));
        assert!(svg.contains("class=\"flow-move\""));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert!(!flow(&[], &[], &[]).to_string().contains("NaN"));
    }
}
