//! The laws of the table: rows are files, every row has a text, every toxic has JSON. They are derived from the rows,
//! so that a new fault needs only its file and its row.

use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::chance::Chance;

/// The toxic of a row with this number for each of its numbers.
fn toxic(row: &Row, number: impl Fn(usize) -> i64) -> (ToxicKind, serde_json::Value) {
    let value = |at, parameter: &Parameter| match parameter.default {
        Default::Number(_) => number(at).into(),
        Default::Text(text) => text.into(),
    };
    let attributes: Map<String, Value> = row
        .all_parameters()
        .enumerate()
        .map(|(at, parameter)| (parameter.name.to_owned(), value(at, parameter)))
        .collect();
    let written = json!({"type": row.name, "attributes": attributes});
    let kind = serde_json::from_value(written.clone()).expect(row.name);
    (kind, written["attributes"].clone())
}

#[test]
fn rows_are_the_files_of_the_folder() {
    let sorted = |rows: &[Row]| rows.is_sorted_by(|one, other| one.name < other.name);
    assert!(sorted(TOXICS) && sorted(REPLY_TOXICS) && sorted(OTHERS));
    let names: Vec<&str> = Fault::rows().iter().map(|row| row.name).collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/fault");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|stem| stem != "mod" && stem != "tests")
        .collect();
    files.sort();
    assert_eq!(files, names);
}

#[test]
fn every_file_begins_with_the_name_of_its_fault() {
    for row in Fault::rows() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/fault");
        let text = std::fs::read_to_string(format!("{folder}/{}.rs", row.name)).unwrap();
        assert!(text.starts_with(&format!("//! `{}`: ", row.name)), "{text}");
    }
}

#[test]
fn every_row_is_read_from_its_text_and_written_back() {
    for row in Fault::rows() {
        let text = row.example();
        let fault: Fault = text.parse().expect(&text);
        assert_eq!(fault.row(), row);
        let again: Fault = fault.to_string().parse().expect(&text);
        assert_eq!(again, fault, "{text}");
        let mut named: Vec<&str> = row.all_parameters().map(|it| it.name).collect();
        named.sort_unstable();
        let attributes: Vec<String> = fault.attributes().keys().cloned().collect();
        assert_eq!(attributes, named, "{text}");
    }
}

#[test]
fn every_default_is_that_of_the_row() {
    for row in Fault::rows() {
        let fault = Fault::build(row.name, Map::new()).expect(row.name);
        let attributes = fault.attributes();
        for parameter in row.all_parameters() {
            let default: Value = match parameter.default {
                Default::Number(number) => number.into(),
                Default::Text(text) => text.into(),
            };
            let (row, name) = (row.name, parameter.name);
            assert_eq!(attributes[parameter.name], default, "{row} {name}");
        }
    }
}

#[test]
fn every_choice_is_read() {
    for row in Fault::rows() {
        for parameter in row.all_parameters() {
            let Unit::Choice(words) = parameter.unit else {
                continue;
            };
            for word in words {
                let text = format!("{} {} {word}", row.name, parameter.name);
                let text = match parameter.required {
                    true => format!("{} {word}", row.name),
                    false => text,
                };
                let fault: Fault = text.parse().expect(&text);
                assert_eq!(fault.attributes()[parameter.name], *word, "{text}");
            }
        }
    }
}

#[test]
fn optional_parameters_may_be_left_out() {
    for row in Fault::rows() {
        let words: Vec<String> = row.example().split(' ').map(str::to_owned).collect();
        let main = usize::from(!row.parameters.is_empty());
        let required = row.all_parameters().filter(|it| it.required).count();
        for given in required..=row.all_parameters().count() {
            // The name, the main parameter, and two words for each other one.
            let end = match given {
                0 => 1,
                given => 1 + main + 2 * (given - main),
            };
            let text = words[..end].join(" ");
            let fault: Fault = text.parse().expect(&text);
            assert_eq!(fault.to_string().parse(), Ok(fault), "{text}");
        }
    }
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    let error = text.parse::<Fault>().expect_err(text).to_string();
    assert!(error.starts_with(expected), "{text}: {error}");
}

#[test]
fn a_text_that_is_no_fault_is_refused_at_the_word() {
    check_refused("", "the end, expected a fault: bandwidth RATE, busy,");
    check_refused(
        "sluggish",
        "`sluggish`, expected a fault: bandwidth RATE, busy,",
    );
    check_refused("latency", "the end, expected a time such as 50ms");
    check_refused("latency 50", "`50`, expected a time");
    check_refused("latency ms", "`ms`, expected a time");
    check_refused("latency -5ms", "`-5ms`, expected a time");
    check_refused("latency 601s", "`601s`, expected a time");
    check_refused("latency 99999999999999999999s", "`99999999999999999999s`");
    check_refused("latency 50ms 20ms", "`20ms`, expected the end or jitter");
    check_refused("latency 50ms jitter", "the end, expected a time");
    check_refused(
        "latency 50ms jitter 1ms jitter 1ms",
        "`jitter`, expected the end",
    );
    check_refused("pause 1s", "`1s`, expected the end");
    check_refused("limit_data 5ms", "`5ms`, expected a number of bytes");
    check_refused("bandwidth 5", "`5`, expected a rate such as 10KB/s");
    check_refused("drop_reply 3", "`3`, expected the end or command, key, nth");
    check_refused("drop_reply nth 0", "`0`, expected a number such as 3");
    check_refused("drop_reply nth 3B", "`3B`, expected a number");
    check_refused("drop_reply percent 101%", "`101%`, expected a part");
    check_refused("drop_reply command \u{e9}", "`\u{e9}`, expected a command");
    check_refused("error_reply", "the end, expected LOADING or MOVED or");
    check_refused("error_reply ERR", "`ERR`, expected LOADING or MOVED or");
    check_refused("cut_reply middle", "`middle`, expected header or body");
}

#[test]
fn units_have_factors() {
    let text = |text: &str| text.parse::<Fault>().unwrap().to_string();
    assert_eq!(text("latency 2s"), "latency 2000ms");
    let slicer = "slicer 5B size_variation 0B delay 3ms";
    assert_eq!(text(slicer), "slicer 5B delay 3000us");
}

#[test]
fn parameters_come_in_any_order_and_an_optional_main_one_may_be_named() {
    let text = |text: &str| text.parse::<Fault>().unwrap().to_string();
    let held = "hold_reply 2000ms command GET nth 3";
    assert_eq!(text("hold_reply nth 3 for 2s command GET"), held);
    assert_eq!(text("hold_reply 2s nth 3 command GET"), held);
    let cut = "cut_reply body then silence percent 50%";
    assert_eq!(text("cut_reply percent 50% then silence part body"), cut);
}

#[test]
fn toxics_are_written_and_read_as_toxiproxy_does() {
    for row in ToxicKind::rows() {
        let (kind, attributes) = toxic(row, |at| at as i64 + 1);
        assert_eq!(kind.name(), row.name);
        let toxic = Toxic::new(Stream::Upstream, kind);
        let written = json!({
            "name": format!("{}_upstream", row.name),
            "type": row.name,
            "stream": "upstream",
            "toxicity": 1.0,
            "attributes": attributes,
        });
        assert_eq!(serde_json::to_value(&toxic).unwrap(), written);
        assert_eq!(serde_json::from_value::<Toxic>(written).unwrap(), toxic);
    }
}

#[test]
fn what_is_no_toxic_is_none_in_json() {
    for row in OTHERS {
        let written = json!({"type": row.name, "attributes": {}});
        assert!(serde_json::from_value::<ToxicKind>(written).is_err());
    }
}

#[test]
fn no_attribute_is_too_large() {
    let now = Instant::now();
    let (read_at, came_at) = (now, now);
    let length = usize::MAX;
    let heads = [
        Head::Nothing,
        Head::Bytes {
            length,
            read_at,
            came_at,
        },
        Head::End { came_at },
    ];
    for row in ToxicKind::rows() {
        for number in [i64::MAX, i64::MIN] {
            let (kind, _) = toxic(row, |_| number);
            for head in heads {
                // Overflow would panic here.
                if let Law::Bytes(rule) = kind.law() {
                    rule.decide(&View {
                        head,
                        quiet_since: now,
                        passed: u64::MAX,
                        last_due: Some(now),
                        chance: Chance::seeded(u64::MAX),
                    });
                }
            }
            if let Law::Replies(rule) = kind.law() {
                let (bytes, request) = (b"$3\r\nabc\r\n", None);
                rule.on_reply(Reply { bytes, request });
                let counts = Counts {
                    fitting: u64::MAX,
                    picked: u64::MAX,
                };
                let _ = rule.selection().picks(counts);
            }
        }
    }
}

#[test]
fn a_fault_needs_what_it_acts_on() {
    let all = Owned {
        nodes: true,
        proxy: true,
        networks: true,
        links: Links::Own,
    };
    let obstacle = |text: &str, owned| {
        let fault: Fault = text.parse().unwrap();
        fault.row().obstacle(owned)
    };
    for row in Fault::rows() {
        assert_eq!(row.obstacle(all), None, "{}", row.name);
    }
    let owned = Owned {
        nodes: false,
        ..all
    };
    for row in Fault::rows() {
        let needs_nodes = row.acts_on == Object::Node;
        assert_eq!(row.obstacle(owned).is_some(), needs_nodes, "{}", row.name);
    }
    for (links, kept_from) in [
        (
            Links::Toxiproxy,
            &["hold", "drop_reply", "full_backlog"][..],
        ),
        (Links::Extended, &["full_backlog"]),
    ] {
        let owned = Owned { links, ..all };
        for text in ["hold", "drop_reply", "full_backlog", "down"] {
            let expected = kept_from.contains(&text);
            assert_eq!(
                obstacle(text, owned).is_some(),
                expected,
                "{text} {links:?}"
            );
        }
    }
    let owned = Owned {
        proxy: false,
        ..all
    };
    for row in Fault::rows() {
        let needs_proxy = matches!(row.acts_on, Object::Proxy | Object::Client);
        assert_eq!(row.obstacle(owned).is_some(), needs_proxy, "{}", row.name);
    }
    let owned = Owned {
        networks: false,
        ..all
    };
    assert!(obstacle("partition", owned).is_some_and(|why| why.contains("containers")));
    assert_eq!(obstacle("pause", owned), None);
}
