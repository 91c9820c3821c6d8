//! A plan as a page: what moves, where keys were and will be, and what other policies would cost.

use super::page;
use crate::planner::plan::Report;

/// The page of a plan.
#[must_use]
pub fn plan(_report: &Report) -> String {
    page("shardproof: plan", "")
}
