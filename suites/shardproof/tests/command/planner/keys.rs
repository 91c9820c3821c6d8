//! Keys of `plan` from files, pipes and the program itself.

use std::fs;

use super::{check, file, nodes, piped, shardproof, stdout};

#[test]
fn keys_come_from_files_and_pipes_and_moved_ones_are_listed() {
    let (from, to) = (nodes("maglev", 3), nodes("maglev", 4));
    let keys: String = (0..10_000)
        .map(|number| format!("key:{number}\n"))
        .collect();
    let hex: String = (0..10_000)
        .map(|number| {
            let key = format!("key:{number}");
            let digits: String = key.bytes().map(|byte| format!("{byte:02X}")).collect();
            digits + "\n"
        })
        .collect();
    let (folder, path) = file("keys.txt", &keys);
    let moved = folder.path().join("moved.txt");
    let plan = [
        "plan",
        "--from",
        &from,
        "--to",
        &to,
        "--moved",
        moved.to_str().unwrap(),
    ];
    let same = "moved            2535   25.4 %";
    let text = stdout(shardproof(&[&plan[..], &["--keys", &path]].concat()));
    assert!(text.contains(same), "{text}");
    let lines = fs::read_to_string(&moved).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 2536);
    assert_eq!(lines[0], "# key\tnode before\tnode after");
    assert!(
        lines[1..]
            .iter()
            .all(|line| line.starts_with("key:") && line.matches('\t').count() == 2)
    );
    let hexed = ["plan", "--from", &from, "--to", &to, "--keys", "-", "--hex"];
    let text = stdout(piped(&hexed, hex.as_bytes()));
    assert!(text.contains(same), "{text}");
    let listed = [
        "plan", "--from", &from, "--to", &to, "--keys", "-", "--moved", "-",
    ];
    let text = stdout(piped(&listed, keys.as_bytes()));
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn generated_keys_are_reported_as_such() {
    let text = stdout(shardproof(&[
        "plan",
        "--from",
        "jump:a:1",
        "--to",
        "jump:a:1,b:1",
        "--count",
        "10",
    ]));
    assert!(text.contains("10 keys generated as key:{n}\n"), "{text}");
    let text = stdout(shardproof(&[
        "plan",
        "--from",
        "jump:a:1",
        "--to",
        "jump:a:1,b:1",
    ]));
    assert!(
        text.contains("1000000 keys generated as key:{n}, because"),
        "{text}"
    );
}

#[test]
fn mistakes_in_keys_are_2_with_their_place() {
    let plan = ["plan", "--from", "maglev:a:1", "--to", "maglev:a:1,b:1"];
    let locate = ["locate", "--cluster", "maglev:a:1"];
    let (_folder, path) = file("keys.txt", "00\n0\n");
    for command in [&plan[..], &locate[..]] {
        check(
            &[command, &["--keys", "/none.txt"]].concat(),
            2,
            &["cannot read /none.txt"],
        );
        check(
            &[command, &["--keys", "/tmp"]].concat(),
            2,
            &["cannot read /tmp"],
        );
        check(
            &[command, &["--keys", &path, "--hex"]].concat(),
            2,
            &["keys.txt:2: ", "not hexadecimal"],
        );
    }
}

/// The file is sparse, and takes no space on the disk.
#[test]
fn a_key_that_no_redis_takes_is_2() {
    let (_folder, path) = file("keys.txt", "short\n");
    let keys = fs::OpenOptions::new().write(true).open(&path).unwrap();
    keys.set_len(6 + 512 * 1024 * 1024 + 1).unwrap();
    let plan = [
        "plan",
        "--from",
        "maglev:a:1",
        "--to",
        "maglev:a:1,b:1",
        "--keys",
        &path,
    ];
    check(&plan, 2, &["keys.txt:2: ", "more than 536870912 bytes"]);
}
