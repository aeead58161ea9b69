//! The correlation id of a call: what ties together the log lines of all calls that one request causes.

use http::HeaderName;

use super::Context;
use crate::interceptors::{CORRELATION_ID, Correlation};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The correlation id that comes with a call.
enum SentId<'a> {
    None,
    Invalid,
    Valid(&'a str),
}

/// A correlation id that was set by hand.
struct CorrelationId(Box<str>);

impl Context {
    /// The id that ties together the log lines of all calls that one request causes: the incoming
    /// `x-correlation-id` (else `x-request-id`), what was set by
    /// [`with_correlation_id`](Self::with_correlation_id), or a new one on a server with
    /// [`Logging`](crate::Logging).
    ///
    /// An incoming id that is not 1 to 128 of `A-Z a-z 0-9 . _ -` is ignored.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        if let Some(CorrelationId(id)) = self.extension() {
            return Some(id);
        }
        // It is there only where none has come.
        if let Some(own) = self.scope.trail.correlation().own() {
            return Some(own);
        }
        match self.sent_correlation_id() {
            SentId::Valid(id) => Some(id),
            SentId::None | SentId::Invalid => None,
        }
    }

    /// The correlation id that has come in.
    fn sent_correlation_id(&self) -> SentId<'_> {
        if !self.scope.present.correlation {
            return SentId::None;
        }
        let headers = self.scope.metadata.as_ref();
        let mut sent = SentId::None;
        for value in [CORRELATION_ID, REQUEST_ID].map(|name| headers.get(name)) {
            match value.map(|value| value.to_str().unwrap_or_default()) {
                Some(id) if is_correlation_id(id) => return SentId::Valid(id),
                Some(_) => sent = SentId::Invalid,
                None => {}
            }
        }
        sent
    }

    /// Says whose correlation id a call has that is made in this context, or came with it, unless that is
    /// said; it gets one if it has none.
    pub(crate) fn correlate(&self, correlation: &Correlation) {
        if correlation.is_known() {
            return;
        }
        if self.extension::<CorrelationId>().is_some() {
            return correlation.set_of_context();
        }
        match self.sent_correlation_id() {
            SentId::Valid(_) => correlation.set_of_context(),
            SentId::Invalid => correlation.make(true),
            SentId::None => correlation.make(false),
        }
    }

    /// The correlation id for the answer; `None` where the server has no [`Logging`](crate::Logging).
    ///
    /// Who has sent one hears which one counts. Who has sent none hears of ours if the call has failed: then
    /// it is what they can tell somebody who reads the log.
    pub(crate) fn told_correlation_id(&self, has_failed: bool) -> Option<&str> {
        let correlation = self.scope.trail.correlation();
        let is_told = correlation.is_awaited() || (has_failed && correlation.is_known());
        is_told.then(|| self.correlation_id()).flatten()
    }

    /// The same context with this correlation id; an id that is not valid is not taken.
    #[must_use]
    pub fn with_correlation_id(&self, id: &str) -> Self {
        if is_correlation_id(id) {
            self.with_extension(CorrelationId(id.into()))
        } else {
            self.clone()
        }
    }
}

pub(crate) fn is_correlation_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::incoming;

    #[test]
    fn the_correlation_id_comes_from_either_header_and_is_checked() {
        let id =
            |pairs: &[(&'static str, &str)]| incoming(pairs).correlation_id().map(str::to_owned);
        assert_eq!(id(&[("x-correlation-id", "a-1")]).as_deref(), Some("a-1"));
        assert_eq!(id(&[("x-request-id", "r_2")]).as_deref(), Some("r_2"));
        let both = [("x-request-id", "r"), ("x-correlation-id", "c")];
        assert_eq!(id(&both).as_deref(), Some("c"));
        assert_eq!(id(&[("x-correlation-id", "a b")]), None);
        assert_eq!(id(&[("x-correlation-id", &"a".repeat(129))]), None);
        assert_eq!(id(&[]), None);
    }
}
