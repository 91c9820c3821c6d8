//! `run` on a proxy that already runs: judged cases, the end of the run, and the line that repeats it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use crate::program::{CASE, OWN, check, fixtures, redis, shardproof, stub};

#[test]
fn nothing_judged_is_2() {
    let (_server, addr) = redis();
    let folder = fixtures(&CASE.replace("level", "disturbs nodes\nlevel"), &stub(""));
    let path = folder.path().to_str().unwrap();
    let run = [&["run", "--proxy", &addr, "--fixtures", path][..], &OWN].concat();
    check(
        &shardproof(&run),
        2,
        &["nothing judged", "group/some-case", "--allow-disturbing"],
    );
    let allowed = shardproof(&[&run[..], &["--allow-disturbing"]].concat());
    assert_eq!(allowed.status.code(), Some(0));
    // The permission for data does not cover state that clients share.
    let destroying = shardproof(&[&run[..], &["--allow-destructive"]].concat());
    check(&destroying, 2, &["nothing judged"]);
}

#[test]
fn the_repeat_line_judges_the_same_again() {
    let (_server, addr) = redis();
    let broken = "case 1
# A key keeps its value.
spec   https://redis.io/docs/latest/commands/get/
level  should
destructive
disturbs nodes
given  A $a1 = one
send   GET $a1
want   \"two\"
";
    let folder = fixtures(broken, &stub(""));
    let copied = folder.path().join("it's here");
    for name in ["conformance", "targets"] {
        fs::create_dir_all(&copied).unwrap();
        fs::rename(folder.path().join(name), copied.join(name)).unwrap();
    }
    let path = copied.to_str().unwrap();
    let first = shardproof(&[
        "run",
        "--proxy",
        &addr,
        "--node",
        &addr,
        "--fixtures",
        path,
        OWN[0],
        OWN[1],
        "--allow-destructive",
        "--allow-disturbing",
        "--strict",
        "--op-timeout-ms",
        "700",
    ]);
    let said = String::from_utf8(first.stdout).unwrap();
    let (_, line) = said.split_once("repeat: shardproof ").expect(&said);
    let line = line.lines().next().unwrap();
    let program = env!("CARGO_BIN_EXE_shardproof");
    let again = Command::new("sh")
        .args(["-c", &format!("'{program}' {line}")])
        .output()
        .unwrap();
    // Times and versions apart.
    let judged = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.contains(" ms ") && !line.contains(" s)"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(first.status.code(), Some(1), "{said}");
    assert_eq!(again.status.code(), Some(1), "{line}");
    let repeated = String::from_utf8(again.stdout).unwrap();
    assert_eq!(judged(&repeated), judged(&said));
}

#[test]
fn the_run_ends_after_as_many_failures_as_it_may_have() {
    let (_server, addr) = redis();
    let folder = fixtures(&CASE.replace("+PONG", "+PING"), &stub(""));
    let group = folder.path().join("conformance/group");
    fs::write(group.join("zebra.case"), CASE).unwrap();
    let path = folder.path().to_str().unwrap();
    let run = [&["run", "--proxy", &addr, "--fixtures", path][..], &OWN].concat();
    let output = shardproof(&[&run[..], &["--max-failures", "1", "--verbose"]].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    check(&output, 1, &["FAIL", "group/some-case", "wrong"]);
    assert!(said.contains("skip    zebra  (not judged"), "{said}");
    assert!(
        said.contains("0 pass") && said.contains("FAILED: 1 must"),
        "{said}"
    );
}

/// A proxy that answers the requests with which a run begins, and is silent from the first case on.
#[test]
fn a_proxy_that_stops_answering_ends_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let hung = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), hung) = (stream, hung.clone()) else {
                return;
            };
            std::thread::spawn(move || {
                let mut bytes = vec![0; 65536];
                while let Ok(1..) = stream.read(&mut bytes) {
                    let asked = String::from_utf8_lossy(&bytes).to_string();
                    if asked.contains("STRLEN") {
                        hung.store(true, std::sync::atomic::Ordering::SeqCst);
                    }
                    if hung.load(std::sync::atomic::Ordering::SeqCst) {
                        continue;
                    }
                    let _ = stream.write_all(b"+PONG\r\n");
                    bytes.fill(0);
                }
            });
        }
    });
    let case = CASE.replace("PING\nwant   +PONG", "STRLEN $k1\nwant   :0");
    let folder = fixtures(&case, &stub(""));
    let group = folder.path().join("conformance/group");
    fs::write(group.join("a.case"), CASE.replace("PING is", "It is")).unwrap();
    for name in ["t", "u", "v", "w"] {
        fs::write(group.join(format!("{name}.case")), &case).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let output = shardproof(&[
        "run",
        "--proxy",
        &addr,
        "--fixtures",
        path,
        OWN[0],
        OWN[1],
        "--op-timeout-ms",
        "20",
        "--verbose",
    ]);
    check(&output, 2, &["stopped answering in group/some-case"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("pass    a\n"), "{said}");
    assert!(said.contains("unknown w  (not judged"), "{said}");
    assert!(
        said.contains("1 pass") && said.contains("FAILED: 3 must"),
        "{said}"
    );
}

/// Two cases of level must and one of level should; `zebra` is broken.
fn three_cases() -> tempfile::TempDir {
    let folder = fixtures(CASE, &stub(""));
    let group = folder.path().join("conformance/group");
    fs::write(group.join("zebra.case"), CASE.replace("+PONG", "+PING")).unwrap();
    let should = CASE.replace("level  must", "level  should");
    fs::write(
        group.join("aardvark.case"),
        should.replace("PING is", "It is"),
    )
    .unwrap();
    folder
}

#[test]
fn cases_are_left_out_by_pattern_and_by_level() {
    let (_server, addr) = redis();
    let folder = three_cases();
    let path = folder.path().to_str().unwrap();
    let run = |flags: &[&str]| {
        let run = [
            "run",
            "--proxy",
            &addr,
            "--fixtures",
            path,
            "--verbose",
            OWN[0],
            OWN[1],
        ];
        let output = shardproof(&[&run[..], flags].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        let names = ["aardvark", "some-case", "zebra"].into_iter();
        let names: Vec<&str> = names.filter(|name| said.contains(name)).collect();
        (output.status.code(), names.join(" "))
    };
    assert_eq!(run(&[]), (Some(1), "aardvark some-case zebra".to_owned()));
    assert_eq!(
        run(&["--exclude", "zeb"]),
        (Some(0), "aardvark some-case".to_owned())
    );
    assert_eq!(
        run(&["--level", "must"]),
        (Some(1), "some-case zebra".to_owned())
    );
    let both = [
        "--level",
        "should",
        "--level",
        "must",
        "--exclude",
        "*/zebra",
    ];
    assert_eq!(run(&both), (Some(0), "aardvark some-case".to_owned()));
    let wrong = |flags: &[&str], parts: &[&str]| {
        let run = ["run", "--proxy", &addr, "--fixtures", path, OWN[0], OWN[1]];
        check(&shardproof(&[&run[..], flags].concat()), 64, parts);
    };
    wrong(
        &["--exclude", "no-such"],
        &["--exclude no-such: matches none of"],
    );
    wrong(
        &["--level", "may"],
        &["no case is left by --filter, --exclude and --level"],
    );
    wrong(
        &["--level", "most"],
        &["--level", "expected must, should or may"],
    );
}

#[test]
fn fewer_judged_cases_than_required_are_2() {
    let (_server, addr) = redis();
    let folder = three_cases();
    let path = folder.path().to_str().unwrap();
    let run = |flags: &[&str]| {
        let run = ["run", "--proxy", &addr, "--fixtures", path, OWN[0], OWN[1]];
        shardproof(&[&run[..], flags].concat())
    };
    let short = format!("{addr}: 3 judged, expected at least 4");
    check(&run(&["--min-judged", "4"]), 2, &[&short]);
    assert_eq!(run(&["--min-judged", "3"]).status.code(), Some(1));
    let kept = run(&["--min-judged", "2", "--exclude", "zebra"]);
    assert_eq!(kept.status.code(), Some(0));
}

#[test]
fn reports_for_ci_have_the_figures_of_the_run() {
    let (_server, addr) = redis();
    let folder = three_cases();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (ctrf, summary, badge) = (path("ctrf.json"), path("summary.md"), path("badge.json"));
    fs::write(&summary, "# Before\n").unwrap();
    let output = shardproof(&[
        "run",
        "--proxy",
        &addr,
        "--fixtures",
        &path(""),
        OWN[0],
        OWN[1],
        "--ctrf",
        &ctrf,
        "--summary",
        &summary,
        "--badge",
        &badge,
    ]);
    check(&output, 1, &["report: ", "summary.md"]);
    let json = |file: &str| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    };
    let figures = &json(&ctrf)["results"]["summary"];
    let of = |name: &str| figures[name].as_u64().unwrap();
    assert_eq!((of("tests"), of("passed"), of("failed")), (3, 2, 1));
    assert!(of("stop") > 1_700_000_000_000);
    assert_eq!(json(&badge)["message"], "1 wrong");
    let said = fs::read_to_string(&summary).unwrap();
    assert!(
        said.starts_with("# Before\n## shardproof: a promise is broken\n"),
        "{said}"
    );
    assert!(
        said.contains("FAILED: 1 must; silently wrong answers: 1 |"),
        "{said}"
    );
    assert!(said.contains("| FAIL, must, wrong |"), "{said}");
}
