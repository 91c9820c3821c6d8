//! What each law costs on long runs of all workloads, with taps and faults.
//!
//! `cargo bench -p shardproof-chaos --bench laws` judges a run of 50,000 requests and one of 200,000. CPU is the time of
//! this thread; growth is CPU per request of the long run over that of the short one, 1 where a law is linear. Windows,
//! stalls and samples grow with the run, keys too. Each law is timed three times, and the fastest counts.

#[path = "../cost/mod.rs"]
mod cost;
mod node;
mod run;

use shardproof_chaos::law::{LAWS, Law, Verdict};
use shardproof_chaos::observed::Observed;

const SIZES: [usize; 2] = [50_000, 200_000];
const ROUNDS: usize = 3;

fn main() {
    let [short, long] = SIZES.map(run::observed);
    for observed in [&short, &long] {
        println!(
            "{} requests of {} sessions, {} keys, {} windows, {} stalls, {} samples",
            observed.history.records.len(),
            observed.sessions.len(),
            observed.owners.len(),
            observed.windows.len(),
            observed.stalls.len(),
            observed.samples.len()
        );
    }
    println!(
        "{:<24} {:>10} {:>10} {:>7}  verdict",
        "", "short ms", "long ms", "growth"
    );
    let mut total = 0.0;
    for law in LAWS {
        let ((short_ms, _), (long_ms, verdict)) = (timed(*law, &short), timed(*law, &long));
        let requests = long.history.records.len() as f64 / short.history.records.len() as f64;
        total += long_ms;
        println!(
            "{:<24} {short_ms:>10.1} {long_ms:>10.1} {:>7.2}  {}",
            law.id(),
            long_ms / short_ms / requests,
            said(&verdict)
        );
    }
    println!("{:<24} {:>10} {total:>10.1}", "all", "");
}

/// Milliseconds and the verdict.
fn timed(law: &dyn Law, observed: &Observed) -> (f64, Verdict) {
    let mut fastest = f64::INFINITY;
    let mut verdict = law.judge(observed);
    for _ in 0..ROUNDS {
        let begun = cost::cpu_seconds();
        verdict = law.judge(observed);
        fastest = fastest.min((cost::cpu_seconds() - begun) * 1e3);
    }
    (fastest, verdict)
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Kept { judged, .. } => format!("kept, {judged} judged"),
        Verdict::Broken(violation) => format!("BROKEN: {}", violation.sentence),
        Verdict::NotPromised { missing } => format!("not promised: {missing}"),
        Verdict::Unknown { missing } => format!("unknown: {missing}"),
    }
}
