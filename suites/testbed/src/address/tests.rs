//! The forms of an address, and that no password is shown.

use super::{Address, Mistake};

#[track_caller]
fn check(text: &str, shown: &str, user: Option<&str>, password: Option<&str>) {
    let address: Address = text.parse().unwrap();
    assert_eq!(address.to_string(), shown, "{text}");
    let login = address.login.as_ref();
    assert_eq!(login.and_then(|login| login.user.as_deref()), user);
    let given = login.and_then(|login| login.password.as_ref());
    assert_eq!(given.map(super::Secret::reveal), password);
    let again: Address = shown.parse().unwrap();
    assert_eq!(again.to_string(), shown, "the shown form is an address");
}

#[test]
fn every_form_is_read_and_shown_without_user_and_password() {
    check("host:6379", "host:6379", None, None);
    check("[::1]:6379", "[::1]:6379", None, None);
    check("redis://host:6379", "host:6379", None, None);
    check("redis://host:6379/", "host:6379", None, None);
    check("redis://host:6379/3", "redis://host:6379/3", None, None);
    check("rediss://host:6379", "rediss://host:6379", None, None);
    check("rediss://[::1]:1/2", "rediss://[::1]:1/2", None, None);
    check("unix:/run/a@b.sock", "unix:/run/a@b.sock", None, None);
    check("unix:///run/a.sock", "unix:/run/a.sock", None, None);
    check("/run/a.sock", "unix:/run/a.sock", None, None);
    check("redis://ann@host:1", "host:1", Some("ann"), None);
    check("redis://:pw@host:1", "host:1", None, Some("pw"));
    check("redis://ann:@host:1", "host:1", Some("ann"), Some(""));
    check(
        "redis://ann:p:@/w@host:1/0",
        "redis://host:1/0",
        Some("ann"),
        Some("p:@/w"),
    );
    check(
        "redis://a%40n:p%25w@host:1",
        "host:1",
        Some("a@n"),
        Some("p%w"),
    );
}

#[test]
fn mistakes_name_the_expected_form_and_repeat_nothing() {
    for (text, mistake) in [
        ("", Mistake::Form),
        ("hunter2", Mistake::Form),
        ("redis://:hunter2@host", Mistake::Form),
        ("http://hunter2:1", Mistake::Form),
        ("unix:", Mistake::Form),
        ("/", Mistake::Form),
        ("redis://:hunter2@", Mistake::Form),
        ("redis://:hunter2@:1", Mistake::Form),
        ("ann:hunter2@host:1", Mistake::Bare),
        ("hunter2@host:1", Mistake::Bare),
        ("redis://:%ff@host:1", Mistake::Encoding),
        ("host:hunter2", Mistake::Port),
        ("host:0", Mistake::Port),
        ("host:65536", Mistake::Port),
        ("host:+1", Mistake::Port),
        ("::1:6379", Mistake::Brackets),
        ("[::1:6379", Mistake::Brackets),
        ("redis://host:1/hunter2", Mistake::Database),
        ("redis://host:1/+1", Mistake::Database),
        ("redis://host:1/99999999999", Mistake::Database),
    ] {
        let wrong = text.parse::<Address>().unwrap_err();
        assert_eq!(wrong, mistake, "{text}");
        let shown = format!("{wrong} {wrong:?}");
        assert!(shown.contains("expected ") || mistake == Mistake::Encoding);
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn no_form_of_debug_shows_a_user_or_password() {
    let address: Address = "redis://ann:hunter2@host:1".parse().unwrap();
    let shown = format!("{address:?} {address:#?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("ann"),
        "{shown}"
    );
}
