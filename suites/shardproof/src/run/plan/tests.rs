use std::io::{self, Write};

use super::{Error, count};
use crate::keys::{Error as Unread, Form, Lines, Pattern, Source};
use crate::planner::description::{Hints, inline};
use crate::planner::plan::{Change, Detail, Report};

fn change() -> Change {
    let described = |text| inline(text, &Hints::default()).unwrap();
    let (from, to) = ("maglev:a:1,b:1,c:1", "maglev:a:1,b:1,c:1,d:1");
    Change::new(described(from), described(to)).unwrap()
}

const KEYS: u64 = 300_000;

fn generated() -> impl Source {
    Pattern::new("key:{n}").unwrap().generate(KEYS)
}

#[test]
fn threads_count_the_same_as_one() {
    let change = change();
    let counts = count(&change, &mut generated(), None, &|_| {}).unwrap();
    let mut alone = change.counts();
    for number in 0..KEYS {
        change.count(&mut alone, format!("key:{number}").as_bytes());
    }
    let report = |counts| Report::new(&change, counts, [""; 3], Detail::Table);
    assert_eq!(report(counts), report(alone));
}

#[test]
fn moved_keys_are_written_in_their_order() {
    let change = change();
    let mut file = Vec::new();
    let counts = count(&change, &mut generated(), Some(&mut file), &|_| {}).unwrap();
    let text = String::from_utf8(file).unwrap();
    let mut expected = String::new();
    let mut moved = 0;
    for number in 0..KEYS {
        let key = format!("key:{number}");
        let mut once = change.counts();
        if let Some(moves) = change.count(&mut once, key.as_bytes()) {
            let [from, to] = [moves.from, moves.to].map(|node| &change.addresses()[node]);
            expected += &format!("{key}\t{from}\t{to}\n");
            moved += 1;
        }
    }
    assert!(
        text == expected,
        "{} lines, {moved} expected",
        text.lines().count()
    );
    assert_eq!(counts.keys(), KEYS);
}

#[test]
fn a_line_that_is_no_key_ends_the_count() {
    let mut text = "00\n".repeat(2_000_000);
    text.push_str("0x\n");
    text.push_str(&"00\n".repeat(2_000_000));
    let mut source = Lines::of(Box::new(io::Cursor::new(text)), "keys.txt", Form::Hex);
    let mut file = Vec::new();
    let why = count(&change(), &mut source, Some(&mut file), &|_| {}).unwrap_err();
    let Error::Keys(why) = why else {
        panic!("{why}");
    };
    let expected = Unread::NotHex {
        file: "keys.txt".to_owned(),
        line: 2_000_001,
    };
    assert_eq!(why, expected);
}

#[test]
fn a_full_disk_ends_the_count() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let why = count(&change(), &mut generated(), Some(&mut Full), &|_| {}).unwrap_err();
    let expected = "cannot write the moved keys: no storage space";
    assert_eq!(why.to_string(), expected);
}
