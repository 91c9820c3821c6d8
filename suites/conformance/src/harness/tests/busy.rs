//! A case on a busy machine: the double answers its first ECHO when a thread has waited for a processor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::super::Harness;
use super::super::spoiled::Waits;
use super::{Allowed, Arguments, OP_TIMEOUT_MS, Script, case, double};
use crate::verdict::{Class, Verdict};

const ECHO: &str = "send ECHO one\nwant \"one\"\n";

/// Keeps all processors busy until a thread has waited longer than the time limit of a request.
fn until_a_thread_waits() {
    let busy = Arc::new(AtomicBool::new(true));
    let waits = Waits::begin();
    let threads = 2 * thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..threads {
        let busy = Arc::clone(&busy);
        thread::spawn(move || {
            while busy.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while waits.longest() < Duration::from_millis(OP_TIMEOUT_MS) {
        assert!(Instant::now() < deadline, "no thread waited");
        thread::yield_now();
    }
    busy.store(false, Ordering::Relaxed);
}

/// How many ECHO came before this one; None for the requests of the harness itself.
fn request_number(request: &Arguments, echoes: &AtomicUsize) -> Option<usize> {
    (request[0] == b"ECHO"[..]).then(|| echoes.fetch_add(1, Ordering::Relaxed))
}

/// The verdict on a double.
async fn judged(script: Script) -> Verdict {
    let proxy = double(script).await;
    let harness = Harness::attach(proxy, &[], OP_TIMEOUT_MS, Allowed::default(), 7);
    harness.await.unwrap().judge(&case(ECHO)).await.verdict
}

#[tokio::test]
async fn a_failure_by_time_is_judged_again() {
    static ECHOES: AtomicUsize = AtomicUsize::new(0);
    let script: Script = |request| match request_number(request, &ECHOES) {
        None => Some(b"+OK\r\n"),
        Some(0) => {
            until_a_thread_waits();
            Some(b"-ERR timeout\r\n")
        }
        Some(_) => Some(b"$3\r\none\r\n"),
    };
    assert_eq!(judged(script).await, Verdict::Pass);
    assert_eq!(ECHOES.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn an_untrue_answer_fails_at_once() {
    static ECHOES: AtomicUsize = AtomicUsize::new(0);
    let script: Script = |request| match request_number(request, &ECHOES) {
        None => Some(b"+OK\r\n"),
        Some(0) => {
            until_a_thread_waits();
            Some(b"$3\r\ntwo\r\n")
        }
        Some(_) => Some(b"$3\r\none\r\n"),
    };
    let Verdict::Fail(evidence) = judged(script).await else {
        panic!("kept");
    };
    assert_eq!(evidence.class, Class::Wrong);
    assert_eq!(ECHOES.load(Ordering::Relaxed), 1);
}
