//! Tests that run, or that say why they do not.

use conformance::{Case, skipped};
use libtest_mimic::{Failed, Trial};
use testbed::targets::Target;

/// Whether a test runs here.
#[derive(Debug, Clone)]
pub enum Presence {
    /// It runs.
    Expected,
    /// Something is missing that is not required: the test is listed as ignored, with this reason.
    Missing(String),
    /// Something is missing that is required: the test fails with this reason.
    Required(String),
}

impl Presence {
    /// Of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Expected, _) | (Self::Missing(_), Self::Required(_)) => other,
            _ => self,
        }
    }
}

/// A test that is ignored or fails, with the reason, if something that it needs is missing. Never passes without having
/// run.
pub fn trial(
    name: impl Into<String>,
    presence: Presence,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let absent = |why: String| move || Err(why.into());
    match presence {
        Presence::Expected => Trial::test(name, test),
        Presence::Required(why) => Trial::test(name, absent(why)),
        Presence::Missing(why) => Trial::test(name, absent(why.clone()))
            .with_kind(why)
            .with_ignored_flag(true),
    }
}

/// The test of a case on a target: ignored if the target does not claim what the case needs.
pub fn case_trial(
    target: &Target,
    case: &Case,
    presence: Presence,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let presence = match skipped(target, case) {
        Some(why) => presence.and(Presence::Missing(why)),
        None => presence,
    };
    trial(case_name(target, case), presence, test)
}

/// The name of a case's test.
pub(super) fn case_name(target: &Target, case: &Case) -> String {
    format!("cases::{}::{}", target.name, case.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_never_counts_as_passed() {
        let passes = || Ok(());
        let missing = trial("x", Presence::Missing("no program".to_owned()), passes);
        assert!(missing.has_ignored_flag());
        assert_eq!(missing.kind(), "no program");
        let required = trial("x", Presence::Required("no program".to_owned()), passes);
        assert!(!required.has_ignored_flag(), "it runs, and fails");
    }

    #[test]
    fn what_is_required_outweighs_what_is_missing() {
        let missing = || Presence::Missing("missing".to_owned());
        let required = Presence::Required("required".to_owned());
        let outweighs = |presence| matches!(presence, Presence::Required(_));
        assert!(outweighs(missing().and(required.clone())));
        assert!(outweighs(required.and(missing())));
        let first = Presence::Expected.and(missing());
        assert!(matches!(first, Presence::Missing(why) if why == "missing"));
    }
}
