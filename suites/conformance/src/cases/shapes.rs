//! Lists of shapes: the values that a template is tried with, one case each.
//!
//! Never chooses at random: a shape is the same in every run.

/// All lists, sorted by name.
pub const LISTS: &[List] = &[
    List {
        name: "bad-replies",
        summary: "the shapes of `lost-replies`, and `error_reply` with those of `error-replies`",
        values: Values::Words(&[
            "cut_reply-body-then-close",
            "cut_reply-body-then-silence",
            "cut_reply-header-then-close",
            "cut_reply-header-then-silence",
            "error_reply-ASK",
            "error_reply-BUSY",
            "error_reply-LOADING",
            "error_reply-MASTERDOWN",
            "error_reply-MOVED",
            "hold_reply",
        ]),
    },
    List {
        name: "byte-rows",
        summary: "the first hexadecimal digit of a byte",
        values: Values::Words(&[
            "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f",
        ]),
    },
    List {
        name: "client-states",
        summary: "requests that set a state of their client, with hyphens between the words",
        values: Values::States(&[
            "asking",
            "auth-default-wrong",
            "client-caching-yes",
            "client-no-evict-on",
            "client-no-touch-on",
            "client-reply-off",
            "client-reply-skip",
            "client-setname-other",
            "client-tracking-on",
            "hello-2-setname-other",
            "hello-3",
            "monitor",
            "multi",
            "psubscribe-channel",
            "quit",
            "readonly",
            "reset",
            "select-1",
            "subscribe-channel",
            "watch-key",
        ]),
    },
    List {
        name: "counts",
        summary: "the lengths to 1025, then 4096 and 10000, one less and one more, and 65535, 65536 and 100000",
        values: Values::Counts,
    },
    List {
        name: "doubles",
        summary: "the limits of a double, each as Redis writes it",
        values: Values::Words(&[
            "-inf",
            "-1.7976931348623157e+308",
            "-9007199254740992",
            "-1",
            "-2.2250738585072014e-308",
            "0",
            "2.2250738585072014e-308",
            "0.5",
            "9007199254740991",
            "1.7976931348623157e+308",
            "inf",
        ]),
    },
    List {
        name: "error-replies",
        summary: "first words of errors of a node that cannot answer",
        values: Values::Words(&["ASK", "BUSY", "LOADING", "MASTERDOWN", "MOVED"]),
    },
    List {
        name: "integers",
        summary: "the limits of signed and unsigned integers of 8 to 64 bits, and of a double",
        values: Values::Words(&[
            "-9223372036854775808",
            "-9223372036854775807",
            "-9007199254740993",
            "-4294967296",
            "-2147483649",
            "-2147483648",
            "-65536",
            "-32769",
            "-129",
            "-10",
            "-1",
            "0",
            "1",
            "9",
            "10",
            "127",
            "128",
            "255",
            "256",
            "32767",
            "32768",
            "65535",
            "65536",
            "2147483647",
            "2147483648",
            "4294967295",
            "4294967296",
            "9007199254740992",
            "9007199254740993",
            "9223372036854775806",
            "9223372036854775807",
        ]),
    },
    List {
        name: "lengths",
        summary: "each power of two to 1048576 and of ten to 1000000, one less and one more",
        values: Values::Lengths,
    },
    List {
        name: "lost-replies",
        summary: "faults of replies that come in part or too late, with hyphens between the words",
        values: Values::Words(&[
            "cut_reply-body-then-close",
            "cut_reply-body-then-silence",
            "cut_reply-header-then-close",
            "cut_reply-header-then-silence",
            "hold_reply",
        ]),
    },
    List {
        name: "offsets",
        summary: "every number from 1 to 64",
        values: Values::Offsets,
    },
];

/// Highest exponent of two, and of ten, in the list of lengths.
const EXPONENTS_MAX: [(u64, u32); 2] = [(2, 20), (10, 6)];
const OFFSET_MAX: u64 = 64;
/// Counts beyond take longer, so there are few of them.
const SMALL_COUNT_MAX: u64 = 1025;
const LARGE_COUNTS: [u64; 9] = [
    4095, 4096, 4097, 9999, 10_000, 10_001, 65_535, 65_536, 100_000,
];

/// A list of shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    /// The word in the header `shapes`.
    pub name: &'static str,
    /// What its shapes are.
    pub summary: &'static str,
    values: Values,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    Words(&'static [&'static str]),
    /// Requests that set a state.
    States(&'static [&'static str]),
    Counts,
    Lengths,
    Offsets,
}

impl List {
    /// The list of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        LISTS.iter().find(|list| list.name == name)
    }

    /// Whether a shape may change the proxy for the next one, although the promise was kept: a proxy that forwards
    /// `SELECT 1` has connections in two databases, and it depends on chance which of them a case meets.
    pub(crate) fn leaves_state(&self) -> bool {
        matches!(self.values, Values::States(_))
    }

    /// All its shapes, in order.
    #[must_use]
    pub fn shapes(&self) -> Vec<String> {
        let all = |numbers: Vec<u64>| numbers.iter().map(ToString::to_string).collect();
        match self.values {
            Values::Words(words) | Values::States(words) => {
                words.iter().map(|word| (*word).to_owned()).collect()
            }
            Values::Counts => all(counts()),
            Values::Lengths => all(lengths()),
            Values::Offsets => all((1..=OFFSET_MAX).collect()),
        }
    }
}

fn counts() -> Vec<u64> {
    let small = lengths()
        .into_iter()
        .filter(|length| *length <= SMALL_COUNT_MAX);
    small.chain(LARGE_COUNTS).collect()
}

fn lengths() -> Vec<u64> {
    let powers = EXPONENTS_MAX
        .into_iter()
        .flat_map(|(base, most)| (0..=most).map(move |exponent| base.pow(exponent)));
    let mut lengths: Vec<u64> = powers.flat_map(|power| power - 1..=power + 1).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// The shapes of a template: a list, or the part of a list of numbers between two bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The list.
    pub list: List,
    /// The shapes, in the order of the list.
    pub shapes: Vec<String>,
}

/// A header `shapes` is wrong: the text found, and the expected one.
pub(crate) type Wrong = (String, String);

impl Selection {
    /// The shapes of `LIST [from N] [to N]`.
    pub(crate) fn parse(text: &str) -> Result<Self, Wrong> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let list = *List::named(name).ok_or_else(|| {
            let names: Vec<&str> = LISTS.iter().map(|list| list.name).collect();
            (format!("shapes `{name}`"), names.join(", "))
        })?;
        let (mut from, mut to) = (None, None);
        while let Some(word) = words.next() {
            let bound = match word {
                "from" => &mut from,
                "to" => &mut to,
                other => return Err((format!("`{other}`"), "`from N` or `to N`".to_owned())),
            };
            let number = words.next().and_then(|word| word.parse::<i128>().ok());
            *bound = Some(number.ok_or((format!("`{text}`"), format!("a number after `{word}`")))?);
        }
        let mut shapes = list.shapes();
        if from.is_some() || to.is_some() {
            let within = |shape: &String| {
                shape.parse::<i128>().is_ok_and(|number| {
                    from.is_none_or(|from| from <= number) && to.is_none_or(|to| number <= to)
                })
            };
            shapes.retain(within);
        }
        match shapes.is_empty() {
            true => Err((format!("no shape in `{text}`"), "at least one".to_owned())),
            false => Ok(Self { list, shapes }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use testbed::fault::Fault;

    use super::*;

    #[test]
    fn lists_are_sorted_by_name_and_have_no_shape_twice() {
        assert!(LISTS.is_sorted_by(|one, other| one.name < other.name));
        for list in LISTS {
            let shapes = list.shapes();
            let different: BTreeSet<&String> = shapes.iter().collect();
            assert_eq!(different.len(), shapes.len(), "{}", list.name);
        }
    }

    #[test]
    fn shapes_are_sorted_numbers_or_fit_into_an_id() {
        for list in LISTS {
            let shapes = list.shapes();
            let value = |shape: &String| match list.name {
                "byte-rows" => u8::from_str_radix(shape, 16).map(f64::from).ok(),
                _ => shape.parse::<f64>().ok(),
            };
            let of_words = [
                "bad-replies",
                "client-states",
                "error-replies",
                "lost-replies",
            ];
            if of_words.contains(&list.name) {
                assert!(shapes.is_sorted());
                continue;
            }
            let values: Vec<f64> = shapes.iter().map(|it| value(it).expect(it)).collect();
            // Integers of 64 bits are too close for a double.
            assert!(
                values.is_sorted_by(|one, other| one <= other),
                "{}",
                list.name
            );
            let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'+' | b'.');
            assert!(
                shapes.iter().all(|shape| shape.bytes().all(fits)),
                "{}",
                list.name
            );
        }
    }

    #[test]
    fn bad_replies_are_faults_and_have_every_lost_and_error_reply() {
        let shapes = |name| List::named(name).expect("a list").shapes();
        let errors = shapes("error-replies").into_iter();
        let errors = errors.map(|error| format!("error_reply-{error}"));
        let mut expected: Vec<String> = shapes("lost-replies").into_iter().chain(errors).collect();
        expected.sort();
        assert_eq!(shapes("bad-replies"), expected);
        for shape in expected {
            let fault: Result<Fault, _> = shape.replace('-', " ").parse();
            assert!(fault.is_ok(), "{shape}");
        }
    }

    #[test]
    fn lengths_have_every_boundary() {
        let lengths: BTreeSet<u64> = lengths().into_iter().collect();
        for (base, most) in EXPONENTS_MAX {
            for power in (0..=most).map(|exponent| base.pow(exponent)) {
                for near in [power - 1, power, power + 1] {
                    assert!(lengths.contains(&near), "{near}");
                }
            }
        }
    }

    #[test]
    fn counts_have_every_small_length_and_some_large_ones() {
        let counts = counts();
        let small = counts.iter().copied().filter(|it| *it <= SMALL_COUNT_MAX);
        let lengths = lengths().into_iter().filter(|it| *it <= SMALL_COUNT_MAX);
        assert!(small.eq(lengths));
        assert!(counts.ends_with(&LARGE_COUNTS));
    }

    #[test]
    fn integers_have_the_limits_of_every_width() {
        let shapes = List::named("integers").expect("a list").shapes();
        let limits = [
            i128::from(i8::MAX),
            i128::from(u8::MAX),
            i128::from(i16::MAX),
            i128::from(u16::MAX),
            i128::from(i32::MIN),
            i128::from(i32::MAX),
            i128::from(u32::MAX),
            i128::from(i64::MIN),
            i128::from(i64::MAX),
            1 << f64::MANTISSA_DIGITS,
        ];
        for limit in limits {
            assert!(shapes.contains(&limit.to_string()), "{limit}");
        }
        assert!(shapes.iter().all(|shape| shape.parse::<i64>().is_ok()));
    }

    #[test]
    fn doubles_have_the_limits_of_a_double() {
        let shapes = List::named("doubles").expect("a list").shapes();
        let doubles: Vec<f64> = shapes.iter().filter_map(|it| it.parse().ok()).collect();
        for limit in [
            f64::INFINITY,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::MIN,
            f64::NEG_INFINITY,
        ] {
            assert!(doubles.contains(&limit), "{limit:e}");
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Result<&[&str], &str>) {
        let found = Selection::parse(text);
        let found = found
            .map(|selection| selection.shapes)
            .map_err(|(what, _)| what);
        let owned = |shapes: &[&str]| shapes.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(found, expected.map(owned).map_err(str::to_owned), "{text}");
    }

    #[test]
    fn a_part_of_a_list_is_selected_by_bounds() {
        check("lengths to 3", Ok(&["0", "1", "2", "3"]));
        check("lengths from 7 to 10", Ok(&["7", "8", "9", "10"]));
        check("lengths from 1048577", Ok(&["1048577"]));
        check(
            "integers to -9223372036854775808",
            Ok(&["-9223372036854775808"]),
        );
        check("offsets from 64", Ok(&["64"]));
        check(
            "lengths from 18 to 30",
            Err("no shape in `lengths from 18 to 30`"),
        );
        check("lengths to x", Err("`lengths to x`"));
        check("lengths under 3", Err("`under`"));
        check("sizes", Err("shapes `sizes`"));
        check("", Err("shapes ``"));
    }
}
