use super::lines::Form;
use super::{Block, Error, Given, Lines, Pattern, Source};

/// All keys of a source, and how many each block said that it had.
fn all(mut source: impl Source) -> Result<Vec<Vec<u8>>, Error> {
    let mut block = Block::default();
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let mut blocks = 0;
    while source.fill(&mut block)? {
        assert_eq!(block.number, blocks);
        blocks += 1;
        let known = keys.len() as u64;
        let said = block.each(|key| keys.push(key.to_vec()))?;
        assert_eq!(known + said, keys.len() as u64);
    }
    Ok(keys)
}

fn lines(text: &'static str, form: Form, block_bytes: usize) -> Lines {
    Lines::of(Box::new(text.as_bytes()), "keys.txt", form).limited(block_bytes, 6)
}

#[track_caller]
fn check(text: &'static str, form: Form, expected: &[&[u8]]) {
    for block_bytes in 1..=text.len() + 1 {
        let keys = all(lines(text, form, block_bytes)).unwrap();
        assert_eq!(keys, expected, "{text:?} by {block_bytes}");
    }
}

#[track_caller]
fn wrong(text: &'static str, form: Form, expected: &str) {
    for block_bytes in 1..=text.len() + 1 {
        let why = all(lines(text, form, block_bytes)).unwrap_err();
        assert_eq!(why.to_string(), expected, "{text:?} by {block_bytes}");
    }
}

#[test]
fn a_line_is_a_key_byte_by_byte() {
    check("", Form::Plain, &[]);
    check("\n", Form::Plain, &[b""]);
    check("a\n\nb", Form::Plain, &[b"a", b"", b"b"]);
    check(" a \r\nbb\n", Form::Plain, &[b" a \r", b"bb"]);
    check("123456\n123456", Form::Plain, &[b"123456", b"123456"]);
}

/// Available bytes of a pipe are passed on before its end.
#[test]
fn a_slow_pipe_holds_nothing_back() {
    struct Pipe(Vec<&'static [u8]>);
    impl std::io::Read for Pipe {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            assert!(!self.0.is_empty(), "more is asked for than is needed");
            let some = self.0.remove(0);
            bytes[..some.len()].copy_from_slice(some);
            Ok(some.len())
        }
    }
    let mut lines = Lines::of(
        Box::new(Pipe(vec![b"a\nb", b"c\n", b""])),
        "pipe",
        Form::Plain,
    );
    let mut block = Block::default();
    for expected in ["a", "bc"] {
        assert!(lines.fill(&mut block).unwrap());
        let mut keys = Vec::new();
        block.each(|key| keys.push(key.to_vec())).unwrap();
        assert_eq!(keys, [expected.as_bytes()]);
    }
    assert!(!lines.fill(&mut block).unwrap());
}

#[test]
fn a_line_may_be_hexadecimal() {
    check("00fF\n\n0a\n", Form::Hex, &[b"\x00\xff", b"", b"\n"]);
    check("313233343536", Form::Hex, &[b"123456"]);
}

#[test]
fn an_invalid_key_is_named_by_its_line() {
    let hex = "not hexadecimal, expected pairs of the digits 0-9 and a-f";
    wrong("00\n0\n", Form::Hex, &format!("keys.txt:2: {hex}"));
    wrong("00\n\n0g", Form::Hex, &format!("keys.txt:3: {hex}"));
    let long = "key of more than 6 bytes, the limit of Redis";
    wrong("a\n1234567\n", Form::Plain, &format!("keys.txt:2: {long}"));
    wrong("1234567", Form::Plain, &format!("keys.txt:1: {long}"));
    wrong(
        "31323334353637\n",
        Form::Hex,
        &format!("keys.txt:1: {long}"),
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let why = Lines::open("/none/keys.txt".as_ref(), Form::Plain).err();
    let why = why.unwrap().to_string();
    assert!(why.starts_with("cannot read /none/keys.txt: "), "{why}");
}

#[test]
fn patterns_count_from_0() {
    let keys = all(Pattern::new("a{n}b{n}").unwrap().generate(1001)).unwrap();
    let expected: Vec<Vec<u8>> = (0..1001)
        .map(|n| format!("a{n}b{n}").into_bytes())
        .collect();
    assert_eq!(keys, expected);
    assert_eq!(Pattern::new("key"), None);
}

/// The last key of a block and the first one of the next are neighbours.
#[test]
fn blocks_of_numbers_have_no_gap() {
    let keys = all(Pattern::new("{n}").unwrap().generate(200_000)).unwrap();
    assert_eq!(keys.len(), 200_000);
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(*key, number.to_string().into_bytes());
    }
}

#[test]
fn keys_may_be_given() {
    let keys = vec![b"a".to_vec(), Vec::new(), b"b".to_vec()];
    assert_eq!(all(Given::new(keys.clone())).unwrap(), keys);
}
