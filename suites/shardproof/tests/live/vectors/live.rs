//! Live agreement: a random configuration, the real program with it, and each key must be where placement says.
//!
//! `PROPTEST_CASES` is the number of configurations, `PROPTEST_RNG_SEED` repeats a run.

mod envoy;
mod slots;
mod twemproxy;

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use minijinja::Environment;
use proptest::strategy::{BoxedStrategy, Strategy};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use serde::Serialize;
use testbed::targets::Target;

use crate::support;
use crate::vectors::configuration::Configuration;
use crate::vectors::{Keys, agree, landings};

/// Configurations per program, unless `PROPTEST_CASES` is set: each takes half a second.
const CASES: u32 = 12;
/// Limit of program starts in the search for a smaller counterexample.
const SHRINKS: u32 = 40;
/// One in this many keys of the set is written.
const EVERY: usize = 10;
/// The first of the ports that are leased for these nodes; not those of the recordings, which may run at the same time.
pub(crate) const PORT_BASE: u16 = 21401;

/// Texts of configurations that chance draws.
type Texts = fn() -> BoxedStrategy<String>;

/// The configurations for each target whose placement is compared.
const DRAWN: [(&str, Texts); 2] = [("envoy", envoy::texts), ("twemproxy", twemproxy::texts)];

/// One trial per program, and one for the slots of Redis itself.
pub(crate) fn trials(targets: &[Target], keys: &Keys) -> Vec<Trial> {
    let some: Keys = Arc::new(keys.iter().step_by(EVERY).cloned().collect());
    let drawn = targets.iter().filter_map(|target| {
        let (_, texts) = DRAWN.iter().find(|(name, _)| *name == target.name)?;
        Some((target.clone(), texts, Arc::clone(&some)))
    });
    let trials = drawn.map(|(target, texts, keys)| {
        let name = format!("vectors::live::{}", target.name);
        support::trial(name, support::presence(&target), move || {
            run(&target, &texts(), &keys)
        })
    });
    let all = Arc::clone(keys);
    let slots = Trial::test("vectors::live::redis-cluster", move || slots::run(&all));
    trials.chain([slots]).collect()
}

fn run(target: &Target, texts: &BoxedStrategy<String>, keys: &Keys) -> Result<(), Failed> {
    support::prepare(target);
    let config = config();
    let (cases, seed) = (config.cases, config.rng_seed);
    let outcome = TestRunner::new(config).run(texts, |text| case(target, text, keys));
    outcome.map_err(|error| {
        let story = match error {
            TestError::Fail(why, text) => format!("{why}\n\n{text}"),
            TestError::Abort(why) => why.to_string(),
        };
        let seed = match seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => 0,
        };
        let name = &target.name;
        Failed::from(format!(
            "{story}\nrepeat: PROPTEST_CASES={cases} PROPTEST_RNG_SEED={seed} cargo test --package shardproof --test live -- vectors::live::{name}"
        ))
    })
}

/// The configuration of the environment, with a known seed.
fn config() -> Config {
    let mut config = Config {
        failure_persistence: None,
        max_shrink_iters: SHRINKS,
        ..Config::default()
    };
    if env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one(CASES));
    }
    config
}

fn case(target: &Target, text: String, keys: &Keys) -> Result<(), TestCaseError> {
    let configuration = Configuration {
        target: target.clone(),
        name: "drawn".to_owned(),
        text,
    };
    if configuration.is_keyless() {
        return Err(TestCaseError::reject("some keys have no node"));
    }
    let described = configuration.described().map_err(TestCaseError::fail)?;
    let landings = landings(&configuration, &described, keys, PORT_BASE);
    let landings = landings.map_err(|why| TestCaseError::fail(why.to_string()))?;
    agree(&described, keys, &landings).map_err(TestCaseError::fail)
}

/// The addresses of nodes that chance draws from: of different lengths, so that their order is not that of their numbers.
fn addresses() -> Vec<String> {
    let hosts = [1, 10, 100, 2, 1, 11, 9, 101, 1];
    let places = hosts.iter().zip(PORT_BASE..);
    places
        .map(|(host, port)| format!("127.0.0.{host}:{port}"))
        .collect()
}

/// One to nine of the addresses in any order.
fn some_addresses() -> impl Strategy<Value = Vec<String>> {
    use proptest::prelude::*;
    (Just(addresses()).prop_shuffle(), 1..=addresses().len()).prop_map(|(mut all, count)| {
        all.truncate(count);
        all
    })
}

/// A weight: mostly a usual one, sometimes one that leaves the other nodes almost no keys.
fn weight() -> impl Strategy<Value = u32> {
    use proptest::prelude::*;
    prop_oneof![9 => 1..=10_u32, 1 => 1..=100_000_u32]
}

/// A configuration from a template; values that are known only when the program starts stay templates.
fn rendered(template: &str, draw: &impl Serialize) -> String {
    Environment::new()
        .render_str(template, minijinja::value::Serde(draw))
        .expect("the template fits what is drawn")
}
