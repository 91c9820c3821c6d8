//! Answers without an order of their own, brought into one order, so that equal ones compare as equal.

use testbed::wire::Value;

/// The same with the elements of all arrays, maps and sets in one order.
pub(super) fn sorted(value: &Value) -> Value {
    let all = |elements: &[Value]| in_one_order(elements.iter().map(sorted).collect());
    let entries = |entries: &[(Value, Value)]| {
        let sorted = |(key, value): &(Value, Value)| (sorted(key), sorted(value));
        in_one_order(entries.iter().map(sorted).collect())
    };
    match value {
        Value::Array(elements) => Value::Array(all(elements)),
        Value::Set(elements) => Value::Set(all(elements)),
        Value::Map(map) => Value::Map(entries(map)),
        Value::Attributed { attributes, value } => Value::Attributed {
            attributes: entries(attributes),
            value: Box::new(sorted(value)),
        },
        other => other.clone(),
    }
}

/// The elements in an order that depends only on themselves.
pub(super) fn in_one_order<T: std::fmt::Debug>(mut elements: Vec<T>) -> Vec<T> {
    elements.sort_by_cached_key(|element| format!("{element:?}"));
    elements
}
