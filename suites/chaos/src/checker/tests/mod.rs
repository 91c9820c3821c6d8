//! The checker against every order of small histories, another checker, and histories written by hand.

mod agreement;
mod brute;
mod by_hand;
mod independent;
mod random;
