//! [`Token`]: what a function gets for [`Credentials`](super::Credentials).

use std::fmt;
use std::time::Duration;

use http::HeaderValue;

/// A token, and how long it is good. Nothing shows it.
///
/// A `String` is one that is good for ever.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    pub(super) lifetime: Option<Duration>,
}

impl Token {
    /// This token, without `Bearer `, which is good as long as the program runs.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            lifetime: None,
        }
    }

    /// It is good for this long from now on.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// The value of `authorization`, or what is wrong with the token.
    pub(super) fn header(&self) -> Result<HeaderValue, &'static str> {
        if self.text.is_empty() {
            return Err("the token is empty");
        }
        // What a header may have beyond that, no token has (RFC 6750, section 2.1).
        if !self.text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(
                "the token has a space, or what isn't visible ASCII; it stands without `Bearer `",
            );
        }
        let mut header = HeaderValue::try_from(format!("Bearer {}", self.text))
            .map_err(|_| "the token can't be a header")?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl From<String> for Token {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
