//! [`RateKey`]: whom a rate limit is for, as the user's function says.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::Context;

/// Tells callers apart, in place of their addresses.
#[derive(Clone)]
pub(crate) struct RateKey(Arc<Hashed>);

/// Gives the hash of a call's key.
type Hashed = dyn Fn(&Context) -> Option<u64> + Send + Sync;

impl RateKey {
    /// What is kept of a key is a hash that no caller can foresee: keys may be long, and are
    /// whatever callers send.
    pub(crate) fn new<K: Hash>(
        key: impl Fn(&Context) -> Option<K> + Send + Sync + 'static,
    ) -> Self {
        let hasher = RandomState::new();
        Self(Arc::new(move |call| {
            key(call).map(|key| hasher.hash_one(key))
        }))
    }

    /// The key of a call; None where there is none, or where looking for it panics.
    pub(super) fn of(&self, call: &Context) -> Option<u64> {
        catch_unwind(AssertUnwindSafe(|| (self.0)(call))).unwrap_or_else(|_| {
            tracing::error!("the function for the keys of rate limits panicked");
            None
        })
    }
}

impl fmt::Debug for RateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RateKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_are_one_and_others_are_not() {
        let of = |name: &'static str| RateKey::new(move |_| Some(name.to_owned()));
        let call = Context::background();
        let key = RateKey::new(|call: &Context| call.extension::<&str>().copied());
        let named = |name: &'static str| key.of(&call.with_extension(name));
        assert_eq!(named("a"), named("a"));
        assert_ne!(named("a"), named("b"));
        assert_eq!(key.of(&call), None);
        assert_ne!(of("a").of(&call), named("a"), "nobody can foresee a hash");
    }

    #[test]
    fn a_key_that_panics_is_none() {
        let key = RateKey::new(|_: &Context| -> Option<u8> { panic!("on purpose") });
        assert_eq!(key.of(&Context::background()), None);
    }
}
