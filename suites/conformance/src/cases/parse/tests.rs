//! Tests of the parser: refused texts with their location, and accepted texts.

use super::{case, cases};
use crate::cases::case::{Action, Answer, Asked, Party};
use crate::cases::disturbed::Disturbed;
use crate::cases::pattern::Pattern;
use crate::cases::word::{Scope, Variable, Word};
use testbed::fixtures::Source;

const HEAD: &str = "case 1\n# A promise.\nspec https://redis.io/\nlevel must\n";

fn source(text: &str) -> Source {
    Source {
        path: "x.case".to_owned(),
        id: "x".to_owned(),
        text: text.to_owned(),
    }
}

/// Expects these errors in a file, one line each.
#[track_caller]
fn check_refused(text: &str, expected: &[&str]) {
    let errors = case(&source(text)).expect_err(text);
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
    for (shown, expected) in shown.iter().zip(expected) {
        assert!(shown.starts_with(expected), "{shown}\nexpected {expected}");
        assert!(
            !shown.contains('\n') && shown.contains(", expected "),
            "{shown}"
        );
    }
}

/// The problem of a step, which is on line 5.
#[track_caller]
fn check_step_refused(step: &str, expected: &str) {
    check_refused(
        &format!("{HEAD}{step}\nwant any\n"),
        &[&format!("x.case:5: {expected}")],
    );
}

/// The first step of a case.
#[track_caller]
fn step(text: &str) -> Action {
    let case = case(&source(&format!("{HEAD}{text}\nwant any\n"))).expect(text);
    case.steps[0].action.clone()
}

#[track_caller]
fn check_pattern(text: &str, expected: &str) {
    match step(&format!("want {text}")) {
        Action::Want { patterns, .. } => {
            let shown: Vec<String> = patterns
                .iter()
                .map(|pattern| pattern.shown(&Scope::default()))
                .collect();
            assert_eq!(shown.join(" ; "), expected);
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_bytes(word: &str, expected: &[u8]) {
    let mut scope = Scope {
        run: "sp-".to_owned(),
        repetition: 7,
        ..Scope::default()
    };
    for (node, number, key) in [(Some(0), 1, "keya1"), (Some(1), 22, "b22"), (None, 1, "k")] {
        let variable = Variable {
            node,
            moved: None,
            number,
        };
        scope.keys.insert(variable, key.as_bytes().to_vec());
    }
    match step(&format!("raw {word}")) {
        Action::Raw { words, .. } => {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.bytes(&scope)).collect();
            assert_eq!(
                bytes.escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_line_is_the_version() {
    check_refused("case 2\n", &["x.case:1: `case 2`, expected `case 1` on"]);
    check_refused("# A promise.\n", &["x.case:1: `# A promise.`, expected"]);
    check_refused("\ncase 1\n", &["x.case:1: ``, expected"]);
}

#[test]
fn disturbs_is_connections_nodes_or_proxy() {
    let disturbs = |text: &str| {
        let case = case(&source(&format!("{HEAD}{text}\nwant any\n"))).expect(text);
        case.disturbs.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(disturbs(""), []);
    assert_eq!(
        disturbs("disturbs proxy\ndisturbs nodes connections"),
        [Disturbed::Connections, Disturbed::Nodes, Disturbed::Proxy]
    );
    check_step_refused(
        "disturbs clients",
        "disturbs `clients`, expected connections, nodes or proxy",
    );
    check_step_refused("disturbs", "`disturbs` alone, expected");
}

#[test]
fn a_misspelt_capability_is_corrected() {
    check_step_refused(
        "needs split-mget splt-mset",
        "unknown capability `splt-mset`, expected a known one: did you mean `split-mset`?",
    );
}

#[test]
fn missing_headers_are_reported() {
    let without = |line: &str| format!("{HEAD}want any\n").replace(line, "");
    check_refused(&without("spec https://redis.io/\n"), &["x.case: no spec, "]);
    check_refused(&without("level must\n"), &["x.case: no level, "]);
    check_refused(
        &without("# A promise.\n"),
        &["x.case:4: a step before the promise, "],
    );
    check_refused(
        &format!("{HEAD}send PING\n"),
        &["x.case: no step that judges"],
    );
    check_refused("case 1\n", &["x.case: no step that judges"]);
}

#[test]
fn headers_are_checked() {
    check_step_refused("level high", "level `high`, expected must, should or may");
    check_step_refused("level may", "a second `level`, expected one");
    check_step_refused("spec redis.io", "`redis.io`, expected an https:// address");
    check_step_refused("deadline 5", "`5`, expected a time such as 50ms or 2s");
    check_step_refused("deadline 700s", "`700s`, expected a time");
    check_refused(
        &format!("{HEAD}want any\nneeds eval\n"),
        &["x.case:6: `needs` after a step, expected it before the first step"],
    );
}

#[test]
fn steps_are_checked() {
    check_step_refused("sned PING", "verb `sned`, expected given, send, raw");
    check_step_refused("send", "the end of the line, expected words");
    check_step_refused("send @D GET x", "node `D`, expected A, B or C");
    check_step_refused("send @0 PING", "node `0`, expected");
    check_step_refused(
        "given A $a1 one",
        "`one`, expected `given NODE KEY = VALUE`",
    );
    check_step_refused("given a $a1 = one", "node `a`, expected A, B or C");
    check_step_refused(
        "given A $a1 = one two",
        "`two`, expected the end of the line",
    );
    check_step_refused("fault A lazy", "`lazy`, expected a fault: bandwidth RATE");
    check_step_refused("fault A latency", "the end of the line, expected a time");
    check_step_refused("fault A latency 50", "`50`, expected a time such as");
    check_step_refused("fault A drop_reply 3", "`3`, expected the end or command");
    check_step_refused("fault A cut_reply tail", "`tail`, expected header or body");
    check_step_refused(
        "fault A drop_reply key $a1",
        "`$a1`, expected a word without",
    );
    check_step_refused("await A seen 1", "`seen`, expected `await NODE asked N`");
    check_step_refused("await A asked -1", "`-1`, expected a number");
    check_step_refused("nothing @A", "a node, expected a client");
    check_step_refused("asked A", "the end of the line, expected `nothing`");
    check_step_refused(
        "asked A 1",
        "the end of the line, expected the name of a command",
    );
    check_step_refused("chunks many", "`many`, expected a number");
    check_refused(
        &format!("{HEAD}times 3\nheal A\nwant any\n"),
        &["x.case:6: `times` before `heal`, expected send, raw or want"],
    );
}

#[test]
fn scripted_answers_are_checked() {
    check_step_refused("answers", "the end of the line, expected a node: A, B or C");
    check_step_refused("answers D $a1 x", "node `D`, expected A, B or C");
    let shape = "the end of the line, expected `answers NODE WORD BYTES` or";
    check_step_refused("answers A", shape);
    check_step_refused("answers A $a1", shape);
    check_step_refused("answers A unasked", shape);
    let end = "expected the end of the line";
    check_step_refused("answers A $a1 x y", &format!("`y`, {end}"));
    check_step_refused("answers A $a1 nothing close", &format!("`close`, {end}"));
    check_step_refused("answers A $a1 close close", &format!("`close`, {end}"));
    check_step_refused("answers A unasked x close", &format!("`close`, {end}"));
}

#[test]
fn scripted_answers_have_a_request_and_an_answer() {
    let check = |text: &str, to: &str, answer: Answer| {
        let (node, to) = (0, Word::plain(to));
        assert_eq!(step(text), Action::Answers { node, to, answer }, "{text}");
    };
    let bytes = Word::plain;
    check("answers A GET \"x\"", "GET", Answer::Bytes(bytes("x")));
    check(
        "answers A GET x close",
        "GET",
        Answer::BytesAndClose(bytes("x")),
    );
    check("answers A GET close", "GET", Answer::Close);
    check("answers A GET nothing", "GET", Answer::Nothing);
    // A quoted keyword is a word.
    check(
        "answers A \"unasked\" \"close\"",
        "unasked",
        Answer::Bytes(bytes("close")),
    );
    check(
        "answers A nothing \"nothing\"",
        "nothing",
        Answer::Bytes(bytes("nothing")),
    );
    let (node, said) = (1, bytes("close"));
    let unasked = Action::Interject { node, bytes: said };
    assert_eq!(step("answers B unasked close"), unasked);
    let keys = case(&source(&format!(
        "{HEAD}answers A $a1 $a2 close\nanswers A unasked $a3\nwant any\n"
    )));
    assert_eq!(keys.unwrap().variables.len(), 3);
}

#[test]
fn changes_of_the_cluster_are_checked() {
    let shape = "expected a number of nodes from 1 to 4, or their letters";
    check_step_refused("rescale", &format!("the end of the line, {shape}"));
    check_step_refused("rescale 0", &format!("`0`, {shape}"));
    check_step_refused("rescale 5", &format!("`5`, {shape}"));
    check_step_refused("rescale E", "node `E`, expected A, B or C");
    check_step_refused("rescale A B A", "node `A` twice, expected each node once");
    check_step_refused("rescale 4 and", &format!("the end of the line, {shape}"));
    check_step_refused("rescale 4 2", "`2`, expected the end of the line");
    check_step_refused("rescale A 2", "node `2`, expected A, B or C");
    check_step_refused("cluster good", "`good`, expected `cluster bad`");
    check_refused(
        &format!("{HEAD}times 3\nrescale 4\nwant any\n"),
        &["x.case:6: `times` before `rescale`, expected send, raw or want"],
    );
}

#[test]
fn a_change_gives_the_proxy_a_cluster() {
    let check = |text: &str, shown: &[&str]| {
        let action = step(text);
        let clusters: Vec<String> = action.clusters().map(ToString::to_string).collect();
        assert_eq!(clusters, shown, "{text}");
    };
    check("rescale 4", &["4"]);
    check("rescale A B C D", &["4"]);
    check("rescale B", &["B"]);
    check("rescale C A B", &["C A B"]);
    check("rescale 4 and 2", &["4", "2"]);
    check("rescale C B A and A B", &["C B A", "2"]);
    assert_eq!(step("cluster bad"), Action::BadCluster);
}

#[test]
fn what_a_change_adds_needs_the_change() {
    let check = |steps: &str, expected: &str| {
        let text = format!("{HEAD}want any\n{steps}\n");
        check_refused(&text, &[&format!("x.case:6: {expected}")]);
    };
    let node = "node `D`, expected A, B or C, or a `rescale` to a cluster with D";
    check("asked D nothing", node);
    check("send @D GET x\nrescale 3", node);
    check("heal D", node);
    let key = "`$ad1`, expected a first `rescale` to a cluster with node D";
    check("send GET {$ad1}:x", key);
    check("send GET $ad1\nrescale 3\nrescale 4", key);
    check("want \"${len $ad1}\"", key);
    check(
        "send GET $da1\nrescale 4",
        "`$da1`, expected a key of node a, b",
    );
    // Two letters of which one is no node are text.
    let kept = format!("{HEAD}send @D GET $ad1 $aa2 $ae3 $abc4\nasked D $ad1\nrescale 4 and 2\n");
    let kept = case(&source(&kept)).expect("a valid case");
    let shown: Vec<String> = kept.variables.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["$aa2", "$ad1"]);
}

#[test]
fn words_are_checked() {
    check_step_refused("send GET $d1", "`$d1`, expected a key of node a, b or c");
    check_step_refused("send GET ${a}", "`${a`, expected `${n}`, `${run}`");
    check_step_refused("send GET ${len a1}", "`${len a1`, expected");
    check_step_refused("send GET ${a1", "`${a1`, expected");
    check_step_refused("send GET \"x", "an open quote, expected");
    check_step_refused(
        "send GET \"x\"y",
        "`y` after a quote, expected a space, or `*N`",
    );
    check_step_refused("send GET \"x\"*", "`*` after a quote");
    check_step_refused("send GET x\"y\"", "a quote inside a word, expected a space");
    check_step_refused(r#"send GET "\q""#, r"`\q`, expected one of \r \n");
    check_step_refused(r#"send GET "\xg0""#, r"`\xg0`, expected one of");
    check_step_refused("send GET \"xx\"*999999999", "a word beyond 256 MiB");
}

#[test]
fn patterns_are_checked() {
    check_step_refused("want", "the end of the line, expected a pattern");
    check_step_refused("want OK", "`OK`, expected a pattern: +OK");
    check_step_refused(
        "want *2 \"a\"",
        "an array of 1 patterns, expected 2 of them",
    );
    check_step_refused("want *x", "`x`, expected a number");
    check_step_refused("want ( nil", "an open `(`, expected `)`");
    check_step_refused("want nil |", "the end of the line, expected a pattern");
    check_step_refused("want bulk-length", "the end of the line, expected");
    check_step_refused("want unordered nil", "`unordered`, expected an array");
    check_step_refused("want %1 +a", "a map of 1 patterns, expected 2 of them");
    check_step_refused("want %17", "17 elements in any order, expected up to 16");
    check_step_refused("want %x", "`x`, expected a number");
    check_step_refused("want ~2 :1", "a set of 1 patterns, expected 2 of them");
    check_step_refused("want ~17", "17 elements in any order, expected up to 16");
    check_step_refused("want >1", "a push of 0 patterns, expected 1 of them");
    check_step_refused("want =tx x", "`=tx`, expected three letters after `=`");
    check_step_refused("want =txt", "the end of the line, expected a pattern");
    check_step_refused("want #x", "`#x`, expected a pattern: +OK");
    check_step_refused("want unordered ~1 :1", "`unordered`, expected an array");
    check_step_refused("want close nil", "`close` next to other replies");
}

#[test]
fn a_likewise_must_match_the_alternatives_before_it() {
    check_step_refused("likewise", "the end of the line, expected a pattern");
    check_step_refused("likewise :1 | :0", "`likewise` without alternatives");
    check_step_refused("likewise :1 :0", "`:0`, expected `|`, or the end");
    let check_behind = |want: &str, likewise: &str, expected: &str| {
        check_refused(
            &format!("{HEAD}want {want}\nwant any\n{likewise}\n"),
            &[&format!("x.case:7: {expected}")],
        );
    };
    let none = "`likewise` without alternatives before it, expected a `want`";
    check_behind(":1", "likewise :1 | :0", none);
    check_behind("*1 ( :1 | :0 )", "likewise :1 | :0", none);
    check_behind("error-or-close", "likewise :1 | :0", none);
    let other = "in `likewise`, expected 2 alternatives, as in the last `want`";
    check_behind(":1 | :0", "likewise :1", &format!("1 {other}"));
    check_behind(
        ":1 | error-or-close",
        "likewise :1 | :0 | :2",
        &format!("3 {other}"),
    );
    check_behind(":1 | :0", "likewise ( :1 | :0 )", &format!("1 {other}"));
    check_refused(
        &format!("{HEAD}want :1 | :0\ntimes 2\nlikewise :1 | :0\n"),
        &["x.case:7: `times` before `likewise`, expected send, raw or want"],
    );
}

#[test]
fn an_eventually_needs_its_pair() {
    let wrong = "x.case:6: another step after `eventually`";
    check_refused(
        &format!("{HEAD}eventually 5s\nwant any\nwant any\n"),
        &[wrong],
    );
    let other_party = format!("{HEAD}eventually 5s\nsend @2 PING\nwant any\nwant any\n");
    check_refused(&other_party, &["x.case:7: another step after `eventually`"]);
    check_refused(
        &format!("{HEAD}want any\neventually 5s\n"),
        &["x.case: `times` or `eventually` at the end"],
    );
}

#[test]
fn all_errors_are_reported_at_once() {
    let text = "case 1\n# A promise.\nspec x\nlevel y\nsned PING\nwant OK\n";
    check_refused(text, &["x.case:3:", "x.case:4:", "x.case:5:", "x.case:6:"]);
}

#[test]
fn words_become_bytes() {
    check_bytes("one two", b"onetwo");
    check_bytes("{$a1}:x", b"{keya1}:x");
    check_bytes("$a1$b22 ${a1}0", b"keya1b22keya10");
    check_bytes(
        r#""*2\r\n$3\r\nGET\r\n$${len $a1}\r\n$a1\r\n""#,
        b"*2\r\n$3\r\nGET\r\n$5\r\nkeya1\r\n",
    );
    check_bytes(r#""\x00\xff\"\\\t""#, b"\x00\xff\"\\\t");
    check_bytes(r#""\x24a1" $ $$ $A1 "\x7b""#, b"$a1$$$$A1{");
    check_bytes(r#""ab"*3"#, b"ababab");
    check_bytes(r#""${n}$k1"*2 ${n} ${run}*"#, b"7k7k7sp-*");
    check_bytes(r"\r", br"\r");
    check_bytes("\"caf\u{e9}\"", "caf\u{e9}".as_bytes());
}

#[test]
fn patterns_read_as_they_are_shown() {
    check_pattern("+OK", "+OK");
    check_pattern(":3", ":3");
    check_pattern("\"a b\"", "\"a b\"");
    check_pattern("nil | nil-array", "nil | nil-array");
    check_pattern("*2 \"a\" *1 :1", "*2 \"a\" *1 :1");
    check_pattern("*1 ( nil | error )", "*1 nil | error");
    check_pattern("*1 nil | error", "*1 nil | error");
    check_pattern("*0", "*0 ");
    check_pattern("+OK :1 \"x\"", "+OK ; :1 ; \"x\"");
    check_pattern(
        "error ERR containing \"x y\"",
        "error ERR containing \"x y\"",
    );
    check_pattern("error error \"x\"", "error ; error ; \"x\"");
    check_pattern("error-or-close", "error-or-close");
    check_pattern("error-or-cut", "error-or-cut");
    check_pattern("error | close", "error | close");
    check_pattern("unordered *2 int bulk", "unordered *2 int bulk");
    check_pattern("bulk-length 3 any array", "bulk-length 3 ; any ; array");
    check_pattern("*2 cursor array", "*2 cursor array");
    check_pattern("_ #t #f ,1.5 (12", "_ ; #t ; #f ; ,1.5 ; (12");
    check_pattern("( _ | (1 )", "_ | (1");
    check_pattern("=txt \"a b\" =mkd x", "=txt \"a b\" ; =mkd \"x\"");
    check_pattern("double verbatim map set", "double ; verbatim ; map ; set");
    check_pattern("%2 +a :1 \"b\" *1 _ :3", "%2 +a :1 \"b\" *1 _ ; :3");
    check_pattern("%0 ~2 :1 ,1 >1 +a", "%0 ; ~2 :1 ,1 ; >1 +a");
    check_pattern("raw \"+OK\\r\\n\"", "raw \"+OK\\r\\n\"");
}

#[test]
fn keys_are_found_in_every_pattern() {
    let text = "want %1 $a1 *1 \"$a2\" ~1 \"$a3\" >1 \"$a4\" =txt $a5 ,$a6 ($a7";
    let text = text.replace("%1 $a1", "%1 \"$a1\"");
    let case = case(&source(&format!("{HEAD}{text}\n"))).unwrap();
    assert_eq!(case.variables.len(), 7);
}

#[test]
fn a_template_is_one_case_for_each_shape() {
    let text = "case 1\n# P of ${shape}.\nspec https://redis.io/\nlevel must\nshapes lengths from 4 to 7\n\
         times ${shape}\nsend GET \"x\"*${shape*2} ${shape+1} ${shape-5}\nwant any\n";
    let found = cases(&source(text)).expect(text);
    let ids: Vec<&str> = found.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["x@4", "x@5", "x@7"]);
    let case = &found[2];
    assert_eq!(case.promise, "P of 7.");
    let template = case.template.as_ref().expect("a template");
    assert_eq!(
        (template.id.as_str(), template.promise.as_str()),
        ("x", "P of N.")
    );
    let Action::Send { words, .. } = &case.steps[0].action else {
        panic!("{case:?}")
    };
    let words: Vec<Vec<u8>> = words.iter().map(|it| it.bytes(&Scope::default())).collect();
    assert_eq!(words[1..], [b"x".repeat(14), b"8".to_vec(), b"2".to_vec()]);
    assert_eq!(case.steps[0].times, 7);
    assert_eq!(
        cases(&source(&format!("{HEAD}want any\n")))
            .expect("a case")
            .len(),
        1
    );
}

#[track_caller]
fn check_template_refused(promise: &str, lines: &str, expected: &str) {
    let text = format!("case 1\n# {promise}\nspec https://x\nlevel must\n{lines}\nwant any\n");
    let errors = cases(&source(&text)).expect_err(&text);
    assert!(errors[0].to_string().starts_with(expected), "{errors:?}");
}

#[test]
fn a_template_with_a_mistake_is_refused_once() {
    let promise = "P of ${shape}.";
    check_template_refused(
        promise,
        "shapes sizes",
        "x.case:5: shapes `sizes`, expected bad-replies, byte-rows,",
    );
    check_template_refused(
        promise,
        "shapes lengths over 3",
        "x.case:5: `over`, expected `from N`",
    );
    check_template_refused(
        "P.",
        "shapes lengths",
        "x.case:5: `shapes` with the promise `P.`",
    );
    check_template_refused(
        promise,
        "shapes doubles\nsend GET ${shape+1}",
        "x.case:6: `${shape+1}` with the shape `-inf`",
    );
    check_template_refused(
        promise,
        "shapes lengths\nsend GET ${shape/2}",
        "x.case:6: `${shape/2}`",
    );
    check_template_refused(
        promise,
        "shapes lengths to 2\nsned",
        "x.case:6: verb `sned`",
    );
    let text = format!(
        "case 1\n# {promise}\nspec https://x\nlevel must\nshapes client-states\nsend ${{shape words}}\nwant any"
    );
    let found = cases(&source(&text)).expect(&text);
    let Action::Send { words, .. } = &found[1].steps[0].action else {
        panic!("{found:?}")
    };
    assert_eq!(words[..], ["auth", "default", "wrong"].map(Word::plain));
    check_template_refused("P.", "send GET ${shape}", "x.case:5: `${shape`, expected");
}

#[test]
fn a_request_can_end_with_a_group_of_words() {
    let Action::Send {
        words,
        group: Some(group),
        ..
    } = step("send MSET x 1 ( k${n} \"v \"*2 )*3")
    else {
        panic!("no group")
    };
    assert_eq!(words.len(), 3);
    let bytes = group.bytes(&Scope {
        repetition: 9,
        ..Scope::default()
    });
    let text: Vec<&str> = bytes
        .iter()
        .map(|it| std::str::from_utf8(it).unwrap())
        .collect();
    assert_eq!(text, ["k1", "v v ", "k2", "v v ", "k3", "v v "]);
    check_step_refused("send MSET ( k v", "an open `(`");
    check_step_refused("send MSET ( )*2", "an open `(`");
    check_step_refused("send MSET ( k )*x", "`x`, expected a number");
    check_step_refused("send MSET ( k )*2 v", "an open `(`");
    check_step_refused("send ( k )*2", "the end of the line, expected words");
}

#[test]
fn elements_of_an_array_can_be_repeated() {
    check_pattern("*3 :0 ( \"v${n}\" )*2", "*3 :0 ( \"v0\" )*2");
    check_pattern("*4 ( any ( +OK | :1 ) )*2 :5", "*4 ( any +OK | :1 )*2 ; :5");
    check_pattern("*0 ( any )*0", "*0 ( any )*0");
    check_pattern(
        "*2 ( any | :1 ) *1 ( *1 ( :7 )*1 )*1",
        "*2 any | :1 *1 ( *1 ( :7 )*1 )*1",
    );
    check_step_refused(
        "want *3 ( any )*2",
        "an array of 2 patterns, expected 3 of them",
    );
    check_step_refused(
        "want *3 ( any any )*2",
        "an array of 4 patterns, expected 3 of them",
    );
    check_step_refused("want ( any )*2", "an open `(`, expected `)`");
}

#[test]
fn a_repeated_step_can_be_of_one_client_each() {
    let Action::Want { from, .. } = step("times 3\nwant @* any") else {
        panic!("no want")
    };
    assert_eq!(from, Party::EachClient);
    check_step_refused("nothing @*", "node `*`");
    let text = format!("{HEAD}times 65536\nsend @* PING\nwant any\n");
    check_refused(&text, &["x.case:6: 65536 clients, expected up to 65535"]);
}

#[test]
fn pauses_and_keys_have_bounds() {
    let time = std::time::Duration::from_millis(1500);
    assert_eq!(step("pause 1500ms"), Action::Pause { time });
    check_step_refused("pause 6s", "a pause of 6 s, expected up to 5 s");
    check_step_refused(
        "send GET ${pad $k1 5}",
        "a key of 5 bytes, expected at least 32",
    );
    check_step_refused("send GET ${pad $k1}", "`${pad $k1`");
    check_bytes("${pad $k1 32}", format!("k{}", "x".repeat(31)).as_bytes());
}

#[test]
fn steps_have_a_client_and_an_action() {
    let words = |words: &[&str]| words.iter().map(|word| Word::plain(word)).collect();
    assert_eq!(
        step("send @2 GET x"),
        Action::Send {
            from: Party::Client(2),
            words: words(&["GET", "x"]),
            group: None,
        }
    );
    assert_eq!(
        step("want @B nil"),
        Action::Want {
            from: Party::Node(1),
            patterns: vec![Pattern::NullBulk],
        }
    );
    let text = "want +OK | nil | :1 any\nlikewise @B \"$b1\" | ( :0 | :1 ) | error-or-close\n";
    let likewise = case(&source(&format!("{HEAD}{text}"))).unwrap();
    let Action::Likewise { from, alternatives } = &likewise.steps[1].action else {
        panic!("{likewise:?}")
    };
    assert_eq!((*from, alternatives.len()), (Party::Node(1), 3));
    assert_eq!(likewise.variables.len(), 1);
    assert_eq!(
        step("asked C 2 flushall"),
        Action::Asked {
            node: 2,
            asked: Asked::Command {
                count: 2,
                name: "FLUSHALL".to_owned(),
            },
        }
    );
    assert_eq!(
        step("asked A nothing"),
        Action::Asked {
            node: 0,
            asked: Asked::Nothing,
        }
    );
    assert_eq!(
        step("fault B latency 2s"),
        Action::Fault {
            node: 1,
            fault: "latency 2s".parse().unwrap(),
        }
    );
}
