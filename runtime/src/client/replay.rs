//! [`Replay`]: a stream of requests that more than one attempt can send.
//!
//! What was read of the caller's stream is kept until an attempt has an answer, or until it is more
//! than [`KEPT`]: then the call is committed to the attempt that runs (gRFC A6, "Memory Management").

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use super::failure::Failure;
use crate::wire::encode::{self, Fill};
use crate::{Code, Status};

/// So many bytes of requests are kept for another attempt; grpc-go's default, too.
const KEPT: usize = 256 * 1024;

/// Where the frames of a stream come from.
pub(super) type Source = Box<dyn encode::Source>;

/// The call's side of a stream of requests. When it is dropped, the call is over, and the attempt that
/// runs is reset.
pub(super) struct Replay(Arc<Shared>);

/// An attempt's side: it reads the stream from its start.
pub(super) struct ReplayBody {
    shared: Arc<Shared>,
    attempt: u32,
    ended: bool,
}

type Shared = Mutex<Log>;

struct Log {
    /// None while it is being polled, and once it has ended.
    source: Option<Source>,
    buffer: BytesMut,
    /// What was read so far; None once the call is committed to its attempt.
    kept: Option<Vec<Bytes>>,
    bytes: usize,
    /// How many of those the attempt has taken.
    sent: usize,
    is_read: bool,
    /// The attempt that may read.
    attempt: u32,
    is_over: bool,
    failure: Option<Box<Failure>>,
    /// Who waits for more to send, and who for a failure.
    body: Option<Waker>,
    call: Option<Waker>,
}

impl Replay {
    pub(super) fn new(source: Source) -> Self {
        Self(Arc::new(Mutex::new(Log {
            source: Some(source),
            buffer: BytesMut::new(),
            kept: Some(Vec::new()),
            bytes: 0,
            sent: 0,
            is_read: false,
            attempt: 0,
            is_over: false,
            failure: None,
            body: None,
            call: None,
        })))
    }

    pub(super) fn attempt(&self) -> ReplayBody {
        let mut log = lock(&self.0);
        log.attempt += 1;
        log.sent = 0;
        let earlier = log.body.take();
        let body = ReplayBody {
            attempt: log.attempt,
            ended: false,
            shared: Arc::clone(&self.0),
        };
        drop(log);
        wake(earlier);
        body
    }

    /// Ends the attempt that runs; whether another one would send all.
    ///
    /// Both at once: what an attempt reads after it was asked, between its end and the next one's
    /// beginning, could be more than is kept, and the next one would begin in the middle.
    pub(super) fn halt(&self) -> bool {
        let mut log = lock(&self.0);
        log.attempt += 1;
        let earlier = log.body.take();
        let is_whole = log.kept.is_some();
        drop(log);
        wake(earlier);
        is_whole
    }

    pub(super) fn commit(&self) {
        let mut log = lock(&self.0);
        log.bytes = log.bytes.max(KEPT);
        log.let_go();
    }

    pub(super) fn poll_failed(&self, cx: &mut Context<'_>) -> Poll<Box<Failure>> {
        let mut log = lock(&self.0);
        match log.failure.take() {
            Some(failure) => Poll::Ready(failure),
            None => {
                remember(&mut log.call, cx);
                Poll::Pending
            }
        }
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let mut log = lock(&self.0);
        log.is_over = true;
        let waker = log.body.take();
        // A caller's stream is dropped with the call, though a transport may keep the body for longer;
        // and not under the lock, since it may do anything.
        let source = log.source.take();
        drop(log);
        drop(source);
        wake(waker);
    }
}

impl ReplayBody {
    /// The next frames; an error when they can't be encoded, or when nobody wants them any more.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Status>>> {
        let mut log = lock(&self.shared);
        if log.is_over || log.attempt != self.attempt {
            self.ended = true;
            return Poll::Ready(Some(Err(cancelled())));
        }
        if let Some(frame) = log.again() {
            self.ended = log.is_read && log.is_sent();
            return Poll::Ready(Some(Ok(frame)));
        }
        if log.is_read {
            self.ended = true;
            return Poll::Ready(None);
        }
        remember(&mut log.body, cx);
        let Some(mut source) = log.source.take() else {
            // An earlier attempt's poll has it, and wakes whoever waits when it puts it back.
            return Poll::Pending;
        };
        let mut buffer = mem::take(&mut log.buffer);
        // Not under the lock: the caller's stream may do anything, such as end its own call.
        drop(log);
        // The caller's own code: unwinding would take the task that sends with it, and leave the call
        // waiting for an answer to half of its requests.
        let fill = catch_unwind(AssertUnwindSafe(|| source.poll_fill(cx, &mut buffer)));
        let fill = fill.unwrap_or_else(|_| {
            let status = Status::new(Code::Internal, "the stream of requests has panicked");
            Poll::Ready(Fill::End(Err(status)))
        });
        self.put_back(source, buffer, fill)
    }

    fn put_back(
        &mut self,
        source: Source,
        mut buffer: BytesMut,
        fill: Poll<Fill>,
    ) -> Poll<Option<Result<Bytes, Status>>> {
        let mut log = lock(&self.shared);
        let Poll::Ready(fill) = fill else {
            log.buffer = buffer;
            log.source = Some(source);
            if log.is_over {
                let source = log.source.take();
                drop(log);
                drop(source);
            } else if log.attempt != self.attempt {
                let waker = log.body.take();
                drop(log);
                wake(waker);
            }
            return Poll::Pending;
        };
        let frame = buffer.split().freeze();
        log.buffer = buffer;
        let end = match fill {
            Fill::More if log.is_over => {
                drop(log);
                drop(source);
                self.ended = true;
                return Poll::Ready(Some(Err(cancelled())));
            }
            Fill::More => {
                log.source = Some(source);
                None
            }
            Fill::End(end) => {
                log.is_read = true;
                Some(end)
            }
        };
        log.keep(&frame, self.attempt);
        let failed = matches!(end, Some(Err(_)));
        if let Some(Err(status)) = end {
            log.failure = Some(Box::new(Failure::encode_in_stream(status)));
        }
        let is_read = log.is_read;
        // The call hears of a failure before the transport does, whose own error comes second then.
        let waker = failed.then(|| log.call.take()).flatten();
        let stale = (log.attempt != self.attempt)
            .then(|| log.body.take())
            .flatten();
        drop(log);
        wake(waker);
        wake(stale);
        self.ended = is_read;
        match (failed, frame.is_empty()) {
            (true, _) => Poll::Ready(Some(Err(cancelled()))),
            (false, true) => Poll::Ready(None),
            (false, false) => Poll::Ready(Some(Ok(frame))),
        }
    }

    /// Whether nothing will come any more.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }
}

impl Log {
    /// The next one that another attempt has sent before.
    fn again(&mut self) -> Option<Bytes> {
        let frame = self.kept.as_ref()?.get(self.sent)?.clone();
        self.sent += 1;
        self.let_go();
        Some(frame)
    }

    /// Keeps a frame that an attempt has read, while that is of use.
    fn keep(&mut self, frame: &Bytes, attempt: u32) {
        let Some(kept) = &mut self.kept else {
            return;
        };
        if !frame.is_empty() {
            kept.push(frame.clone());
        }
        self.bytes = self.bytes.saturating_add(frame.len());
        // Another attempt began while this one was reading: it will take the frame from what is kept.
        if attempt == self.attempt {
            self.sent = kept.len();
            self.let_go();
        }
    }

    /// Forgets what is kept once it is too much, or the call is committed, and all of it is sent.
    fn let_go(&mut self) {
        if self.bytes >= KEPT && self.is_sent() {
            self.kept = None;
        }
    }

    fn is_sent(&self) -> bool {
        self.kept
            .as_ref()
            .is_none_or(|kept| kept.len() == self.sent)
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Log> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remember(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The attempt is over, so its stream is reset, as a call that is dropped before its answer is.
fn cancelled() -> Status {
    let mut status = Status::new(Code::Cancelled, "the call is over");
    status.set_source(Arc::new(h2::Error::from(h2::Reason::CANCEL)));
    status
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
