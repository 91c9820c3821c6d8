//! The table of toxics: names, files, attributes.

use serde_json::json;

use super::*;

/// One toxic of each kind with its attributes as Toxiproxy writes them.
fn examples() -> Vec<(Kind, serde_json::Value)> {
    let delay_ms = 1;
    vec![
        (
            Kind::Bandwidth(Bandwidth { rate_kb: 1 }),
            json!({"rate": 1}),
        ),
        (Kind::Hold(Hold {}), json!({})),
        (
            Kind::Latency(Latency {
                latency_ms: 1,
                jitter_ms: 2,
            }),
            json!({"latency": 1, "jitter": 2}),
        ),
        (Kind::LimitData(LimitData { bytes: 1 }), json!({"bytes": 1})),
        (Kind::Noop(Noop {}), json!({})),
        (
            Kind::ResetPeer(ResetPeer { timeout_ms: 1 }),
            json!({"timeout": 1}),
        ),
        (
            Kind::Slicer(Slicer {
                average_size: 3,
                size_variation: 2,
                delay_us: 1,
            }),
            json!({"average_size": 3, "size_variation": 2, "delay": 1}),
        ),
        (Kind::SlowClose(SlowClose { delay_ms }), json!({"delay": 1})),
        (
            Kind::Timeout(Timeout { timeout_ms: 1 }),
            json!({"timeout": 1}),
        ),
    ]
}

#[test]
fn names_are_sorted_unique_and_have_a_file_each() {
    assert!(NAMES.is_sorted_by(|one, other| one < other));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/link/toxic");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            path.file_stem().unwrap().to_string_lossy().into_owned()
        })
        .filter(|stem| stem != "mod" && stem != "tests")
        .collect();
    files.sort();
    assert_eq!(files, NAMES);
    let kinds: Vec<&str> = examples().iter().map(|(kind, _)| kind.name()).collect();
    assert_eq!(kinds, NAMES);
}

#[test]
fn toxics_are_written_and_read_as_toxiproxy_does() {
    for (kind, attributes) in examples() {
        let toxic = Toxic::new(Stream::Upstream, kind);
        let written = json!({
            "name": format!("{}_upstream", kind.name()),
            "type": kind.name(),
            "stream": "upstream",
            "toxicity": 1.0,
            "attributes": attributes,
        });
        assert_eq!(serde_json::to_value(&toxic).unwrap(), written);
        assert_eq!(serde_json::from_value::<Toxic>(written).unwrap(), toxic);
    }
}

#[test]
fn no_attribute_is_too_large() {
    let now = Instant::now();
    let most = i64::MAX;
    let kinds = [
        Kind::Bandwidth(Bandwidth { rate_kb: most }),
        Kind::Latency(Latency {
            latency_ms: most,
            jitter_ms: most,
        }),
        Kind::LimitData(LimitData { bytes: most }),
        Kind::ResetPeer(ResetPeer { timeout_ms: most }),
        Kind::Slicer(Slicer {
            average_size: most,
            size_variation: most,
            delay_us: most,
        }),
        Kind::SlowClose(SlowClose { delay_ms: most }),
        Kind::Timeout(Timeout { timeout_ms: most }),
    ];
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
    for kind in kinds {
        for head in heads {
            // Overflow would panic here.
            kind.rule().decide(&View {
                head,
                quiet_since: now,
                passed: u64::MAX,
                last_due: Some(now),
                chance: Chance::seeded(u64::MAX),
            });
        }
    }
}
