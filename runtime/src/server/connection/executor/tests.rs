//! A connection that takes calls and flushes what they have written, without HTTP/2.
//!
//! Time stands still unless a test moves it, so that no poll is slow by itself.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::yield_now;
use tokio::time::{advance, sleep};

use super::*;

const DEADLINE: Duration = Duration::from_secs(5);

/// What a connection has to do with its calls.
#[derive(Default)]
struct Wire {
    /// Replies that were written and not sent.
    written: AtomicUsize,
    /// How many replies each flush has sent.
    flushes: Mutex<Vec<usize>>,
    /// Hears of what is written.
    connection: Mutex<Option<Waker>>,
}

impl Wire {
    fn write(&self) {
        self.written.fetch_add(1, SeqCst);
        if let Some(connection) = self.connection.lock().unwrap().take() {
            connection.wake();
        }
    }

    fn flushes(&self) -> Vec<usize> {
        self.flushes.lock().unwrap().clone()
    }
}

/// Takes calls as they come, and ends when so many replies are sent.
struct Connection {
    wire: Arc<Wire>,
    calls: VecDeque<(usize, Stream)>,
    replies: usize,
    /// How often it was asked for a stream.
    polls: Arc<AtomicUsize>,
}

type Stream = Pin<Box<dyn Future<Output = ()> + Send>>;

impl super::Connection for Connection {
    type End = ();

    fn poll_stream(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        streams: &mut Streams,
    ) -> Poll<ControlFlow<()>> {
        self.polls.fetch_add(1, SeqCst);
        *self.wire.connection.lock().unwrap() = Some(cx.waker().clone());
        let mut flushes = self.wire.flushes.lock().unwrap();
        match self.wire.written.swap(0, SeqCst) {
            0 => {}
            replies => flushes.push(replies),
        }
        if flushes.iter().sum::<usize>() == self.replies {
            return Poll::Ready(ControlFlow::Break(()));
        }
        drop(flushes);
        let Some((route, stream)) = self.calls.pop_front() else {
            return Poll::Pending;
        };
        let deadline = Some(Instant::now() + DEADLINE);
        streams.take(stream, Note { route, deadline });
        Poll::Ready(ControlFlow::Continue(()))
    }
}

/// A server with two methods, both of them quick.
struct Rig {
    load: Arc<Load>,
    wire: Arc<Wire>,
    tracker: TaskTracker,
    polls: Arc<AtomicUsize>,
}

const QUICK: usize = 0;
const OTHER: usize = 1;

impl Rig {
    fn new() -> Self {
        let load = Load::new(2);
        for route in [QUICK, OTHER] {
            while !load.pace(route).unwrap().is_quick() {
                load.pace(route).unwrap().took(Duration::ZERO);
            }
        }
        Self {
            load,
            wire: Arc::default(),
            tracker: TaskTracker::new(),
            polls: Arc::default(),
        }
    }

    fn driver(&self, calls: Vec<(usize, Stream)>, replies: usize) -> Driver<Connection> {
        let connection = Connection {
            wire: Arc::clone(&self.wire),
            calls: calls.into(),
            replies,
            polls: Arc::clone(&self.polls),
        };
        self.drive(connection)
    }

    fn drive<C: super::Connection>(&self, connection: C) -> Driver<C> {
        Driver::new(connection, Arc::clone(&self.load), self.tracker.clone())
    }

    /// Serves until each call has replied.
    async fn serve(&self, calls: Vec<(usize, Stream)>) {
        let replies = calls.len();
        tokio::spawn(self.driver(calls, replies)).await.unwrap();
    }

    /// Calls of a quick method that do this and then reply.
    fn calls<F>(&self, count: usize, handle: impl Fn(usize) -> F) -> Vec<(usize, Stream)>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let call = |index| {
            let (wire, handled) = (Arc::clone(&self.wire), handle(index));
            let stream: Stream = Box::pin(async move {
                handled.await;
                wire.write();
            });
            (QUICK, stream)
        };
        (0..count).map(call).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_burst_a_quarter_is_sent_together() {
    let rig = Rig::new();
    let mut driver = rig.driver(rig.calls(8, |_| async {}), 8);
    // One came before.
    driver.burst = 8;
    tokio::spawn(driver).await.unwrap();
    assert_eq!(rig.wire.flushes(), [2, 2, 2, 2]);
    assert!(rig.tracker.is_empty(), "no call has had a task of its own");
}

#[tokio::test(start_paused = true)]
async fn a_burst_that_nothing_foretold_is_noticed_when_it_is_one() {
    let rig = Rig::new();
    rig.serve(rig.calls(16, |_| async {})).await;
    // Twelve of them are seen together, of which a quarter is three.
    assert_eq!(rig.wire.flushes(), [1, 1, 1, 1, 3, 3, 3, 3]);
}

#[tokio::test(start_paused = true)]
async fn where_replies_go_alone_the_connection_is_polled_once_for_each() {
    let rig = Rig::new();
    rig.serve(rig.calls(4, |_| async {})).await;
    assert_eq!(rig.wire.flushes(), [1, 1, 1, 1]);
    assert_eq!(rig.polls.load(SeqCst), 5);
}

#[test]
fn a_burst_is_expected_for_some_time() {
    let turn = |before, came| Turn {
        came,
        ..Turn::after(before)
    };
    let bursts = [(0, 3), (3, 8), (8, 3), (7, 1), (6, 0)];
    let expected = bursts.map(|(before, came)| turn(before, came).burst());
    assert_eq!(expected, [3, 8, 7, 6, 6]);
}

#[tokio::test(start_paused = true)]
async fn a_single_reply_is_sent_at_once() {
    let rig = Rig::new();
    rig.serve(rig.calls(1, |_| async {})).await;
    assert_eq!(rig.wire.flushes(), [1]);
}

#[tokio::test(start_paused = true)]
async fn connections_that_wait_for_the_same_thread_make_batches_larger() {
    let rig = Rig::new();
    let others: Vec<_> = (0..3).map(|_| rig.driver(Vec::new(), 1)).collect();
    let mut driver = rig.driver(rig.calls(8, |_| async {}), 8);
    driver.burst = 8;
    tokio::spawn(driver).await.unwrap();
    assert_eq!(rig.wire.flushes(), [8]);
    drop(others);
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_get_tasks_and_are_sent_together_too() {
    let rig = Rig::new();
    rig.serve(rig.calls(16, |_| yield_now())).await;
    let flushes = rig.wire.flushes();
    assert_eq!(flushes.iter().sum::<usize>(), 16);
    assert!(flushes.len() <= 8, "{flushes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_holds_up_no_other() {
    let rig = Rig::new();
    let (release, released) = oneshot::channel::<()>();
    let released = Arc::new(Mutex::new(Some(released)));
    let mut calls = rig.calls(1, |_| {
        let released = released.lock().unwrap().take().unwrap();
        async move { released.await.unwrap() }
    });
    calls.extend(rig.calls(4, |_| async {}));
    let serving = tokio::spawn(rig.driver(calls, 5));
    while rig.wire.flushes().iter().sum::<usize>() < 4 {
        yield_now().await;
    }
    assert!(!serving.is_finished());
    release.send(()).unwrap();
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_slow_poll_gives_the_rest_of_its_batch_tasks_and_its_method_no_more_trust() {
    let rig = Rig::new();
    let spawned = Arc::new(AtomicUsize::new(0));
    let calls = rig.calls(4, |index| {
        let (spawned, tracker) = (Arc::clone(&spawned), rig.tracker.clone());
        async move {
            spawned.fetch_max(tracker.len(), SeqCst);
            if index == 0 {
                // Moves time without giving way.
                let mut moving = Box::pin(advance(SLOW * 2));
                let _ = moving
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()));
            }
        }
    });
    let mut driver = rig.driver(calls, 4);
    driver.burst = 8;
    tokio::spawn(driver).await.unwrap();
    assert_eq!(spawned.load(SeqCst), 3);
    assert!(!rig.load.pace(QUICK).unwrap().is_quick());
    assert!(rig.load.pace(OTHER).unwrap().is_quick());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_wakes_itself_lets_others_in_each_time() {
    struct Restless(Arc<AtomicUsize>);
    impl super::Connection for Restless {
        type End = ();

        fn poll_stream(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            _: &mut Streams,
        ) -> Poll<ControlFlow<()>> {
            cx.waker().wake_by_ref();
            match self.0.fetch_add(1, SeqCst) {
                100 => Poll::Ready(ControlFlow::Break(())),
                _ => Poll::Pending,
            }
        }
    }
    let rig = Rig::new();
    let polls = Arc::new(AtomicUsize::new(0));
    let serving = tokio::spawn(rig.drive(Restless(Arc::clone(&polls))));
    // Another task that always has something to do.
    let turns = tokio::spawn(async move {
        let mut turns = 0;
        std::future::poll_fn(|cx| {
            turns += 1;
            cx.waker().wake_by_ref();
            match serving.is_finished() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        turns
    });
    let turns = turns.await.unwrap();
    assert!(turns >= 100, "{turns} turns beside {polls:?} polls");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_one_calls_own() {
    let rig = Rig::new();
    let mut calls = rig.calls(3, |_| async {});
    let panics: Stream = Box::pin(async { panic!("on purpose") });
    calls.insert(1, (QUICK, panics));
    let waits_and_panics: Stream = Box::pin(async {
        yield_now().await;
        panic!("on purpose");
    });
    calls.insert(2, (QUICK, waits_and_panics));
    tokio::spawn(rig.driver(calls, 3)).await.unwrap();
    rig.tracker.close();
    rig.tracker.wait().await;
    assert_eq!(rig.load.replies_a_flush(4), 1, "nobody is counted as busy");
}

#[tokio::test(start_paused = true)]
async fn a_connection_takes_its_queued_calls_with_it() {
    /// Tells when it is dropped.
    struct Tells(Arc<AtomicBool>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let rig = Rig::new();
    let dropped = Arc::new(AtomicBool::new(false));
    let mut driver = rig.driver(Vec::new(), 1);
    let tells = Tells(Arc::clone(&dropped));
    let note = Note {
        route: QUICK,
        deadline: None,
    };
    driver.streams.take(async move { drop(tells) }, note);
    assert!(!dropped.load(SeqCst));
    drop(driver);
    assert!(dropped.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_woken_at_its_deadline_and_cut_off_a_second_later() {
    let rig = Rig::new();
    let polled = Arc::new(Mutex::new(Vec::new()));
    let (started, times) = (Instant::now(), Arc::clone(&polled));
    let never: Stream = Box::pin(std::future::poll_fn(move |_| {
        times.lock().unwrap().push(started.elapsed());
        Poll::Pending
    }));
    let driver = rig.driver(vec![(QUICK, never)], 1);
    let serving = tokio::spawn(driver);
    yield_now().await;
    rig.tracker.close();
    rig.tracker.wait().await;
    // A timer is exact to the millisecond.
    assert_eq!(started.elapsed().as_secs(), 6);
    let mut times: Vec<_> = polled
        .lock()
        .unwrap()
        .iter()
        .map(Duration::as_secs)
        .collect();
    times.dedup();
    assert_eq!(times, [0, 5, 6]);
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_woken_again_and_again_all_end() {
    let rig = Rig::new();
    let bell = Arc::new(Notify::new());
    let calls = rig.calls(64, |index| {
        let bell = Arc::clone(&bell);
        async move {
            for _ in 0..index % 5 {
                bell.notify_one();
                yield_now().await;
            }
            sleep(Duration::from_millis(index as u64 % 3)).await;
        }
    });
    rig.serve(calls).await;
    assert_eq!(rig.wire.flushes().iter().sum::<usize>(), 64);
}
