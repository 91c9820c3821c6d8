//! Several proxies in front of the same nodes: lists of nodes that differ are found, and the keys named.

use super::site::Site;

const SCENARIO: &str = "proxies-with-equal-node-lists";

pub(super) fn proxies_with_the_same_list_agree(site: &Site) {
    let further = site.further(&[0, 1, 2]);
    let judged = site.judged(&[SCENARIO, "--proxy", &further.addr().to_string()]);
    judged.check_judged(SCENARIO);
    let proxies = judged.proxies(SCENARIO);
    assert_eq!(
        proxies["differing"].as_array().map(Vec::len),
        Some(0),
        "{proxies:#}"
    );
    judged.check_nothing_left();
}

pub(super) fn proxies_with_different_lists_are_reported(site: &Site) {
    let further = site.further(&[0, 1]);
    let judged = site.judged(&[SCENARIO, "--proxy", &further.addr().to_string()]);
    judged.check(SCENARIO, "broken", "");
    assert_eq!(judged.code, Some(1));
    let proxies = judged.proxies(SCENARIO);
    let differing = proxies["differing"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    assert!(!differing.is_empty(), "{proxies:#}");
    for key in differing {
        assert_eq!(key["nodes"][0], "C", "{key}");
        assert_ne!(key["nodes"][1], "C", "{key}");
    }
    judged.check_nothing_left();
    site.check_untouched();
}

pub(super) fn one_proxy_is_not_compared(site: &Site) {
    site.judged(&[SCENARIO])
        .check(SCENARIO, "skipped", "give --proxy 2 times");
    let different = "proxies-with-different-node-lists";
    site.judged(&[different])
        .check(different, "skipped", "needs --target");
}
