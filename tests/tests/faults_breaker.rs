//! The circuit breaker as callers of a stub see it. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod unreliable;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use apibase::{
    BreakerPolicy, Caller, Code, Context, DomainError, FailureKind, HedgingPolicy, Method, Replies,
    RetryPolicy,
};
use common::{EchoReply, Outcome, Scripted, ask, count, failing, failure, reply};
use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio::time::{Instant, advance};
use unreliable::{Fault, Unreliable};

const OPEN_FOR: Duration = Duration::from_secs(30);
/// Longer than that, and than its jitter.
const LATER: Duration = Duration::from_secs(34);

/// A method for each kind of call; none is retried but the second.
static METHODS: [Method; 3] = [
    Method::unary("/echo.EchoService/Echo"),
    Method::unary("/echo.EchoService/Ping")
        .idempotent()
        .retry(RetryPolicy::up_to(5).initial_backoff(Duration::from_millis(10)))
        .breaker(BreakerPolicy::after(3).timeout(OPEN_FOR)),
    Method::server_stream("/echo.EchoService/Count"),
];
static ECHO: &Method = &METHODS[0];
static PING: &Method = &METHODS[1];
static COUNT: &Method = &METHODS[2];

/// A caller, what it meets, and how often it got as far as the network.
struct Scene {
    caller: Caller<Unreliable>,
    fault: Arc<std::sync::Mutex<Option<Fault>>>,
    attempts: Arc<AtomicU32>,
}

impl Scene {
    fn new(scripted: Scripted) -> Self {
        let fault = Arc::new(std::sync::Mutex::new(None));
        let attempts = Arc::new(AtomicU32::new(0));
        let (now, seen) = (Arc::clone(&fault), Arc::clone(&attempts));
        let draw = move || {
            seen.fetch_add(1, SeqCst);
            *now.lock().unwrap()
        };
        Self {
            caller: Caller::new(Unreliable::new(scripted, draw), &METHODS),
            fault,
            attempts,
        }
    }

    fn now_has(&self, fault: impl Into<Option<Fault>>) {
        *self.fault.lock().unwrap() = fault.into();
    }

    /// How many attempts there were since this was last asked.
    fn attempts(&self) -> u32 {
        self.attempts.swap(0, SeqCst)
    }

    async fn echo(&self) -> Outcome<EchoReply> {
        let ctx = Context::background();
        self.caller.unary(&ctx, ECHO, ask("")).await
    }

    async fn ping(&self) -> Outcome<()> {
        let ctx = Context::background();
        self.caller.unary(&ctx, PING, ()).await
    }

    async fn count(&self) -> Outcome<Replies<EchoReply, DomainError>> {
        let ctx = Context::background();
        self.caller.server_stream(&ctx, COUNT, count(3)).await
    }

    /// How many calls fail before one is rejected.
    async fn failures_until_open(&self) -> u32 {
        for failures in 0..100 {
            match self.echo().await {
                Err(error) if error.is_circuit_open() => return failures,
                Err(_) => {}
                Ok(reply) => panic!("{reply:?}"),
            }
        }
        panic!("it never opens");
    }

    /// Makes it open, and lets its time pass.
    async fn open_and_wait(&self) {
        self.now_has(Fault::Status(Code::Unavailable));
        self.failures_until_open().await;
        self.now_has(None);
        advance(LATER).await;
        self.attempts();
    }
}

#[tokio::test(start_paused = true)]
async fn rule_19_unless_set_the_fifth_failure_opens_it_for_thirty_seconds() {
    let scene = Scene::new(Scripted::new());
    scene.now_has(Fault::Status(Code::Unavailable));
    assert_eq!(scene.failures_until_open().await, 5);
    assert_eq!(scene.attempts(), 5);
    scene.now_has(None);
    advance(OPEN_FOR - Duration::from_millis(1)).await;
    let rejected = failure(scene.echo().await);
    assert_eq!(rejected.kind(), FailureKind::CircuitOpen);
    assert_eq!((rejected.attempts(), scene.attempts()), (0, 0));
    assert!(rejected.is_not_processed());
    assert!(
        rejected.status().message().contains(ECHO.path()),
        "{rejected}"
    );
    advance(LATER - OPEN_FOR).await;
    assert_eq!(scene.echo().await.unwrap(), reply(0, ""));
}

#[tokio::test(start_paused = true)]
async fn rule_18_the_status_after_an_answer_began_is_what_counts() {
    let scene = Scene::new(Scripted::new());
    scene.now_has(Fault::StatusAfterHead(Code::Internal));
    assert_eq!(scene.failures_until_open().await, 5);
}

#[tokio::test(start_paused = true)]
async fn rule_17_each_code_counts_or_does_not() {
    for code in (1..=16).map(Code::from_i32) {
        let opens = matches!(
            code,
            Code::Unavailable
                | Code::DeadlineExceeded
                | Code::Internal
                | Code::Unknown
                | Code::DataLoss
        );
        let scene = Scene::new(Scripted::new());
        scene.now_has(Fault::Status(code));
        for _ in 0..20 {
            let error = scene.echo().await.unwrap_err();
            assert!(opens || !error.is_circuit_open(), "{code:?}");
        }
        assert_eq!(scene.attempts(), if opens { 5 } else { 20 }, "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_17_calls_that_their_callers_give_up_count_for_nothing() {
    let scene = Scene::new(Scripted::new());
    scene.now_has(Fault::Silence);
    for _ in 0..20 {
        let given_up = tokio::time::timeout(Duration::from_millis(10), scene.echo());
        assert!(given_up.await.is_err());
    }
    scene.now_has(None);
    assert!(scene.echo().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn rule_17_short_times_that_callers_inherit_count_for_nothing_and_own_ones_do() {
    let scene = Scene::new(Scripted::new());
    scene.now_has(Fault::Silence);
    let inherited = async |time| {
        let ctx = Context::background().with_timeout(Duration::from_millis(time));
        let outcome: Outcome<EchoReply> = scene.caller.unary(&ctx, ECHO, ask("")).await;
        outcome.unwrap_err()
    };
    for _ in 0..20 {
        assert_eq!(inherited(20).await.code(), Code::DeadlineExceeded);
    }
    assert_eq!(scene.attempts(), 20, "each was sent");
    scene.now_has(None);
    assert!(scene.echo().await.is_ok());

    // Who had five seconds has waited long enough to know.
    scene.now_has(Fault::Silence);
    for _ in 0..5 {
        assert_eq!(inherited(5000).await.code(), Code::DeadlineExceeded);
    }
    assert!(inherited(5000).await.is_circuit_open());
    scene.now_has(None);
    advance(LATER).await;
    assert!(scene.echo().await.is_ok());

    let own = apibase::CallOptions::new().deadline(Duration::from_millis(20));
    let own = scene.caller.with(own);
    scene.now_has(Fault::Silence);
    for _ in 0..5 {
        let outcome: Outcome<EchoReply> = own.unary(&Context::background(), ECHO, ask("")).await;
        assert_eq!(outcome.unwrap_err().code(), Code::DeadlineExceeded);
    }
    assert!(scene.echo().await.unwrap_err().is_circuit_open());
}

#[tokio::test(start_paused = true)]
async fn rule_17_hedged_attempts_that_nobody_answers_count_when_their_time_is_over() {
    const TIME: Duration = Duration::from_secs(1);
    static HEDGED: [Method; 1] = [Method::unary("/echo.EchoService/Echo")
        .no_side_effects()
        .deadline(TIME)
        .hedging(HedgingPolicy::up_to(2, Duration::from_millis(100)))];
    let silent = Unreliable::new(Scripted::new(), || Some(Fault::Silence));
    let caller = Caller::new(silent, &HEDGED);
    let call = async || {
        let ctx = Context::background();
        let outcome: Outcome<EchoReply> = caller.unary(&ctx, &HEDGED[0], ask("")).await;
        failure(outcome)
    };
    // Two attempts each: the sixth is one more than it takes.
    for _ in 0..3 {
        let late = call().await;
        assert_eq!((late.kind(), late.attempts()), (FailureKind::Deadline, 2));
        assert!(!late.is_not_processed(), "a server may be at it");
    }
    assert_eq!(call().await.kind(), FailureKind::CircuitOpen);
}

#[tokio::test(start_paused = true)]
async fn rule_22_a_rejection_is_not_retried() {
    let scene = Scene::new(Scripted::new());
    scene.now_has(Fault::Status(Code::Unavailable));
    // Three attempts open it, and the fourth is not made: the call ends as the third did.
    let error = scene.ping().await.unwrap_err();
    assert!(!error.is_circuit_open(), "{error:?}");
    assert_eq!((error.code(), scene.attempts()), (Code::Unavailable, 3));
    let started = Instant::now();
    let error = scene.ping().await.unwrap_err();
    assert!(error.is_circuit_open());
    assert_eq!((started.elapsed(), scene.attempts()), (Duration::ZERO, 0));
}

#[tokio::test(start_paused = true)]
async fn rule_22_each_method_has_its_own() {
    let scene = Scene::new(Scripted::new());
    scene.open_and_wait().await;
    scene.now_has(Fault::Status(Code::Unavailable));
    assert!(scene.echo().await.is_err());
    assert!(scene.echo().await.unwrap_err().is_circuit_open());
    scene.now_has(None);
    scene.ping().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn rule_20_of_ten_thousand_callers_one_reaches_the_server() {
    let asked = Arc::new(AtomicU32::new(0));
    let answer = Arc::new(Notify::new());
    let scene = Scene::new(Scripted::new().on_echo({
        let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
        move |_, _| {
            asked.fetch_add(1, SeqCst);
            let answer = Arc::clone(&answer);
            async move {
                answer.notified().await;
                Ok(reply(0, ""))
            }
        }
    }));
    scene.open_and_wait().await;
    let calls: Vec<_> = (0..10_000)
        .map(|_| {
            let caller = scene.caller.clone();
            tokio::spawn(async move {
                let ctx = Context::background();
                let outcome: Outcome<EchoReply> = caller.unary(&ctx, ECHO, ask("")).await;
                outcome
            })
        })
        .collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    answer.notify_waiters();
    let (mut well, mut rejected) = (0, 0);
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => well += 1,
            Err(error) if error.is_circuit_open() => rejected += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((well, rejected, asked.load(SeqCst)), (1, 9_999, 1));
}

#[tokio::test(start_paused = true)]
async fn rule_20_a_probe_that_its_caller_drops_lets_another_one_through() {
    let scene = Scene::new(Scripted::new());
    scene.open_and_wait().await;
    scene.now_has(Fault::Silence);
    for _ in 0..3 {
        let dropped = tokio::time::timeout(Duration::from_millis(10), scene.echo());
        assert!(dropped.await.is_err());
    }
    assert_eq!(scene.attempts(), 3);
    scene.now_has(None);
    assert!(scene.echo().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stream_counts_by_how_it_ends_and_as_a_probe_by_its_first_reply() {
    let fails = Arc::new(AtomicBool::new(true));
    let scene = Scene::new(Scripted::new().on_count({
        let fails = Arc::clone(&fails);
        move |_, _| {
            let fails = fails.load(SeqCst);
            async move {
                Ok(match fails {
                    true => failing(2, DomainError::database("the disk is full")),
                    false => apibase::Streamed::new(
                        futures_util::stream::iter([Ok(reply(0, ""))])
                            .chain(futures_util::stream::pending()),
                    ),
                })
            }
        }
    }));
    for _ in 0..5 {
        let replies: Vec<_> = scene.count().await.unwrap().collect().await;
        assert!(replies.len() == 3 && replies[2].is_err(), "{replies:?}");
    }
    assert!(scene.count().await.unwrap_err().is_circuit_open());

    fails.store(false, SeqCst);
    advance(LATER).await;
    let mut probe = scene.count().await.unwrap();
    assert!(scene.count().await.unwrap_err().is_circuit_open());
    probe.next().await.unwrap().unwrap();
    assert!(
        scene.count().await.is_ok(),
        "though the probe has not ended"
    );
}
