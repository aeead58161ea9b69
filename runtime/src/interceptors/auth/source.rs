//! [`KeySource`]: where an issuer's keys come from.

use std::pin::Pin;

use crate::BoxError;

/// Where an issuer's keys come from, other than by a URL: a file, a secret store, a test.
///
/// ```
/// use apibase::{BoxError, KeySource};
///
/// /// What somebody else keeps up to date.
/// struct File(&'static str);
///
/// impl KeySource for File {
///     async fn fetch(&self) -> Result<Vec<u8>, BoxError> {
///         let path = self.0;
///         Ok(tokio::task::spawn_blocking(move || std::fs::read(path)).await??)
///     }
/// }
/// ```
pub trait KeySource: Send + Sync + 'static {
    /// Gets the keys: a JWK set as JSON (RFC 7517, section 5). One call at a time, for 10 seconds at most.
    ///
    /// # Errors
    ///
    /// Why they are not to be had: the log says it, and the keys of last time stay.
    fn fetch(&self) -> impl Future<Output = Result<Vec<u8>, BoxError>> + Send;
}

pub(super) type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, BoxError>> + Send + 'a>>;

/// A [`KeySource`] of any type.
pub(super) trait AnySource: Send + Sync {
    fn fetch_boxed(&self) -> Fetching<'_>;
}

impl<S: KeySource> AnySource for S {
    fn fetch_boxed(&self) -> Fetching<'_> {
        Box::pin(self.fetch())
    }
}
