//! What [`Faults`](super::Faults) saw pass.

use std::fmt;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// How many attempts there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All of them.
    pub attempts: u64,
    /// Those that say of no earlier one: one a call, and one more for each that is made again because
    /// no server processed it, which gRPC doesn't count.
    pub first_attempts: u64,
    /// Those that nothing went wrong with here, so far: one that is under way is one of them until
    /// something does.
    pub passed: u64,
    /// Those that something went wrong with, a delay included.
    pub faults: u64,
}

/// One attempt of a call, as it was sent.
#[derive(Clone)]
pub struct SeenAttempt {
    pub(super) path: String,
    pub(super) previous_attempts: Option<u32>,
    pub(super) timeout: Option<Duration>,
    pub(super) headers: HeaderMap,
    pub(super) fault: &'static str,
    pub(super) at: Instant,
}

impl SeenAttempt {
    /// `/examples.ItemService/GetItem`
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What `grpc-previous-rpc-attempts` says; `None` in a first one.
    #[must_use]
    pub fn previous_attempts(&self) -> Option<u32> {
        self.previous_attempts
    }

    /// What `grpc-timeout` says: how long the server may take.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// All metadata that was sent, the protocol's own too.
    #[must_use]
    pub fn metadata(&self) -> MetadataMap {
        MetadataMap::from_headers(self.headers.clone())
    }

    /// What went wrong with it, by the name of the function of [`Fault`](super::Fault): `refused`;
    /// `none` if nothing did, or not yet, whatever was said: what comes after the head of an answer can't
    /// come after one that is all in its head.
    #[must_use]
    pub fn fault(&self) -> &'static str {
        self.fault
    }

    /// When it was sent, by tokio's clock.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }
}

impl fmt::Debug for SeenAttempt {
    /// Shows no metadata: it can hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenAttempt")
            .field("path", &self.path)
            .field("previous_attempts", &self.previous_attempts)
            .field("timeout", &self.timeout)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}
