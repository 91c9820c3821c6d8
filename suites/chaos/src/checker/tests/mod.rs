//! The checker against every order of small histories, and against histories written by hand.

mod agreement;
mod brute;
mod random;
