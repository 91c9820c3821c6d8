//! Proxies asked different nodes for some keys.

use super::Condition;
use crate::law::on_proxies;
use crate::observed::Observed;

pub(super) struct KeysOnSeveralNodes;

impl Condition for KeysOnSeveralNodes {
    fn id(&self) -> &'static str {
        "keys-on-several-nodes"
    }

    fn counts(&self) -> &'static str {
        "acknowledged keys that proxies ask different nodes for"
    }

    fn count(&self, observed: &Observed) -> usize {
        let keys = on_proxies(observed).into_iter();
        keys.filter(|key| key.differs()).count()
    }
}
