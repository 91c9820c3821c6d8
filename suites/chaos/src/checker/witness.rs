//! The node's own order as a witness: if it explains every reply, no search is needed.
//!
//! A witness that fails is never a verdict: the tap may see requests of several connections in another order than the node.

use super::operation::Operation;
use super::options::SessionOrder;
use super::order::{Sessions, explains, keeps_order};

/// Whether the order in which one node saw the certain operations is a linearization.
pub(super) fn witnesses(
    operations: &[Operation<&[u8]>],
    sessions: &mut Sessions,
    session_order: SessionOrder,
) -> bool {
    let certain = operations.iter().filter(|operation| operation.is_certain());
    let places: Option<Vec<_>> = certain
        .map(|operation| operation.place.map(|place| (place, operation)))
        .collect();
    let Some(mut order) = places else {
        return false;
    };
    order.sort_by_key(|(place, _)| *place);
    let one_node = match (order.first(), order.last()) {
        (Some(((first, _), _)), Some(((last, _), _))) => first == last,
        _ => true,
    };
    let order = || order.iter().map(|(_, operation)| *operation);
    one_node && explains(order()) && keeps_order(order(), sessions, session_order)
}
