//! When a client stops retrying.

#[cfg(test)]
mod tests;
mod tokens;

#[allow(unused_imports, reason = "the client that asks it is being built")]
pub(super) use self::tokens::Throttle;
use super::sync;
