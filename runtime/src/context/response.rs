//! What a servicer sends back beside its messages.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tonic::metadata::MetadataMap;

use crate::{MetadataError, NEXT_PAGE_TOKEN, TypedMetadata};

/// The headers and trailers of the reply, shared by all clones of a call's context.
///
/// Peers take 8 KiB of each: a reply with more fails with `INTERNAL`, and one that fails already
/// loses them.
#[derive(Clone, Copy)]
pub struct ResponseMetadata<'a>(&'a Shared);

#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<Parts>);

#[derive(Debug, Default)]
struct Parts {
    headers: MetadataMap,
    trailers: MetadataMap,
    uncompressed: bool,
}

impl<'a> ResponseMetadata<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self(shared)
    }

    /// Sets a header of the reply.
    ///
    /// Headers leave when the servicer returns: with its one reply or its error, and those of a stream
    /// at once, before its first message. What is set later is not sent.
    ///
    /// # Errors
    ///
    /// When `key` or `value` is not valid, as [`TypedMetadata::set_text`] says.
    pub fn set_header(self, key: &str, value: impl fmt::Display) -> Result<(), MetadataError> {
        self.headers(|headers| headers.set_text(key, value))
    }

    /// Sets a trailer of the reply, which leaves with the status.
    ///
    /// # Errors
    ///
    /// When `key` or `value` is not valid, as [`TypedMetadata::set_text`] says.
    pub fn set_trailer(self, key: &str, value: impl fmt::Display) -> Result<(), MetadataError> {
        self.trailers(|trailers| trailers.set_text(key, value))
    }

    /// Says where the next page of a streamed list starts, in the trailer [`NEXT_PAGE_TOKEN`]. An
    /// empty token, that of the last page, is not sent.
    ///
    /// # Errors
    ///
    /// When the token is not ASCII, as [`PageTokens`](crate::PageTokens)' always are.
    pub fn set_next_page_token(self, token: &str) -> Result<(), MetadataError> {
        if token.is_empty() {
            return Ok(());
        }
        self.set_trailer(NEXT_PAGE_TOKEN, token)
    }

    /// Has the replies that are encoded from now on sent as they are, where they would be compressed.
    ///
    /// For a reply that holds a secret beside something that its caller chose: whoever can see how
    /// long a compressed message is, and have many of them sent, can guess the secret byte by byte
    /// (the BREACH attack), TLS or not.
    pub fn uncompressed(self) {
        self.parts().uncompressed = true;
    }

    /// Whether [`uncompressed`](Self::uncompressed) was said.
    pub(crate) fn is_uncompressed(self) -> bool {
        self.parts().uncompressed
    }

    /// Reads or changes all headers of the reply.
    pub fn headers<T>(self, change: impl FnOnce(&mut MetadataMap) -> T) -> T {
        change(&mut self.parts().headers)
    }

    /// Reads or changes all trailers of the reply.
    pub fn trailers<T>(self, change: impl FnOnce(&mut MetadataMap) -> T) -> T {
        change(&mut self.parts().trailers)
    }

    fn parts(self) -> MutexGuard<'a, Parts> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take_headers(self) -> MetadataMap {
        self.headers(std::mem::take)
    }

    pub(crate) fn take_trailers(self) -> MetadataMap {
        self.trailers(std::mem::take)
    }
}

impl fmt::Debug for ResponseMetadata<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseMetadata").finish_non_exhaustive()
    }
}
