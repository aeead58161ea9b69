//! [`Verifier`]: is a token good, and whose is it?

use std::sync::Arc;

use arc_swap::Guard;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;

use super::bearer;
use super::builder::Clock;
use super::cache::Cache;
use super::claims::{Now, Rules};
use super::keys::{Key, KeySet, NoKey};
use super::principal::Principal;
use super::remote::{More, Remote};
use super::token::Unverified;
use crate::Refusal;

/// Says whether tokens are good, and whose they are.
pub(super) struct Verifier {
    keys: Keys,
    rules: Rules,
    cache: Cache,
    clock: Clock,
}

/// The keys that tokens are verified with.
pub(super) enum Keys {
    Own(Arc<KeySet>),
    Remote(Arc<Remote>),
}

/// What is said of a token.
pub(super) enum Verdict {
    Good(Principal),
    Refused(Refusal),
    /// Keys are being fetched.
    Waits,
}

impl Keys {
    pub(super) fn own(keys: Vec<Arc<Key>>) -> Self {
        Self::Own(Arc::new(KeySet {
            generation: 0,
            keys,
        }))
    }

    fn current(&self) -> Current<'_> {
        match self {
            Self::Own(keys) => Current::Own(keys),
            Self::Remote(remote) => Current::Remote(remote.current()),
        }
    }

    /// Looks whether it is time for others. Whether to wait for those.
    fn look(&self) -> bool {
        match self {
            Self::Own(_) => false,
            Self::Remote(remote) => remote.look(),
        }
    }

    fn more(&self) -> More {
        match self {
            Self::Own(_) => More::None,
            Self::Remote(remote) => remote.more(),
        }
    }
}

/// The keys of now.
enum Current<'a> {
    Own(&'a KeySet),
    Remote(Guard<Arc<KeySet>>),
}

impl Current<'_> {
    fn set(&self) -> &KeySet {
        match self {
            Self::Own(keys) => keys,
            Self::Remote(keys) => keys,
        }
    }
}

impl Verifier {
    pub(super) fn new(keys: Keys, rules: Rules, cache: Cache, clock: Clock) -> Self {
        Self {
            keys,
            rules,
            cache,
            clock,
        }
    }

    /// When calls of this principal are not taken any more; `None` beyond what the clock can say.
    pub(super) fn end_of(&self, principal: &Principal) -> Option<Instant> {
        let left = self.rules.left(principal, Now::from((self.clock)()));
        Instant::now().checked_add(left)
    }

    /// Has keys fetched that no call has asked for yet.
    pub(super) fn prepare(&self) {
        self.keys.look();
    }

    /// Whether there are keys; has them fetched if it is time.
    pub(super) async fn check_keys(&self) -> Result<(), String> {
        match &self.keys {
            Keys::Own(_) => Ok(()),
            Keys::Remote(remote) => remote.check().await,
        }
    }

    /// Waits for the keys that are being fetched.
    pub(super) async fn wait(&self) {
        if let Keys::Remote(remote) = &self.keys {
            remote.wait().await;
        }
    }

    /// Whose token came with a call. Who `has_waited` for keys gets an answer from those that there are.
    pub(super) fn verify(&self, metadata: &MetadataMap, has_waited: bool) -> Verdict {
        let token = match bearer::token(metadata) {
            Ok(token) => token,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        if self.keys.look() && !has_waited {
            return Verdict::Waits;
        }
        let (current, now) = (self.keys.current(), Now::from((self.clock)()));
        let keys = current.set();
        let hash = Cache::hash(token);
        if let Some(known) = self.cache.get(&hash, keys.generation, &self.rules, now) {
            return Verdict::Good(known);
        }
        match self.verify_anew(token, keys, now) {
            Ok(principal) => {
                let known = principal.clone();
                self.cache
                    .put(hash, keys.generation, known, &self.rules, now);
                Verdict::Good(principal)
            }
            Err(NoKey::Never(refusal)) => Verdict::Refused(refusal),
            Err(NoKey::Unknown) => match self.keys.more() {
                More::Others | More::First if !has_waited => Verdict::Waits,
                More::First | More::Unavailable => Verdict::Refused(Refusal::KeysUnavailable),
                More::Others | More::None => Verdict::Refused(Refusal::TokenKey),
            },
        }
    }

    fn verify_anew(&self, token: &[u8], keys: &KeySet, now: Now) -> Result<Principal, NoKey> {
        let token = Unverified::read(token).map_err(NoKey::Never)?;
        let key = keys.find(token.kid.as_deref(), token.algorithm)?;
        let claims = token.verify(key).map_err(NoKey::Never)?;
        self.rules.check(claims, key, now).map_err(NoKey::Never)
    }
}
