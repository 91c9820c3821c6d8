//! `multi-key`: requests on keys of several nodes, which a proxy has to split and join.

use super::{Generator, Plan, Workload, drawn};

pub(super) struct MultiKey;

/// Keys of one request.
const KEYS: usize = 4;

impl Workload for MultiKey {
    fn id(&self) -> &'static str {
        "multi-key"
    }

    fn summary(&self) -> &'static str {
        "MGET, MSET and DEL of keys on several nodes"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["split-del", "split-mget", "split-mset"]
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        drawn(plan, self.keys(plan), number, |draw, keys| {
            let keys = draw.several(keys, KEYS);
            let word = match draw.below(10) {
                0..5 => "MGET",
                5..9 => "MSET",
                _ => "DEL",
            };
            let mut words = vec![word.as_bytes().to_vec()];
            for key in keys {
                words.push(key.clone());
                if word == "MSET" {
                    words.push(draw.value());
                }
            }
            words
        })
    }
}
