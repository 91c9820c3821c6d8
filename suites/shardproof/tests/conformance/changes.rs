//! Changes of a proxy's cluster in cases: what a proxy accepts or refuses is judged, and the next case finds the usual
//! cluster.

use conformance::verdict::{Class, Verdict};
use conformance::{Case, Harness, load};
use libtest_mimic::{Failed, Trial};
use testbed::cluster::RunOptions;
use testbed::fixtures::Source;
use testbed::targets::{Rescale, Target};
use tokio::runtime::Builder;

use crate::support;
use crate::turns;

const SEED: u64 = 1;
const PORT_BASE: u16 = 22_851;

pub(crate) fn trials() -> Vec<Trial> {
    let targets = support::targets();
    let restored = targets.iter().map(|target| {
        let name = format!("changes::{}::next-case-has-the-usual-cluster", target.name);
        trial(
            name,
            target.clone(),
            &[REMOVES, BREAKS, USUAL],
            |verdicts| matches!(verdicts, [Verdict::Pass, Verdict::Fail(_), Verdict::Pass]),
        )
    });
    let judged = targets.iter().filter_map(judged);
    restored.chain(judged.flatten()).collect()
}

/// Proxies that change live, with a target file that is wrong about what they refuse.
fn judged(target: &Target) -> Option<[Trial; 2]> {
    let Rescale::Put { path, body, .. } = &target.rescale else {
        return None;
    };
    let put = |body: &str, malformed: &str| Target {
        rescale: Rescale::Put {
            path: path.clone(),
            body: body.to_owned(),
            malformed: vec![malformed.to_owned()],
        },
        ..target.clone()
    };
    let name = |what: &str| format!("changes::{}::{what}", target.name);
    Some([
        trial(
            name("accepted-malformed-cluster-is-wrong"),
            put(body, body),
            &[MALFORMED, USUAL],
            |verdicts| is_broken(verdicts, Class::Wrong),
        ),
        trial(
            name("refused-cluster-is-a-refusal"),
            put("", ""),
            &[REMOVES, USUAL],
            |verdicts| is_broken(verdicts, Class::Refused),
        ),
    ])
}

fn is_broken(verdicts: &[Verdict], class: Class) -> bool {
    matches!(verdicts, [Verdict::Fail(evidence), Verdict::Pass] if evidence.class == class)
}

const REMOVES: &str = "disturbs proxy\nrescale 2\nsend SET $ca1 x\nwant +OK\nasked A $ca1\n";
const BREAKS: &str = "disturbs proxy\nrescale 4\nsend SET $ad1 x\nwant nil\n";
const MALFORMED: &str = "disturbs proxy\ncluster bad\nwant any\n";
const USUAL: &str = "send SET $a1 x\nsend SET $b1 x\nsend SET $c1 x\nwant +OK +OK +OK\n\
                     asked A $a1\nasked B $b1\nasked C $c1\n";

fn trial(
    name: String,
    target: Target,
    steps: &'static [&str],
    expected: fn(&[Verdict]) -> bool,
) -> Trial {
    let presence = support::presence(&target);
    turns::alone(name, presence, move || {
        support::prepare(&target);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let verdicts = runtime.block_on(verdicts(&target, steps))?;
        match expected(&verdicts) {
            true => Ok(()),
            false => Err(format!("{verdicts:#?}").into()),
        }
    })
}

async fn verdicts(target: &Target, steps: &[&str]) -> Result<Vec<Verdict>, Failed> {
    let options = RunOptions {
        link_port_base: PORT_BASE,
        ..RunOptions::new(support::search(), SEED)
    };
    let mut harness = Harness::start(target, &options).await?;
    let mut verdicts = Vec::new();
    for case in cases(steps) {
        verdicts.push(harness.judge(&case).await.verdict);
    }
    harness.finish().await?;
    Ok(verdicts)
}

fn cases(steps: &[&str]) -> Vec<Case> {
    let source = |(number, steps): (usize, &&str)| Source {
        path: format!("{number}.case"),
        id: format!("changes/{number}"),
        text: format!("case 1\n# P.\nspec https://x\nlevel must\n{steps}"),
    };
    let sources: Vec<Source> = steps.iter().enumerate().map(source).collect();
    load(&sources).expect("valid cases")
}
