//! The timeline counts every request once, and coverage decides what is kept.
