//! Locality of keys: runs of sequential keys on one node, and groups with one tag.

/// The longest run of equal places: its start and its length. The first of several.
#[must_use]
pub fn longest_run(places: &[usize]) -> (usize, usize) {
    let (mut begin, mut longest) = (0, (0, 0));
    for (index, place) in places.iter().enumerate() {
        if *place != places[begin] {
            begin = index;
        }
        let length = index + 1 - begin;
        if length > longest.1 {
            longest = (begin, length);
        }
    }
    longest
}

/// Mean share of each group that is on the group's fullest node: 1 if each group is on one node. `None` without a
/// group.
#[must_use]
pub fn concentration(groups: &[Vec<usize>]) -> Option<f64> {
    let fullest = |group: &Vec<usize>| {
        let most = group
            .iter()
            .map(|place| group.iter().filter(|other| *other == place).count())
            .max()?;
        Some(most as f64 / group.len() as f64)
    };
    let shares: Vec<f64> = groups.iter().filter_map(fullest).collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::{concentration, longest_run};

    #[test]
    fn the_first_of_the_longest_runs() {
        assert_eq!(longest_run(&[]), (0, 0));
        assert_eq!(longest_run(&[1, 1, 2, 2, 2, 1, 2, 2, 2]), (2, 3));
    }

    #[test]
    fn groups_on_one_node() {
        assert_eq!(concentration(&[]), None);
        let groups = [vec![1, 1, 1, 1], vec![0, 0, 1, 2]];
        assert_eq!(concentration(&groups), Some(0.75));
    }
}
