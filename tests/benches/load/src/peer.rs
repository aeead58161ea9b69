//! What a protocol is to the loop that drives it.

use std::time::Instant;

use crate::calls::Request;
use crate::hpack::Code;

/// A call that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// When it was started.
    pub(crate) started: Instant,
    /// How it went.
    pub(crate) code: Code,
}

/// One connection of a client, without its socket.
pub(crate) trait Peer: Sized {
    /// A connection for this request with so many streams; `out` gets what a client opens with.
    fn open(request: Request, streams: usize, out: &mut Vec<u8>) -> Self;

    /// Starts one call.
    fn start(&mut self, now: Instant, out: &mut Vec<u8>);

    /// Reads what came in and says how much of it, a part of a frame being left for the next time.
    /// `ended` gets each call that has ended.
    ///
    /// # Errors
    ///
    /// When the server says what no server should.
    fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        ended: &mut Vec<Ended>,
    ) -> Result<usize, String>;

    /// The whole answer of the first call, where [`keep`](Self::keep) was asked for.
    fn kept(&mut self) -> Option<Vec<u8>>;

    /// Keeps the answers from here on.
    fn keep(&mut self);
}

/// All answers of a connection have as many bytes as the first one.
#[derive(Debug, Default)]
pub(crate) struct Length(Option<usize>);

impl Length {
    pub(crate) fn check(&mut self, length: usize) -> Result<(), String> {
        match *self.0.get_or_insert(length) {
            first if first == length => Ok(()),
            first => Err(format!("an answer of {length} bytes after one of {first}")),
        }
    }
}
