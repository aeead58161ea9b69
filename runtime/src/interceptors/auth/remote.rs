//! [`Remote`]: keys that an issuer publishes, kept and fetched again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::jwks;
use super::keys::{Key, KeySet};
use super::source::AnySource;

/// How long one fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// How long nobody fetches again: tokens can name any key, and must not make us call the issuer for each.
const PAUSE: Duration = Duration::from_secs(30);

/// The same, while there are no keys at all.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Keys that an issuer publishes. They are there until others are: a fetch that fails changes nothing.
///
/// There is no task that keeps them fresh. Calls see when it is time, and one of them has a task fetch
/// them, while all go on with what is there.
pub(super) struct Remote {
    source: Box<dyn AnySource>,
    refresh: Duration,
    /// Keys that were given.
    own: Vec<Arc<Key>>,
    /// Those and what was fetched last.
    current: ArcSwap<KeySet>,
    begun: Instant,
    /// When they are fetched again, in milliseconds since `begun`.
    due: AtomicU64,
    state: Mutex<State>,
    /// How many fetches are over.
    rounds: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    is_fetching: bool,
    /// When a fetch was over, whatever became of it.
    tried: Option<Instant>,
    /// When one brought keys.
    came: Option<Instant>,
    /// Why the last one didn't.
    failed: Option<String>,
}

/// What becomes of a token whose key is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    /// Keys are being fetched: it may be among them.
    Others,
    /// The same, and no keys have ever come.
    First,
    /// There are no others.
    None,
    /// Nobody can say: none have ever come.
    Unavailable,
}

impl Remote {
    pub(super) fn new(source: Box<dyn AnySource>, refresh: Duration, own: Vec<Arc<Key>>) -> Self {
        let keys = KeySet {
            generation: 0,
            keys: own.clone(),
        };
        Self {
            source,
            refresh,
            own,
            current: ArcSwap::from_pointee(keys),
            begun: Instant::now(),
            due: AtomicU64::new(0),
            state: Mutex::default(),
            rounds: watch::Sender::new(0),
        }
    }

    pub(super) fn current(&self) -> Guard<Arc<KeySet>> {
        self.current.load()
    }

    /// Has the keys fetched if it is time. Whether to wait for those.
    pub(super) fn look(self: &Arc<Self>) -> bool {
        let now = Instant::now();
        self.since_begun(now) >= self.due.load(Ordering::Relaxed) && self.look_closely(now)
    }

    #[cold]
    fn look_closely(self: &Arc<Self>, now: Instant) -> bool {
        let is_fetching = self.fetch();
        let state = self.state();
        // Nobody has called for long, and keys may have been removed since.
        let is_old = |came| now.saturating_duration_since(came) > self.refresh.saturating_mul(2);
        is_fetching && state.failed.is_none() && state.came.is_some_and(is_old)
    }

    /// Looks for a key that is not there.
    pub(super) fn more(self: &Arc<Self>) -> More {
        let is_fetching = self.fetch();
        let state = self.state();
        match state.came {
            // Tokens can name any key, and must not hold up calls while the issuer hangs.
            Some(_) if is_fetching && state.failed.is_none() => More::Others,
            Some(_) => More::None,
            None if is_fetching => More::First,
            None => More::Unavailable,
        }
    }

    /// Whether keys have ever come. Has them fetched if it is time, and waits for the first ones.
    pub(super) async fn check(self: &Arc<Self>) -> Result<(), String> {
        self.look();
        if self.state().came.is_none() {
            self.wait().await;
        }
        let state = self.state();
        match (state.came, &state.failed) {
            (Some(_), _) => Ok(()),
            (None, Some(problem)) => Err(problem.clone()),
            (None, None) => Err("no keys have come yet".to_owned()),
        }
    }

    /// Has the keys fetched, unless that was done lately. Whether they are being fetched now.
    fn fetch(self: &Arc<Self>) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        if state.is_fetching {
            return true;
        }
        let pause = match state.came {
            Some(_) => PAUSE,
            None => FIRST_PAUSE,
        };
        let is_recent = |tried: Instant| now.saturating_duration_since(tried) < pause;
        let Ok(runtime) = Handle::try_current() else {
            return false;
        };
        if state.tried.is_some_and(is_recent) {
            return false;
        }
        state.is_fetching = true;
        // A runtime that is shut down drops the task at once, and its end takes the lock.
        drop(state);
        let mut round = Round {
            remote: Arc::clone(self),
            result: None,
        };
        runtime.spawn(async move {
            let fetched = timeout(FETCH_TIMEOUT, round.remote.source.fetch_boxed()).await;
            round.result = Some(match fetched {
                Ok(Ok(json)) => jwks::read(&json),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("they took longer than {FETCH_TIMEOUT:?}")),
            });
            drop(round);
        });
        true
    }

    /// Waits until the fetch that is under way is over.
    pub(super) async fn wait(&self) {
        let mut rounds = self.rounds.subscribe();
        if self.state().is_fetching {
            let _ = rounds.changed().await;
        }
    }

    fn finish(&self, result: Result<Vec<Arc<Key>>, String>) {
        let now = Instant::now();
        let mut state = self.state();
        state.is_fetching = false;
        state.tried = Some(now);
        let again = match result {
            Ok(keys) => {
                state.came = Some(now);
                state.failed = None;
                self.take(keys);
                self.refresh
            }
            Err(problem) => {
                if state.failed.as_ref() != Some(&problem) {
                    let has_keys = state.came.is_some();
                    tracing::warn!(problem, has_keys, "the issuer's keys can't be fetched");
                }
                state.failed = Some(problem);
                match state.came {
                    Some(_) => PAUSE,
                    // Each call looks whether there are some now.
                    None => Duration::ZERO,
                }
            }
        };
        let due = self.since_begun(now).saturating_add(millis(again));
        self.due.store(due, Ordering::Relaxed);
        drop(state);
        self.rounds.send_modify(|rounds| *rounds += 1);
    }

    /// Takes these in place of those that were there. Tokens that were verified with the others are
    /// verified again.
    fn take(&self, fetched: Vec<Arc<Key>>) {
        if fetched.is_empty() {
            tracing::error!(
                "the issuer has no keys that can be used here: no token of it is taken"
            );
        }
        let before = self.current.load();
        let keys: Vec<_> = self.own.iter().cloned().chain(fetched).collect();
        let is_same =
            |(own, other): (&Arc<Key>, &Arc<Key>)| Arc::ptr_eq(own, other) || own.is(other);
        if keys.len() == before.keys.len() && keys.iter().zip(&before.keys).all(is_same) {
            return;
        }
        let names: Vec<_> = keys.iter().filter_map(|key| key.kid()).collect();
        tracing::info!(
            ?names,
            "the keys that tokens are verified with have changed"
        );
        let generation = before.generation + 1;
        self.current.store(Arc::new(KeySet { generation, keys }));
    }

    fn since_begun(&self, now: Instant) -> u64 {
        millis(now.saturating_duration_since(self.begun))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// One fetch. When it is dropped it is over, whatever became of it.
struct Round {
    remote: Arc<Remote>,
    result: Option<Result<Vec<Arc<Key>>, String>>,
}

impl Drop for Round {
    fn drop(&mut self) {
        let result = self.result.take();
        // It panicked, or its runtime is gone.
        let broken = || Err("what gets them has broken off".to_owned());
        self.remote.finish(result.unwrap_or_else(broken));
    }
}
