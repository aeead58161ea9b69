//! [`Cached`]: a token that has to be fetched, kept as long as it is good.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::token::Token;
use crate::client::runtime::{self, Missing};
use crate::{BoxError, Code, Status};

/// How long fetching a token may take, whatever the deadlines of the calls that wait for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// How long nobody tries again after that has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long it isn't fetched again because a server has refused it: one that refuses every token must not
/// have one fetched for every call.
const AFTER_REFUSAL: Duration = Duration::from_secs(10);

/// How often a file is looked at.
const FILE_INTERVAL: Duration = Duration::from_secs(10);

/// How old what was read of a file may be for a call that doesn't wait. Beyond that there were no calls,
/// and the token may be long renewed.
const FILE_AGE: Duration = Duration::from_secs(60);

/// A token that is being fetched.
pub(super) type Fetching = Pin<Box<dyn Future<Output = Result<Token, Trouble>> + Send>>;

/// A token that is fetched when it is needed, by one task at a time.
pub(super) struct Cached {
    pace: Pace,
    fetch: Box<dyn Fn() -> Fetching + Send + Sync>,
    state: Mutex<State>,
    /// How many fetches are over.
    rounds: watch::Sender<u64>,
}

/// When a token is fetched anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It says how long it is good.
    Expiry,
    /// It is good as long as nothing else is there.
    File,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    failed: Option<Failed>,
    is_fetching: bool,
    /// The number of the last token that came.
    latest: Number,
    /// When a server's refusal was last acted upon.
    refused: Option<Instant>,
}

/// Which of the tokens that were fetched one is; 0 for none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::client) struct Number(u64);

/// What is sent with a call.
#[derive(Clone, Debug)]
pub(in crate::client) struct Bearer {
    /// The value of `authorization`.
    pub(in crate::client) header: HeaderValue,
    pub(in crate::client) number: Number,
}

/// A token that was good when it came.
struct Held {
    bearer: Bearer,
    /// From then on it is fetched anew, while calls go on with this one.
    due: Option<Instant>,
    /// From then on calls wait for that.
    old: Option<Instant>,
    /// From then on it isn't sent.
    over: Option<Instant>,
}

/// Why there is none, or no new one.
struct Failed {
    trouble: Trouble,
    /// Until then nobody tries again.
    until: Instant,
}

/// Why there is no token. It never has the token.
#[derive(Clone)]
pub(super) struct Trouble {
    code: Code,
    message: Arc<str>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl Cached {
    pub(super) fn new<F, Fut>(pace: Pace, fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Token, Trouble>> + Send + 'static,
    {
        Self {
            pace,
            fetch: Box::new(move || Box::pin(fetch())),
            state: Mutex::default(),
            rounds: watch::Sender::new(0),
        }
    }

    /// The token, or why there is none, if that is known. If not, it is being fetched now.
    pub(super) fn at_hand(self: &Arc<Self>) -> Option<Result<Bearer, Trouble>> {
        let now = Instant::now();
        let mut state = self.state();
        let may_fetch = state
            .failed
            .as_ref()
            .is_none_or(|failed| failed.until <= now);
        let (needs_fetch, known) = state.known(now, may_fetch);
        if needs_fetch && may_fetch && !state.is_fetching {
            if let Err(missing) = runtime::check() {
                return known.or(Some(Err(Trouble::outside(missing))));
            }
            state.is_fetching = true;
            // A runtime that is shut down drops the fetch at once, and what ends it takes the lock.
            drop(state);
            self.start();
        }
        known
    }

    /// What comes of the fetch that is under way.
    ///
    /// A call that gives up leaves the fetch to the others.
    pub(super) async fn wait(self: &Arc<Self>) -> Result<Bearer, Trouble> {
        let mut rounds = self.rounds.subscribe();
        // It may be over by now.
        if let Some(known) = self.at_hand() {
            return known;
        }
        if rounds.changed().await.is_err() {
            return Err(Trouble::broken("the client is gone"));
        }
        let state = self.state();
        match (&state.failed, &state.held) {
            (None, Some(held)) => Ok(held.bearer.clone()),
            // The last good one.
            (Some(_), Some(held)) if !held.is_over(Instant::now()) => Ok(held.bearer.clone()),
            (Some(failed), _) => Err(failed.trouble.clone()),
            (None, None) => Err(Trouble::broken("nothing came of it")),
        }
    }

    /// A server has refused the token of this number: the next calls wait for another one, as for one that
    /// is too old. It is sent on while there is none, since the server may be wrong.
    #[cold]
    pub(super) fn refused(&self, number: Number) {
        let now = Instant::now();
        let mut state = self.state();
        let is_recent = |at: Instant| now.saturating_duration_since(at) < AFTER_REFUSAL;
        if state.refused.is_some_and(is_recent) {
            return;
        }
        // Who was sent an earlier one has nothing to say of this.
        let Some(held) = state
            .held
            .as_mut()
            .filter(|held| held.bearer.number == number)
        else {
            return;
        };
        held.due = Some(now);
        held.old = Some(now);
        state.refused = Some(now);
        drop(state);
        tracing::info!("a server has refused the token; the next call gets another one");
    }

    /// Fetches it on a task of its own: who asked may have less time than that takes.
    fn start(self: &Arc<Self>) {
        let mut round = Round {
            cached: Arc::clone(self),
            result: None,
        };
        tokio::spawn(async move {
            let fetching = (round.cached.fetch)();
            let result = match timeout(FETCH_TIMEOUT, fetching).await {
                Ok(result) => result,
                Err(_) => Err(Trouble::broken("it took longer than 30 seconds to get one")),
            };
            round.result = Some(result);
            drop(round);
        });
    }

    fn finish(&self, result: Result<Token, Trouble>) {
        let now = Instant::now();
        let mut state = self.state();
        state.is_fetching = false;
        let number = Number(state.latest.0 + 1);
        match result.and_then(|token| self.hold(&token, number, now)) {
            Ok(held) => {
                state.latest = number;
                let before = state.held.replace(held);
                let is_news = state.failed.take().is_some()
                    || before.map(|held| held.bearer.header) != state.header();
                if is_news && self.pace == Pace::File {
                    tracing::debug!("the token of the file is used");
                }
            }
            Err(trouble) => state.failed = Some(self.failed(&state, trouble, now)),
        }
        drop(state);
        self.rounds.send_modify(|rounds| *rounds += 1);
    }

    fn hold(&self, token: &Token, number: Number, now: Instant) -> Result<Held, Trouble> {
        let header = token.header().map_err(Trouble::unusable)?;
        let after = |time| now.checked_add(time);
        let [due, old, over] = match (self.pace, token.lifetime) {
            (Pace::File, _) => [after(FILE_INTERVAL), after(FILE_AGE), None],
            (Pace::Expiry, None) => [None; 3],
            (Pace::Expiry, Some(Duration::ZERO)) => {
                return Err(Trouble::unusable("the token has expired already"));
            }
            (Pace::Expiry, Some(time)) => [after(time / 5 * 4), after(time), after(time)],
        };
        Ok(Held {
            bearer: Bearer { header, number },
            due,
            old,
            over,
        })
    }

    /// Remembers a failure, and says so if calls go on with the token that they have.
    fn failed(&self, state: &State, trouble: Trouble, now: Instant) -> Failed {
        let told = state.failed.as_ref();
        let is_told = told.is_some_and(|told| told.trouble.message == trouble.message);
        if state.held.is_some() && !is_told {
            tracing::warn!(error = %trouble, "there is no new token; the last one is sent");
        }
        let wait = match (self.pace, &state.held) {
            (Pace::File, Some(_)) => FILE_INTERVAL,
            _ => AFTER_FAILURE,
        };
        let until = now.checked_add(wait).unwrap_or(now);
        Failed { trouble, until }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether it has to be fetched, and what is known without.
    fn known(&self, now: Instant, may_fetch: bool) -> (bool, Option<Result<Bearer, Trouble>>) {
        let is_past = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        match (&self.held, &self.failed) {
            (Some(held), _) if !held.is_over(now) => {
                let waits = is_past(held.old) && may_fetch;
                let bearer = (!waits).then(|| Ok(held.bearer.clone()));
                (is_past(held.due), bearer)
            }
            (_, Some(failed)) if !may_fetch => (false, Some(Err(failed.trouble.clone()))),
            _ => (true, None),
        }
    }

    fn header(&self) -> Option<HeaderValue> {
        self.held.as_ref().map(|held| held.bearer.header.clone())
    }
}

impl Held {
    fn is_over(&self, now: Instant) -> bool {
        self.over.is_some_and(|at| at <= now)
    }
}

/// One fetch. When it is dropped it is over, whatever became of it.
struct Round {
    cached: Arc<Cached>,
    result: Option<Result<Token, Trouble>>,
}

impl Drop for Round {
    fn drop(&mut self) {
        let result = self.result.take();
        // It panicked, or its runtime is gone.
        let broken = || Err(Trouble::broken("what gets it has broken off"));
        self.cached.finish(result.unwrap_or_else(broken));
    }
}

impl Trouble {
    /// What came can't be sent.
    pub(super) fn unusable(problem: &'static str) -> Self {
        Self {
            code: Code::Unauthenticated,
            message: problem.into(),
            cause: None,
        }
    }

    /// Nothing came.
    pub(super) fn broken(problem: impl Into<Arc<str>>) -> Self {
        Self {
            code: Code::Unavailable,
            message: problem.into(),
            cause: None,
        }
    }

    /// Nothing can be fetched here.
    fn outside(_: Missing) -> Self {
        Self {
            code: Code::Internal,
            message: Missing::WORDS.into(),
            cause: None,
        }
    }

    pub(super) fn of_file(name: &dyn fmt::Display, error: io::Error) -> Self {
        Self {
            code: Code::Unavailable,
            message: format!("the file `{name}` can't be read: {error}").into(),
            cause: Some(Arc::new(error)),
        }
    }

    pub(super) fn of_function(error: BoxError) -> Self {
        let is_denied = |status: &Status| {
            matches!(
                status.code(),
                Code::Unauthenticated | Code::PermissionDenied
            )
        };
        let mut at: Option<&(dyn Error + 'static)> = Some(&*error);
        let mut code = Code::Unavailable;
        while let Some(error) = at {
            if error.downcast_ref().is_some_and(is_denied) {
                code = Code::Unauthenticated;
            }
            at = error.source();
        }
        Self {
            code,
            message: error.to_string().into(),
            cause: Some(error.into()),
        }
    }

    pub(super) fn code(&self) -> Code {
        self.code
    }

    pub(super) fn cause(&self) -> Option<Arc<dyn Error + Send + Sync>> {
        self.cause.clone()
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
