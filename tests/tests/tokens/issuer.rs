//! An issuer that publishes keys, and fails at a test's will.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::{BoxError, KeySource};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Signer;

/// What becomes of a fetch.
#[derive(Clone, Debug)]
enum Fetch {
    Keys(Value),
    Fails,
    Hangs,
    Panics,
}

/// An issuer that publishes keys, each fetch of which takes a while.
#[derive(Clone)]
pub(crate) struct Issuer(Arc<State>);

struct State {
    fetch: Mutex<Fetch>,
    takes: Duration,
    asked: AtomicUsize,
}

impl Issuer {
    /// One that publishes the keys of these, at once.
    pub(crate) fn new(signers: &[&Signer]) -> Self {
        Self::slow(signers, Duration::ZERO)
    }

    /// The same; a fetch takes this long.
    pub(crate) fn slow(signers: &[&Signer], takes: Duration) -> Self {
        Self(Arc::new(State {
            fetch: Mutex::new(Fetch::Keys(Self::set(signers))),
            takes,
            asked: AtomicUsize::new(0),
        }))
    }

    /// The set with the keys of these.
    pub(crate) fn set(signers: &[&Signer]) -> Value {
        let keys: Vec<_> = signers.iter().map(|signer| signer.jwk()).collect();
        json!({ "keys": keys })
    }

    pub(crate) fn publishes(&self, signers: &[&Signer]) {
        self.publishes_as_is(Self::set(signers));
    }

    pub(crate) fn publishes_as_is(&self, set: Value) {
        self.does(Fetch::Keys(set));
    }

    fn does(&self, fetch: Fetch) {
        *self.0.fetch.lock().unwrap() = fetch;
    }

    pub(crate) fn fails(&self) {
        self.does(Fetch::Fails);
    }

    pub(crate) fn hangs(&self) {
        self.does(Fetch::Hangs);
    }

    pub(crate) fn panics(&self) {
        self.does(Fetch::Panics);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

impl KeySource for Issuer {
    async fn fetch(&self) -> Result<Vec<u8>, BoxError> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        sleep(self.0.takes).await;
        let fetch = self.0.fetch.lock().unwrap().clone();
        match fetch {
            Fetch::Keys(set) => Ok(set.to_string().into_bytes()),
            Fetch::Fails => Err("the issuer is down".into()),
            Fetch::Hangs => std::future::pending().await,
            Fetch::Panics => panic!("on purpose"),
        }
    }
}
