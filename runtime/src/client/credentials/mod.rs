//! [`Credentials`]: the token that goes with calls.

mod cached;
mod file;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderValue;

pub(super) use self::cached::{Bearer, Number};
use self::cached::{Cached, Pace, Trouble};
pub use self::token::Token;
use super::failure::{Failure, FailureKind};
use crate::{BoxError, Code, Status};

/// The token that goes with each call of a client, as `authorization: Bearer …`.
///
/// It is never sent in plaintext, to this machine neither, unless that is
/// [allowed](Self::allow_plaintext): the call fails instead and says what to do. No `Debug`, event or
/// error shows it. Metadata `authorization` that is set for one call goes in its place. Clones share what
/// they know.
///
/// A token of a file or a function that a server refuses with `UNAUTHENTICATED` is got anew, once for all
/// calls and every 10 seconds at most: the next ones wait for it, and so does a next attempt of the same
/// call, where [`RetryPolicy::codes`](crate::RetryPolicy::codes) name that code. While there is no new one,
/// the old one is sent on.
///
/// ```
/// use apibase::Credentials;
///
/// let credentials = Credentials::token_file("/var/run/secrets/tokens/items");
/// ```
#[derive(Clone)]
pub struct Credentials {
    source: Source,
    in_plaintext: bool,
}

#[derive(Clone)]
enum Source {
    Fixed(Result<HeaderValue, Trouble>),
    File(PathBuf, Arc<Cached>),
    Function(Arc<Cached>),
}

impl Credentials {
    /// Always the same token, without `Bearer `.
    ///
    /// One that can't be sent, because it is empty or has spaces for example, fails the calls with
    /// `UNAUTHENTICATED`.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        let header = Token::new(token).header();
        Self::of(Source::Fixed(header.map_err(Trouble::unusable)))
    }

    /// The token in this file, which Kubernetes for example renews there (projected service account
    /// tokens). White space around it doesn't count.
    ///
    /// It is looked at again at most every 10 seconds, when there are calls. While it can't be read, or
    /// isn't a token, the last good one is used and the log says so; as long as there is none, calls fail
    /// with `UNAVAILABLE` or `UNAUTHENTICATED`.
    #[must_use]
    pub fn token_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let cached = Cached::new(Pace::File, file::reader(path.clone()));
        Self::of(Source::File(path, Arc::new(cached)))
    }

    /// The token that `fetch` gets, a token service's for example.
    ///
    /// It is called when the first call is made, and again when four fifths of the token's
    /// [time](Token::expires_in) are over; calls wait for it only where there is no token that is still
    /// good, and no longer than their deadline. It runs once at a time, on a task of its own that no call
    /// takes along when it ends, and has 30 seconds. Where it fails, so do the calls that have no token: with
    /// `UNAUTHENTICATED` if the error is, or comes from, a [`Status`] that says that or
    /// `PERMISSION_DENIED`, else with `UNAVAILABLE`, and with the error as their source. It is then called
    /// again after a second at the earliest.
    ///
    /// ```
    /// use std::time::Duration;
    /// use apibase::{BoxError, Credentials, Token};
    ///
    /// async fn log_in() -> Result<(String, Duration), BoxError> {
    /// #   Ok((String::new(), Duration::ZERO))
    ///     // …
    /// }
    ///
    /// let credentials = Credentials::from_fn(async || {
    ///     let (token, lifetime) = log_in().await?;
    ///     Ok::<_, BoxError>(Token::new(token).expires_in(lifetime))
    /// });
    /// ```
    #[must_use]
    pub fn from_fn<F, Fut, T, E>(fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<Token>,
        E: Into<BoxError>,
    {
        let fetch = move || {
            let fetching = fetch();
            async move {
                match fetching.await {
                    Ok(token) => Ok(token.into()),
                    Err(error) => Err(Trouble::of_function(error.into())),
                }
            }
        };
        Self::of(Source::Function(Arc::new(Cached::new(Pace::Expiry, fetch))))
    }

    /// Sends it in plaintext too, where everybody on the way can read it and use it: within a mesh that
    /// encrypts by itself, or in a test.
    #[must_use]
    pub fn allow_plaintext(mut self) -> Self {
        self.in_plaintext = true;
        self
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            in_plaintext: false,
        }
    }

    /// What goes with one attempt; at once where it is known.
    ///
    /// # Errors
    ///
    /// When it may not be sent so, or can't be had.
    pub(super) async fn bearer(&self, is_secure: bool) -> Result<Bearer, Failure> {
        if !is_secure && !self.in_plaintext {
            return Err(in_plaintext());
        }
        let bearer = match &self.source {
            Source::Fixed(header) => header.clone().map(|header| Bearer {
                header,
                number: Number::default(),
            }),
            Source::File(_, cached) | Source::Function(cached) => match cached.at_hand() {
                Some(bearer) => bearer,
                // Boxed: most calls need not wait, and all would be as large.
                None => Box::pin(cached.wait()).await,
            },
        };
        bearer.map_err(|trouble| failure(&trouble))
    }

    /// A server has refused the token of this number.
    pub(super) fn refused(&self, number: Number) {
        if let Source::File(_, cached) | Source::Function(cached) = &self.source {
            cached.refused(number);
        }
    }
}

impl fmt::Debug for Credentials {
    /// Where it is from, and never the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Credentials");
        match &self.source {
            Source::Fixed(_) => shown.field("from", &"a fixed token"),
            Source::File(path, _) => shown.field("file", path),
            Source::Function(_) => shown.field("from", &"a function"),
        };
        shown.field("in_plaintext", &self.in_plaintext).finish()
    }
}

#[cold]
fn in_plaintext() -> Failure {
    let message = "the client's token would be sent in plaintext, for everybody on the way to read; \
         connect with TLS (`https://`), or allow it (`Credentials::allow_plaintext`)";
    Failure::unsent(
        FailureKind::Credentials,
        Status::new(Code::Unauthenticated, message),
    )
}

#[cold]
fn failure(trouble: &Trouble) -> Failure {
    let message = format!("there is no token for the call: {trouble}");
    let mut status = Status::new(trouble.code(), message);
    if let Some(cause) = trouble.cause() {
        status.set_source(cause);
    }
    Failure::unsent(FailureKind::Credentials, status)
}
