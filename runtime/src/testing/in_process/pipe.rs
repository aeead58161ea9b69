//! A stream of HTTP/2 as both its ends see it: frames in order, a window, and three ways to end.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::BoxError;

/// How many bytes may wait for their reader, one frame more at most: what HTTP/2 lets a stream send
/// before its reader has taken any of it (RFC 9113, 6.9.2).
const WINDOW: usize = 65_535;

/// Both ends of a new stream.
pub(super) fn pipe() -> (Writer, Reader) {
    let shared = Arc::new(Mutex::new(State::default()));
    let writer = Writer {
        shared: Arc::clone(&shared),
    };
    (writer, Reader { shared })
}

/// The end that sends. Dropped before [`Writer::finish`], it leaves the other end a reset.
pub(super) struct Writer {
    shared: Arc<Mutex<State>>,
}

/// The end that reads.
pub(super) struct Reader {
    shared: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    frames: VecDeque<Frame<Bytes>>,
    /// The bytes in them.
    waiting: usize,
    end: Option<End>,
    reader_is_gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Clean,
    Reset,
}

impl Writer {
    /// Ready when there is room in the window. A stream that nobody reads has none, as a reader that
    /// is dropped gives nothing of its window back.
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.shared);
        if state.waiting < WINDOW && !state.reader_is_gone {
            return Poll::Ready(());
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn send(&mut self, frame: Frame<Bytes>) {
        let mut state = lock(&self.shared);
        if state.reader_is_gone {
            return;
        }
        state.waiting += frame.data_ref().map_or(0, Bytes::len);
        state.frames.push_back(frame);
        state.wake_reader();
    }

    /// All is sent.
    pub(super) fn finish(&mut self) {
        self.end(End::Clean);
    }

    /// The stream is reset.
    pub(super) fn reset(&mut self) {
        self.end(End::Reset);
    }

    fn end(&mut self, end: End) {
        let mut state = lock(&self.shared);
        if state.end.is_none() {
            state.end = Some(end);
            state.wake_reader();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.reset();
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = lock(&self.shared);
        // A reset overtakes what was sent before it, as in HTTP/2.
        if state.end == Some(End::Reset) {
            state.frames.clear();
            state.end = Some(End::Clean);
            let reset = h2::Error::from(h2::Reason::CANCEL);
            return Poll::Ready(Some(Err(reset.into())));
        }
        if let Some(frame) = state.frames.pop_front() {
            state.waiting -= frame.data_ref().map_or(0, Bytes::len);
            if let Some(writer) = state.writer.take() {
                writer.wake();
            }
            return Poll::Ready(Some(Ok(frame)));
        }
        if state.end.is_some() {
            return Poll::Ready(None);
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        let state = lock(&self.shared);
        state.end == Some(End::Clean) && state.frames.is_empty()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        state.reader_is_gone = true;
        state.frames.clear();
    }
}

impl State {
    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
