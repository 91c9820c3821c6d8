//! `large-values`: values that no buffer holds at once.

use super::{Generator, Plan, Workload, drawn, request};

pub(super) struct LargeValues;

/// Above the read buffers of proxies, and below the limit of one stalled client.
const BYTES: u64 = 96 * 1024;

impl Workload for LargeValues {
    fn id(&self) -> &'static str {
        "large-values"
    }

    fn summary(&self) -> &'static str {
        "SET and GET of unique values of 32 to 128 KiB"
    }

    fn client(&self, plan: &Plan, number: u16) -> Box<dyn Generator> {
        drawn(plan, self.keys(plan), number, |draw, keys| {
            let key = draw.one(keys);
            if draw.happens(60) {
                return request([b"GET", key]);
            }
            let mut value = draw.value();
            let length = BYTES / 3 + draw.below(BYTES);
            // Ends with its unique beginning, so that a value made of two halves is detected.
            let unique = value.clone();
            value.resize(usize::try_from(length).unwrap_or(0), b'.');
            value.extend(unique);
            request([b"SET", key, &value])
        })
    }
}
