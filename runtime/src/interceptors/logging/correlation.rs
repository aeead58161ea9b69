//! Correlation ids: those that are made here, and whose a call has.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use fastrand::Rng;
use http::HeaderName;

use crate::context::digits;

/// The header that correlation ids travel in.
pub(crate) const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Whose correlation id a call has that has come to Logging.
#[derive(Debug)]
pub(crate) enum Correlation {
    /// Its context's: the caller's, or what was set by hand.
    OfContext,
    /// At a client: that of the metadata which the call was made with.
    OfMetadata(Box<str>),
    /// There was none.
    New(NewId),
}

impl Correlation {
    /// The id, where the context doesn't have it.
    pub(crate) fn own(&self) -> Option<&str> {
        match self {
            Self::OfContext => None,
            Self::OfMetadata(id) => Some(id),
            Self::New(id) => Some(id.as_str()),
        }
    }
}

/// 128 random bits, as 32 lower-case hexadecimal digits. Aligned, since that is how `from_utf8` reads them
/// word by word.
#[repr(align(8))]
pub(crate) struct NewId([u8; 32]);

thread_local! {
    /// One for each half: that of `fastrand` has no more than 64 bits to begin with. They begin with what
    /// the system gives, so that no two processes make the same ids.
    static RANDOM: RefCell<[Rng; 2]> = RefCell::new([seeded(), seeded()]);
}

fn seeded() -> Rng {
    Rng::with_seed(RandomState::new().build_hasher().finish())
}

impl NewId {
    pub(super) fn random() -> Self {
        let halves = RANDOM.try_with(|random| {
            let mut random = random.try_borrow_mut().ok()?;
            Some(random.each_mut().map(|half| half.u64(..)))
        });
        // A thread that ends has none any more.
        let halves = halves.ok().flatten();
        let [high, low] = halves.unwrap_or_else(|| [(); 2].map(|()| seeded().u64(..)));
        let bits = u128::from(high) << 64 | u128::from(low);
        Self(digits(bits.to_be_bytes()))
    }

    fn as_str(&self) -> &str {
        // Digits are UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for NewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn ids_are_32_digits_and_none_is_there_twice() {
        let ids = || (0..10_000).map(|_| NewId::random().as_str().to_owned());
        let threads = [(); 4].map(|()| thread::spawn(move || ids().collect::<Vec<_>>()));
        let all: Vec<_> = threads
            .into_iter()
            .flat_map(|ids| ids.join().unwrap())
            .collect();
        for id in &all {
            assert!(
                id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{id}"
            );
        }
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
