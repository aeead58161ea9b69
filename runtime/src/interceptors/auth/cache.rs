//! [`Cache`]: the tokens that were found good.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwapOption;
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};

use super::claims::{Now, Rules};
use super::principal::Principal;

/// How many places a token has to choose from.
const WAYS: usize = 4;

/// The tokens that were found good, by the hash of the whole token: the tokens themselves are not kept.
///
/// It has a fixed number of places, four of which a token can be in, and no lock: finding one reads a
/// pointer or two. A token that finds its places taken drives one out, first of all one that is of no use
/// any more.
pub(super) struct Cache {
    places: Box<[ArcSwapOption<Held>]>,
}

/// A token by its hash. Nobody finds two tokens with one.
pub(super) type TokenHash = [u8; 16];

/// What tokens are hashed with, made once in a process: two hashes by a secret of 128 bits that the standard
/// library has of the system. aws-lc's own generator takes a tenth of a second when it is first asked.
static KEY: LazyLock<Option<LessSafeKey>> = LazyLock::new(|| {
    let secret = RandomState::new();
    let [low, high] = [0_u8, 1].map(|half| u128::from(secret.hash_one(half)));
    let key = UnboundKey::new(&AES_128_GCM, &(high << 64 | low).to_ne_bytes()).ok()?;
    Some(LessSafeKey::new(key))
});

struct Held {
    hash: TokenHash,
    /// Of the keys that it was verified with: with others, it has to be verified again.
    generation: u64,
    principal: Principal,
}

impl Cache {
    /// One with this many places, or up to three more; with 0, none.
    pub(super) fn new(places: usize) -> Self {
        let places = places.div_ceil(WAYS) * WAYS;
        Self {
            places: (0..places).map(|_| ArcSwapOption::empty()).collect(),
        }
    }

    /// The hash of a token, which says nothing of it and is another one in each process.
    ///
    /// It is the tag of GCM (NIST SP 800-38D) for a token that nothing is encrypted with: a universal hash
    /// by a secret key, which a processor makes in a fifth of the time of SHA-256. Whoever doesn't know the
    /// key finds a token with the hash of another one by chance alone, once in 2^119 attempts with tokens
    /// of 8 KiB. That the nonce is always the same would give the key away to who sees tags of tokens that
    /// it knows; here none is ever seen, nor how much of two is the same: they are compared as one number.
    /// And who knew the key could only write a token anew that it has: the hash of somebody else's depends
    /// on a signature that it would have to know.
    pub(super) fn hash(token: &[u8]) -> TokenHash {
        let tag = KEY.as_ref().and_then(|key| {
            let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
            let tag = key.seal_in_place_separate_tag(nonce, Aad::from(token), &mut []);
            TokenHash::try_from(tag.ok()?.as_ref()).ok()
        });
        tag.unwrap_or_else(|| by_sha(token))
    }

    /// Whose token this is, if it is there and as good as when it was verified.
    pub(super) fn get(
        &self,
        hash: &TokenHash,
        generation: u64,
        rules: &Rules,
        now: Now,
    ) -> Option<Principal> {
        self.set(hash).iter().find_map(|place| {
            let held = place.load();
            let held = held.as_ref()?;
            let [own, hash] = [held.hash, *hash].map(u128::from_ne_bytes);
            let is_it = own == hash && held.generation == generation;
            (is_it && held.is_alive(rules, now)).then(|| held.principal.clone())
        })
    }

    pub(super) fn put(
        &self,
        hash: TokenHash,
        generation: u64,
        principal: Principal,
        rules: &Rules,
        now: Now,
    ) {
        let set = self.set(&hash);
        // Of earlier keys, not of later ones: this token may have been on its way for long.
        let is_useless = |held: &Held| {
            held.hash == hash || held.generation < generation || !held.is_alive(rules, now)
        };
        let is_free = |place: &&ArcSwapOption<Held>| {
            let held = place.load();
            held.as_ref().is_none_or(|held| is_useless(held))
        };
        let free = set.iter().find(is_free);
        let Some(place) = free.or_else(|| set.get(fastrand::usize(..WAYS))) else {
            return;
        };
        place.store(Some(Arc::new(Held {
            hash,
            generation,
            principal,
        })));
    }

    /// How many places are taken.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        let taken = self.places.iter().filter(|place| place.load().is_some());
        taken.count()
    }

    /// Where a token can be; empty where there are no places.
    fn set(&self, hash: &TokenHash) -> &[ArcSwapOption<Held>] {
        let sets = self.places.len() / WAYS;
        let number = hash
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes));
        // Below the number of sets, which is a `usize`.
        let set = u64::try_from(sets)
            .ok()
            .and_then(|sets| number.checked_rem(sets));
        let at = set.and_then(|set| usize::try_from(set).ok()).unwrap_or(0) * WAYS;
        self.places.get(at..at + WAYS).unwrap_or_default()
    }
}

/// Where there is no key: half of what nobody finds another token for either.
#[cold]
fn by_sha(token: &[u8]) -> TokenHash {
    let hash = digest(&SHA256, token);
    let half = hash.as_ref().first_chunk();
    half.copied().unwrap_or_default()
}

impl Held {
    fn is_alive(&self, rules: &Rules, now: Now) -> bool {
        rules.is_alive(&self.principal, now)
    }
}
