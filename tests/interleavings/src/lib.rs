//! Every interleaving of the threads that the server's executor has to do with, by loom: a wake that is
//! lost is a model that deadlocks. And of those that share a client's breaker and throttle: `client.rs`.
//!
//! The two files are the runtime's own, with loom's atomics and locks below them.

#![cfg(test)]

mod client;
#[path = "../../../runtime/src/server/connection/executor/gate.rs"]
mod gate;
#[path = "../../../runtime/src/server/connection/executor/hold.rs"]
mod hold;

/// What the two files are made of.
mod sync {
    pub(crate) use loom::sync::{Mutex, MutexGuard};
}

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::model::Builder;
use loom::sync::atomic::AtomicUsize;
use loom::thread;

use gate::{Counted, Gate};
use hold::Hold;

/// Time stands still, and no wait ends by it.
const NOW: u64 = 0;
const NEVER: u64 = u64::MAX;

/// Where a connection is counted.
struct Load(AtomicUsize);

impl Load {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(0)))
    }
}

impl Counted for Arc<Load> {
    fn busier(&self) {
        self.0.fetch_add(1, SeqCst);
    }

    fn idler(&self) {
        assert_ne!(self.0.fetch_sub(1, SeqCst), 0);
    }
}

/// A connection as its streams see it.
struct Lane {
    gate: Arc<Gate<Arc<Load>>>,
    hold: Hold,
    /// Frames that streams have written.
    written: AtomicUsize,
}

impl Counted for Arc<Lane> {
    fn busier(&self) {
        self.hold.busier();
    }

    fn idler(&self) {
        self.hold.idler();
    }
}

fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(test);
}

impl Lane {
    fn new(load: &Arc<Load>) -> Arc<Self> {
        Arc::new(Self {
            gate: Arc::new(Gate::ready(Arc::clone(load))),
            hold: Hold::new(),
            written: AtomicUsize::new(0),
        })
    }

    /// Whether a stream is counted among those that have something to do.
    fn is_waited_for(&self) -> bool {
        self.hold.waits(NEVER, || NOW, |_| usize::MAX)
    }

    fn write(&self) {
        self.written.fetch_add(1, SeqCst);
        self.gate.wake();
    }

    /// The connection's poll, as `Driver` has it: ready once it has sent `frames`.
    fn poll(&self, cx: &Context<'_>, frames: usize, limit: usize) -> Poll<()> {
        self.gate.start(cx.waker());
        while self.hold.waits(NEVER, || NOW, |_| limit) {
            if self.gate.rest() {
                return Poll::Pending;
            }
            self.gate.poll();
        }
        loop {
            self.gate.poll();
            if self.written.load(SeqCst) == frames {
                self.gate.close();
                return Poll::Ready(());
            }
            if self.gate.rest() {
                return Poll::Pending;
            }
        }
    }

    /// Serves until so many frames were sent.
    fn serve(&self, frames: usize, limit: usize) {
        block_on(poll_fn(|cx| self.poll(cx, frames, limit)));
    }
}

/// A stream's poll, as `Spawned` has it: it writes a frame, and is over.
fn poll(stream: &Gate<Arc<Lane>>, lane: &Lane) {
    stream.start(Waker::noop());
    lane.write();
    stream.close();
    if lane.hold.polled(NOW) {
        lane.gate.wake();
    }
}

/// A stream's end without a poll, as when its task is cancelled.
fn drop_unpolled(stream: &Gate<Arc<Lane>>, lane: &Lane) {
    stream.close();
    if lane.hold.gone(NOW) {
        lane.gate.wake();
    }
}

#[test]
fn no_wake_is_lost_and_who_rests_is_not_counted() {
    model(|| {
        let load = Load::new();
        let lane = Lane::new(&load);
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let lane = Arc::clone(&lane);
                thread::spawn(move || lane.write())
            })
            .collect();
        lane.serve(2, 1);
        for writer in writers {
            writer.join().unwrap();
        }
        // Wakes that came too late count for nothing.
        lane.gate.wake();
        assert_eq!(load.0.load(SeqCst), 0);
    });
}

#[test]
fn a_connection_that_waits_for_its_streams_is_woken_by_them() {
    for limit in 1..=3 {
        model(move || {
            let load = Load::new();
            let lane = Lane::new(&load);
            let streams: Vec<_> = (0..2)
                .map(|_| {
                    let lane = Arc::clone(&lane);
                    let stream = Gate::ready(Arc::clone(&lane));
                    thread::spawn(move || poll(&stream, &lane))
                })
                .collect();
            lane.serve(2, limit);
            for stream in streams {
                stream.join().unwrap();
            }
            assert!(!lane.is_waited_for());
        });
    }
}

#[test]
fn a_stream_that_is_dropped_unpolled_ends_the_wait_too() {
    model(|| {
        let load = Load::new();
        let lane = Lane::new(&load);
        let (polled, dropped) = (
            Gate::ready(Arc::clone(&lane)),
            Gate::ready(Arc::clone(&lane)),
        );
        let threads = [
            thread::spawn({
                let lane = Arc::clone(&lane);
                move || poll(&polled, &lane)
            }),
            thread::spawn({
                let lane = Arc::clone(&lane);
                move || drop_unpolled(&dropped, &lane)
            }),
        ];
        lane.serve(1, 2);
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(!lane.is_waited_for());
    });
}

#[test]
fn a_stream_that_is_woken_while_it_is_polled_is_polled_again() {
    model(|| {
        let load = Load::new();
        let lane = Lane::new(&load);
        let stream = Arc::new(Gate::ready(Arc::clone(&lane)));
        let answer = Arc::new(AtomicUsize::new(0));
        // What the handler waits for comes from another thread.
        let other = thread::spawn({
            let (stream, answer) = (Arc::clone(&stream), Arc::clone(&answer));
            move || {
                answer.store(1, SeqCst);
                stream.wake();
            }
        });
        block_on(poll_fn(|cx| {
            stream.start(cx.waker());
            if answer.load(SeqCst) == 1 {
                stream.close();
                return Poll::Ready(());
            }
            if !stream.rest() {
                stream.again();
            }
            Poll::Pending
        }));
        other.join().unwrap();
        assert!(!lane.is_waited_for());
    });
}
