//! What ends retries, or puts them off: the server's pushback, the throttle, and that nobody waits for the
//! answer any more. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    Caller, Code, Context, DomainError, FailureKind, Method, Replies, RetryPolicy, RetryThrottle,
    Verdict,
};
use common::{
    EchoReply, EchoServiceClient, EchoServiceServer, Outcome, Scripted, ask, count, failure, reply,
};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep, timeout};

const PATH: &str = "/echo.EchoService/Echo";
const DEADLINE: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_millis(10);

/// A caller of `methods`, and what goes wrong on the way of its calls.
fn scene(methods: &'static [Method]) -> (Caller<Faults<InProcess>>, Faults<InProcess>) {
    let scripted = Scripted::new().on_echo(|_, _| async { Ok(reply(7, "")) });
    let faults = Faults::new(InProcess::new(EchoServiceServer::new(scripted)));
    (Caller::new(faults.clone(), methods), faults)
}

async fn call(caller: &Caller<Faults<InProcess>>, method: &'static Method) -> Outcome<EchoReply> {
    caller.unary(&Context::background(), method, ask("")).await
}

/// How long it was from each attempt to the next one.
fn waits(faults: &Faults<InProcess>) -> Vec<Duration> {
    let seen = faults.seen();
    let pairs = seen.windows(2);
    pairs.map(|pair| pair[1].at() - pair[0].at()).collect()
}

/// Whether it is `exact`, but for jitter and the ticks of timers.
fn is_about(wait: Duration, exact: Duration) -> bool {
    let tick = Duration::from_millis(2);
    wait >= exact.mul_f64(0.8) && wait <= exact.mul_f64(1.2) + tick
}

#[tokio::test(start_paused = true)]
async fn rule_03_after_a_pushback_the_waits_begin_anew() {
    const BASE: Duration = Duration::from_millis(100);
    static METHODS: [Method; 1] = [Method::unary(PATH).no_side_effects().retry(
        RetryPolicy::up_to(5)
            .initial_backoff(BASE)
            .multiplier(10.0)
            .max_backoff(Duration::from_secs(100)),
    )];
    let pushback = Duration::from_millis(700);
    let fails = || Fault::code(Code::Unavailable);
    let (caller, faults) = scene(&METHODS);
    faults
        .next(fails())
        .next(fails())
        .next(fails().pushback(pushback))
        .next(fails());
    call(&caller, &METHODS[0]).await.unwrap();
    let [first, second, told, after] = waits(&faults)[..] else {
        panic!("{:?}", waits(&faults));
    };
    assert!(is_about(first, BASE), "{first:?}");
    assert!(is_about(second, 10 * BASE), "{second:?}");
    // What the server says has no jitter.
    assert!(
        told >= pushback && told <= pushback + Duration::from_millis(2),
        "{told:?}"
    );
    assert!(is_about(after, BASE), "{after:?}, and 10 s if it went on");
}

/// Half of two tokens is one: a failure that takes one stops all retries.
const NARROW: RetryThrottle = RetryThrottle::new(2.0, 0.001);
static THROTTLED: [Method; 1] = [Method::unary(PATH)
    .no_side_effects()
    .retry(RetryPolicy::up_to(2).initial_backoff(SOON))
    .retry_throttle(NARROW)];

#[tokio::test(start_paused = true)]
async fn rule_03_a_server_that_says_no_takes_a_token_whatever_its_code() {
    static WIDER: [Method; 1] = [Method::unary(PATH)
        .no_side_effects()
        .retry(RetryPolicy::up_to(2).initial_backoff(SOON))
        .retry_throttle(RetryThrottle::new(4.0, 0.001))];
    for (code, no, attempts) in [
        (Code::Unavailable, true, 1),
        (Code::NotFound, true, 1),
        (Code::NotFound, false, 2),
    ] {
        let (caller, faults) = scene(&WIDER);
        let fault = Fault::code(code);
        faults.next(match no {
            true => fault.no_retry(),
            false => fault,
        });
        call(&caller, &WIDER[0]).await.unwrap_err();
        assert_eq!(faults.counts().attempts, 1, "{code:?}");
        // Three of four tokens are left, or four; the one that is taken now leaves two or three.
        faults.next(Fault::code(Code::Unavailable));
        let outcome = call(&caller, &WIDER[0]).await;
        assert_eq!(faults.counts().attempts - 1, attempts, "{code:?}, {no}");
        assert_eq!(outcome.is_ok(), attempts == 2);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_09_what_no_server_has_seen_takes_no_token() {
    for fault in [Fault::no_connection(), Fault::refused(), Fault::go_away()] {
        let (caller, faults) = scene(&THROTTLED);
        faults.next(fault);
        call(&caller, &THROTTLED[0]).await.unwrap();
        let before = faults.counts().attempts;
        faults.next(Fault::no_connection());
        call(&caller, &THROTTLED[0]).await.unwrap();
        assert_eq!(faults.counts().attempts - before, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_09_a_call_that_the_throttle_stops_fails_as_its_attempt_did() {
    let (caller, faults) = scene(&THROTTLED);
    faults.always(Fault::code(Code::Unavailable));
    let failure = failure(call(&caller, &THROTTLED[0]).await);
    assert_eq!(failure.status().message(), "injected by a test");
    assert_eq!(failure.trace().records()[0].verdict(), Verdict::Throttled);
    assert_eq!(faults.counts().attempts, 1);
}

// What is over stays over, whatever a policy says.

static GREEDY: [Method; 2] = [
    Method::unary(PATH)
        .no_side_effects()
        .deadline(DEADLINE)
        .retry(
            RetryPolicy::up_to(5)
                .initial_backoff(SOON)
                .codes(&[Code::DeadlineExceeded, Code::Cancelled]),
        ),
    Method::server_stream("/echo.EchoService/Count")
        .no_side_effects()
        .deadline(DEADLINE)
        .retry(
            RetryPolicy::up_to(5)
                .initial_backoff(SOON)
                .codes(&[Code::DeadlineExceeded, Code::Cancelled]),
        ),
];

#[tokio::test(start_paused = true)]
async fn rule_05_the_end_of_a_deadline_is_never_retried() {
    let (caller, faults) = scene(&GREEDY);
    faults.always(Fault::silence());
    let started = Instant::now();
    assert_eq!(
        failure(call(&caller, &GREEDY[0]).await).kind(),
        FailureKind::Deadline
    );
    let ctx = Context::background();
    let replies = caller.server_stream(&ctx, &GREEDY[1], count(1)).await;
    let replies: Outcome<Replies<EchoReply, DomainError>> = replies;
    assert_eq!(failure(replies.map(drop)).kind(), FailureKind::Deadline);
    sleep(DEADLINE).await;
    assert_eq!(faults.counts().attempts, 2);
    assert!(started.elapsed() <= 3 * DEADLINE + SOON);
    // What a server says before that is its own, and a policy's business.
    faults.clear();
    for code in [Code::DeadlineExceeded, Code::Cancelled] {
        faults.next(Fault::code(code));
        call(&caller, &GREEDY[0]).await.unwrap();
    }
    assert_eq!(faults.counts().attempts, 6);
}

#[tokio::test(start_paused = true)]
async fn rule_05_a_callers_cancel_is_never_retried() {
    let (caller, faults) = scene(&GREEDY);
    faults.always(Fault::silence());
    // Dropped: it ends with the future.
    let dropped = timeout(SOON, call(&caller, &GREEDY[0]));
    assert!(dropped.await.is_err());
    sleep(DEADLINE).await;
    assert_eq!(faults.counts().attempts, 1);

    // Cancelled: the call that it was made in is over, and the task that made it is not.
    let (contexts, mut context) = unbounded_channel();
    let outer = EchoServiceClient::new(InProcess::new(EchoServiceServer::new(
        Scripted::new().on_echo(move |ctx, _| {
            contexts.send(ctx).unwrap();
            std::future::pending()
        }),
    )));
    let serving = tokio::spawn(async move {
        let ctx = Context::background();
        outer.echo(&ctx, ask("")).await
    });
    let ctx = context.recv().await.unwrap();
    let inner = tokio::spawn({
        let caller = caller.clone();
        async move {
            let outcome: Outcome<EchoReply> = caller.unary(&ctx, &GREEDY[0], ask("")).await;
            outcome
        }
    });
    sleep(SOON).await;
    assert_eq!(faults.counts().attempts, 2);
    serving.abort();
    let failure = failure(inner.await.unwrap());
    assert_eq!(failure.status().code(), Code::Cancelled);
    sleep(DEADLINE).await;
    assert_eq!(faults.counts().attempts, 2);
}
