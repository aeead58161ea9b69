//! When a client stops retrying, and when it stops sending.

mod accepted;
mod accepts;
mod adaptive;
#[cfg(test)]
mod tests;
mod tokens;

pub(super) use self::accepted::{accepted, unanswered};
pub(super) use self::accepts::Counts;
pub(super) use self::adaptive::Adaptive;
pub(super) use self::tokens::Throttle;
use super::sync;
