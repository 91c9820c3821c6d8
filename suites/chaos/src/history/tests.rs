//! Tests of the format: a written history is read back, and errors name their line.

use testbed::wire::Value;

use super::{
    Answered, Completion, Header, History, Library, Record, Seen, read, settle, write, write_edn,
};

fn record(session: u32, sequence: u64, words: &[&[u8]]) -> Record {
    Record {
        session,
        sequence,
        client: Library::Raw,
        sent: 10 * sequence,
        received: Some(10 * sequence + 5),
        request: words.iter().map(|word| word.to_vec()).collect(),
        reply: Some(Value::Simple(b"OK".to_vec())),
        completion: Completion::Ok,
        seen: Vec::new(),
    }
}

fn seen(reply: Option<Value>) -> Seen {
    Seen {
        node: 0,
        connection: 1,
        order: 0,
        asked: 1012,
        answered: reply.map(|reply| Answered::new(1014, reply)),
    }
}

fn history(records: Vec<Record>) -> History {
    let mut header = Header::new("a-proxy", "a-scenario", 0x7c1f);
    header.nodes = vec!["127.0.0.1:7001".to_owned()];
    History { header, records }
}

fn text(history: &History) -> String {
    let mut text = Vec::new();
    write(&mut text, history).unwrap();
    String::from_utf8(text).unwrap()
}

const HEADER: &str = r#"{"format":"shardproof.history/1","seed":"1","target":"t","scenario":"s","nodes":["n"],"tapped":false}"#;
const SET: &str = r#"{"session":1,"sequence":0,"client":"raw","sent":5,"received":9,"request":["SET","k","v"],"reply":{"simple":"OK"},"completion":"ok"}"#;

#[track_caller]
fn check_refused(lines: &[&str], expected: &str) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let error = read(&mut text.as_bytes(), "run.jsonl").expect_err("a wrong history");
    assert_eq!(error.to_string(), format!("run.jsonl:{expected}"), "{text}");
}

#[test]
fn written_histories_are_read_back() {
    let bulk = |text: &[u8]| Value::Bulk(text.to_vec());
    let every_byte: Vec<u8> = (0..=255).collect();
    let replies = [
        Value::Simple(b"OK".to_vec()),
        Value::Integer(i64::MIN),
        bulk(&every_byte),
        bulk("caf\u{e9} \\x00 \\".as_bytes()),
        Value::NullBulk,
        Value::Array(vec![bulk(b"a"), Value::NullBulk, Value::Array(Vec::new())]),
        Value::NullArray,
        Value::Null,
        Value::Boolean(true),
        Value::Double(b"1.5".to_vec()),
        Value::BigNumber(b"123".to_vec()),
        Value::Verbatim {
            format: *b"txt",
            text: b"text".to_vec(),
        },
        Value::Map(vec![(bulk(b"k"), Value::Integer(1))]),
        Value::Set(vec![bulk(b"k")]),
        Value::Push(vec![bulk(b"k")]),
        Value::Attributed {
            attributes: vec![(bulk(b"ttl"), Value::Integer(1))],
            value: Box::new(bulk(b"v")),
        },
    ];
    let mut records = Vec::new();
    for (sequence, reply) in (0..).zip(replies) {
        let mut record = record(1, sequence, &[b"SET", &every_byte, b"\\"]);
        record.seen = vec![seen(Some(reply.clone())), seen(None)];
        record.reply = Some(reply);
        records.push(record);
    }
    for (sequence, error) in [
        (0, Value::Error(b"ERR no".to_vec())),
        (1, Value::BulkError(b"\xff".to_vec())),
    ] {
        let mut record = record(2, sequence, &[b"GET", b""]);
        record.client = Library::Redis;
        record.completion = Completion::Failed;
        record.reply = Some(error);
        records.push(record);
    }
    let mut last = record(2, 7, &[b"PING"]);
    (last.completion, last.received, last.reply) = (Completion::Indefinite, None, None);
    records.push(last);
    let history = history(records);
    let text = text(&history);
    assert_eq!(read(&mut text.as_bytes(), "run.jsonl"), Ok(history));
    assert!(
        text.contains(r#""caf\u00e9"#) || text.contains("caf\u{e9}"),
        "{text}"
    );
}

#[test]
fn another_version_is_refused_by_its_number() {
    let next = r#"{"format":"shardproof.history/2","else":1}"#;
    check_refused(
        &[next, SET],
        r#"1: format "shardproof.history/2", expected "shardproof.history/1""#,
    );
    check_refused(&[], "1: the file is empty, expected shardproof.history/1");
}

#[test]
fn an_error_names_line_field_and_expected_value() {
    for (wrong, with, expected) in [
        (
            r#""sent":5"#,
            r#""sent":"5""#,
            r#"2: sent: invalid type: string "5", expected u64 (column 51)"#,
        ),
        (
            r#""sent":5"#,
            r#""sent":50"#,
            "2: received: 9 is before sent, 50",
        ),
        (
            r#""simple""#,
            r#""simpler""#,
            "2: reply: unknown variant `simpler`, expected one of `simple`, `error`, `integer`, \
             `bulk`, `null-bulk`, `array`, `null-array`, `null`, `boolean`, `double`, `big-number`, \
             `bulk-error`, `verbatim`, `map`, `set`, `push`, `attributed` (column 107)",
        ),
        (
            r#""k""#,
            r#""\\k""#,
            r#"2: request: wrong escape in "\\k", expected \\ or \xNN (column 90)"#,
        ),
        (
            r#"{"simple":"OK"}"#,
            r#"{"error":"ERR"}"#,
            "2: completion: ok, which needs a reply that is no error",
        ),
        (
            r#","received":9"#,
            "",
            "2: completion: ok, which needs received, or a node that answered",
        ),
        (
            r#"["SET","k","v"]"#,
            "[]",
            "2: request: empty, expected a command",
        ),
        (
            r#""completion":"ok""#,
            r#""completion":"ok","seen":[{"node":1,"connection":1,"order":0,"asked":6}]"#,
            "2: seen: node 1, but the header lists 1",
        ),
        (
            r#""completion":"ok""#,
            r#""completion":"ok","seen":[{"node":0,"connection":1,"order":0,"asked":4}]"#,
            "2: seen: asked at 4 is before sent, 5",
        ),
        (r#"}"#, r#"} x"#, "2: expected `,` or `}` (column 114)"),
    ] {
        check_refused(&[HEADER, &SET.replacen(wrong, with, 1)], expected);
    }
    check_refused(&[HEADER, ""], "2: EOF while parsing a value (column 0)");
    check_refused(
        &[HEADER, SET, SET],
        "3: sequence: 0 of session 1 does not follow 0",
    );
    let earlier = SET.replace(r#""sequence":0"#, r#""sequence":1"#);
    let earlier = earlier.replace(r#""sent":5"#, r#""sent":4"#);
    check_refused(
        &[HEADER, SET, &earlier],
        "3: sent: 4 of session 1 is before 5, when its last request was sent",
    );
}

#[test]
fn nodes_decide_what_clients_could_not() {
    let indefinite = |words: &[&[u8]], seen: Vec<Seen>| {
        let mut record = record(1, 0, words);
        (record.completion, record.reply, record.seen) = (Completion::Indefinite, None, seen);
        record
    };
    let ok = Value::Simple(b"OK".to_vec());
    let set: &[&[u8]] = &[b"SET", b"k", b"v"];
    let executed = indefinite(set, vec![seen(Some(ok.clone()))]);
    let refused = indefinite(set, vec![seen(Some(Value::Error(b"OOM".to_vec())))]);
    let unanswered = indefinite(set, vec![seen(None)]);
    let unseen = indefinite(set, Vec::new());
    let half = indefinite(
        &[b"DEL", b"a", b"b"],
        vec![seen(Some(ok.clone())), seen(None)],
    );
    // The other part never left the proxy.
    let part = indefinite(
        &[b"MSET", b"a", b"v", b"b", b"v"],
        vec![seen(Some(ok.clone()))],
    );
    for (tapped, record, completion) in [
        (true, &part, Completion::Indefinite),
        (true, &executed, Completion::Ok),
        (false, &executed, Completion::Ok),
        (true, &refused, Completion::Indefinite),
        (true, &unanswered, Completion::Indefinite),
        (true, &unseen, Completion::Failed),
        (false, &unseen, Completion::Indefinite),
        (true, &half, Completion::Indefinite),
    ] {
        let mut history = history(vec![record.clone()]);
        history.header.tapped = tapped;
        let settled = &settle(history).records[0];
        assert_eq!(settled.completion, completion, "{record:?}");
        if completion == Completion::Ok {
            assert_eq!(settled.reply, Some(ok.clone()));
            assert_eq!((settled.received, settled.end()), (None, Some(1014)));
        }
    }
}

#[test]
fn a_history_is_exported_as_jepsen_reads_it() {
    let mut get = record(1, 0, &[b"GET", b"k\"\xff"]);
    get.reply = Some(Value::NullBulk);
    let mut set = record(1, 1, &[b"SET", b"k", b"v"]);
    (set.completion, set.received, set.reply) = (Completion::Indefinite, None, None);
    set.sent = 1;
    let mut text = Vec::new();
    write_edn(&mut text, &history(vec![get, set])).unwrap();
    let expected = r#"{:index 0, :time 0, :process 0, :type :invoke, :f :get, :value [["k\"\\xff"] nil], :session 1, :sequence 0}
{:index 1, :time 1, :process 1, :type :invoke, :f :set, :value [["k" "v"] nil], :session 1, :sequence 1}
{:index 2, :time 5, :process 0, :type :ok, :f :get, :value [["k\"\\xff"] nil], :session 1, :sequence 0}
{:index 3, :time 9223372036854775807, :process 1, :type :info, :f :set, :value [["k" "v"] nil], :session 1, :sequence 1}
"#;
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}
