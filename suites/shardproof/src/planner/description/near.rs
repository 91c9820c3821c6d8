//! The name that was probably meant by a misspelt one.

/// The one of `known` that is nearest to `given`, if any is near.
pub(super) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    let given = plain(given);
    let allowed = given.chars().count() / 3;
    let measured = known
        .into_iter()
        .map(|name| (distance(&given, &plain(name)), name));
    let near = measured.filter(|(distance, _)| *distance <= allowed);
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The least number of characters to insert, delete or replace.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, left) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, right) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn misspelt_names_have_a_nearest_one() {
        let known = ["distribution", "hash", "hash_tag", "listen"];
        for (given, expected) in [
            ("distributon", Some("distribution")),
            ("hashtag", Some("hash_tag")),
            ("HASH", Some("hash")),
            ("hunter2", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
    }
}
