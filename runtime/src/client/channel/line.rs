//! [`Line`]: the state of one connection, shared by those who use it and those who keep it up.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::queue::Queue;
use crate::client::health::Serving;

/// The server's SETTINGS frame came.
const SETTINGS: u8 = 1;
/// The server takes no more calls on it: a GOAWAY came.
const GOODBYE: u8 = 2;
/// That one said `ENHANCE_YOUR_CALM`.
const CALM: u8 = 4;
/// The connection is over.
const OVER: u8 = 8;
/// What came first is not HTTP/2.
const ALIEN: u8 = 16;
/// The server doesn't say that it is well, where it is asked.
const SICK: u8 = 32;

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Line {
    flags: AtomicU8,
    since: Instant,
    /// When anything was read last, in milliseconds since then.
    heard: AtomicU64,
    /// How many calls are on it.
    in_flight: AtomicUsize,
    /// How many the server takes at once.
    max: AtomicUsize,
    /// What the server says of its health; None where it isn't asked or hasn't said anything.
    ailment: Mutex<Option<&'static str>>,
    /// Why it was ended here.
    cause: OnceLock<&'static str>,
    /// Told when it is over.
    pub(super) over: Notify,
    /// Told what its endpoint should look at.
    news: Arc<Notify>,
    queue: Arc<Queue>,
}

impl Line {
    pub(super) fn new(news: Arc<Notify>, queue: Arc<Queue>) -> Self {
        Self {
            flags: AtomicU8::new(0),
            since: Instant::now(),
            heard: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            max: AtomicUsize::new(0),
            ailment: Mutex::new(None),
            cause: OnceLock::new(),
            over: Notify::new(),
            news,
            queue,
        }
    }

    /// Its server is asked for its health; until it says that it is well there are no places.
    pub(super) fn doubt(&self) {
        self.set(SICK);
        // The stream of answers has a place.
        self.in_flight.fetch_add(1, Ordering::SeqCst);
    }

    /// The server says this of its health.
    pub(super) fn diagnose(&self, serving: &Serving) {
        let ailment = match serving {
            Serving::Yes => {
                self.flags.fetch_and(!SICK, Ordering::AcqRel);
                None
            }
            Serving::No(ailment) => {
                self.set(SICK);
                Some(*ailment)
            }
        };
        *self.ailment.lock().unwrap_or_else(PoisonError::into_inner) = ailment;
        self.news.notify_one();
    }

    /// Whether the server says that it is well, or isn't asked.
    pub(super) fn is_well(&self) -> bool {
        !self.has(SICK)
    }

    /// Why the server is not well; None as long as it hasn't said anything.
    pub(super) fn ailment(&self) -> Option<&'static str> {
        *self.ailment.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a call, if there is one.
    pub(super) fn take_place(&self) -> bool {
        if !self.is_open() || !self.is_well() {
            return false;
        }
        let max = self.max.load(Ordering::Relaxed);
        // In the order of `Queue`: who finds no place looks again after it is heard of there.
        let taken = self
            .in_flight
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |taken| {
                (taken < max).then_some(taken + 1)
            });
        taken.is_ok()
    }

    /// Gives it back.
    pub(super) fn free_place(&self) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        self.queue.freed();
    }

    /// How many calls are on it.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The server takes this many calls at once, it says now.
    pub(super) fn set_max(&self, max: usize) {
        if self.max.load(Ordering::Relaxed) != max {
            self.max.store(max, Ordering::SeqCst);
            self.queue.changed();
        }
    }

    /// Whether calls may be sent on it.
    pub(super) fn is_open(&self) -> bool {
        !self.has(GOODBYE | OVER)
    }

    /// Whether the server's SETTINGS frame came.
    pub(super) fn is_settled(&self) -> bool {
        self.has(SETTINGS)
    }

    /// Whether the server found that we say too much.
    pub(super) fn is_too_chatty(&self) -> bool {
        self.has(CALM)
    }

    /// Whether what came first is not HTTP/2.
    pub(super) fn is_alien(&self) -> bool {
        self.has(ALIEN)
    }

    fn has(&self, flags: u8) -> bool {
        self.flags.load(Ordering::Acquire) & flags != 0
    }

    fn set(&self, flags: u8) {
        let before = self.flags.fetch_or(flags, Ordering::AcqRel);
        if before & flags != flags && flags & (GOODBYE | OVER) != 0 {
            self.news.notify_one();
        }
    }

    /// Something was read.
    pub(super) fn hear(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or_default();
        // Written once in a millisecond only: calls on other threads have the same cache line.
        if self.heard.load(Ordering::Relaxed) != now {
            self.heard.store(now, Ordering::Relaxed);
        }
    }

    /// When anything was read last, to the millisecond.
    pub(super) fn heard(&self) -> Instant {
        self.since + Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }

    /// A SETTINGS frame was read whole, for whatever it changes.
    pub(super) fn settle(&self) {
        self.set(SETTINGS);
    }

    pub(super) fn settle_as_alien(&self) {
        self.set(ALIEN);
    }

    /// A GOAWAY frame was read.
    pub(super) fn say_goodbye(&self, too_chatty: bool) {
        self.set(if too_chatty { GOODBYE | CALM } else { GOODBYE });
    }

    /// Nothing more is read or written.
    pub(super) fn end(&self) {
        self.set(OVER);
    }

    /// The same, since we say so.
    pub(super) fn end_because(&self, cause: &'static str) {
        let _ = self.cause.set(cause);
        self.end();
    }

    /// Why it was ended here.
    pub(super) fn cause(&self) -> Option<&'static str> {
        self.cause.get().copied()
    }
}
