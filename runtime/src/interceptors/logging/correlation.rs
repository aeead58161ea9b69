//! [`Correlation`]: whose correlation id a call has, and those that are made here.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use fastrand::Rng;
use http::HeaderName;

use crate::context::{Digits, digits};

/// The header that correlation ids travel in.
pub(crate) const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// Whose correlation id a call has, once it has come to Logging.
///
/// One that is made here is a number until somebody asks for its text: most are only written to the log.
#[derive(Debug, Default)]
pub(crate) struct Correlation {
    whose: AtomicU8,
    /// The one that was made, its halves.
    made: [AtomicU64; 2],
    /// That of the metadata, or that which was made, once somebody has asked.
    text: OnceLock<Text>,
}

/// It has not come to Logging.
const NOBODYS: u8 = 0;
/// Its context's: the caller's, or what was set by hand.
const OF_CONTEXT: u8 = 1;
/// At a client: that of the metadata which the call was made with.
const OF_METADATA: u8 = 2;
/// There was none, so one was made.
const MADE: u8 = 3;
/// The same, and the caller has sent something in its place.
const MADE_AND_AWAITED: u8 = 4;

#[derive(Debug)]
enum Text {
    Made(Digits),
    Given(Box<str>),
}

impl Correlation {
    /// Whether it is said whose.
    pub(crate) fn is_known(&self) -> bool {
        self.whose() != NOBODYS
    }

    /// It is that of the context.
    pub(crate) fn set_of_context(&self) {
        self.set(OF_CONTEXT);
    }

    /// It is this one of the metadata.
    pub(crate) fn set_of_metadata(&self, id: &str) {
        let _ = self.text.set(Text::Given(id.into()));
        self.set(OF_METADATA);
    }

    /// It is a new one; the caller may have sent what is no id, and wait for one.
    pub(crate) fn make(&self, is_awaited: bool) {
        for (half, random) in self.made.iter().zip(random()) {
            half.store(random, Ordering::Relaxed);
        }
        self.set(match is_awaited {
            true => MADE_AND_AWAITED,
            false => MADE,
        });
    }

    /// Whether the caller waits for one.
    pub(crate) fn is_awaited(&self) -> bool {
        !matches!(self.whose(), NOBODYS | MADE)
    }

    /// The id, where the context doesn't have it.
    pub(crate) fn own(&self) -> Option<&str> {
        let text = match self.made() {
            Some(made) => self.text.get_or_init(|| Text::Made(made)),
            None => self.text.get()?,
        };
        Some(match text {
            Text::Made(digits) => digits.as_str(),
            Text::Given(id) => id,
        })
    }

    /// The one that was made.
    pub(super) fn made(&self) -> Option<Digits> {
        if !matches!(self.whose(), MADE | MADE_AND_AWAITED) {
            return None;
        }
        let [high, low] = self
            .made
            .each_ref()
            .map(|half| half.load(Ordering::Relaxed));
        let id = u128::from(high) << 64 | u128::from(low);
        Some(digits(id.to_be_bytes()))
    }

    fn whose(&self) -> u8 {
        self.whose.load(Ordering::Acquire)
    }

    /// After what belongs to it.
    fn set(&self, whose: u8) {
        self.whose.store(whose, Ordering::Release);
    }
}

thread_local! {
    /// One for each half: that of `fastrand` has no more than 64 bits to begin with. They begin with what
    /// the system gives, so that no two processes make the same ids.
    static RANDOM: RefCell<[Rng; 2]> = RefCell::new([seeded(), seeded()]);
}

fn seeded() -> Rng {
    Rng::with_seed(RandomState::new().build_hasher().finish())
}

/// 128 random bits.
fn random() -> [u64; 2] {
    let halves = RANDOM.try_with(|random| {
        let mut random = random.try_borrow_mut().ok()?;
        Some(random.each_mut().map(|half| half.u64(..)))
    });
    // A thread that ends has none any more.
    let halves = halves.ok().flatten();
    halves.unwrap_or_else(|| [(); 2].map(|()| seeded().u64(..)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn ids_are_32_digits_and_none_is_there_twice() {
        let id = || {
            let correlation = Correlation::default();
            correlation.make(false);
            correlation.own().unwrap().to_owned()
        };
        let ids = move || (0..10_000).map(move |_| id());
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
