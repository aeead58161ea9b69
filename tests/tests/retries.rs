//! When a call is tried again, and when it isn't: what grpc-go's `TestRetryUnary`, `TestRetryThrottling` and
//! `TestRetryStreaming` show, and C-core's `retry_*` cases, against a server that plays a script.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod common;
#[path = "retries/mod.rs"]
mod table;

use std::time::Duration;

use apibase::Code::{self, Aborted, Internal, ResourceExhausted, Unavailable};
use apibase::{Caller, Channel, Context, Method, RetryPolicy, RetryThrottle};
use common::{EchoReply, Outcome, ask, soon};
use h2::Reason;
use table::Step::{self, End, Goodbye, Head, Pushback, Reply, Reset, Silence};
use table::{Attempt, Case, ScriptedServer, hold, request, status};

const SOON: Duration = Duration::from_millis(10);
const POLICY: RetryPolicy = RetryPolicy::up_to(4)
    .initial_backoff(SOON)
    .max_backoff(SOON)
    .multiplier(1.0);
/// Its second attempt has to be answered in that time, however busy the machine is.
const IMPATIENT: RetryPolicy = RetryPolicy::up_to(2)
    .initial_backoff(SOON)
    .max_backoff(SOON)
    .attempt_timeout(Duration::from_secs(3));
const SLOW: RetryPolicy = RetryPolicy::up_to(4).initial_backoff(Duration::from_secs(60));

static UNARY: Method = Method::unary("/retries.Retries/Unary")
    .idempotent()
    .retry(POLICY);
static LIST: Method = Method::server_stream("/retries.Retries/List")
    .idempotent()
    .retry(POLICY);
static UPLOAD: Method = Method::client_stream("/retries.Retries/Upload")
    .idempotent()
    .retry(POLICY);
static CHAT: Method = Method::bidi("/retries.Retries/Chat")
    .idempotent()
    .retry(POLICY);
static OF_ABORTED: Method = Method::unary("/retries.Retries/OfAborted")
    .idempotent()
    .retry(POLICY.codes(&[Aborted]));
static EAGER: Method = Method::unary("/retries.Retries/Eager")
    .idempotent()
    .retry(IMPATIENT);
static PATIENT: Method = Method::unary("/retries.Retries/Patient")
    .idempotent()
    .retry(SLOW);
/// Its second call may act twice.
static ONCE: Method = Method::unary("/retries.Retries/Once");
static ONCE_CHAT: Method = Method::bidi("/retries.Retries/OnceChat");
static THROTTLED: Method = Method::unary("/retries.Retries/Throttled")
    .idempotent()
    .retry(POLICY)
    .retry_throttle(RetryThrottle::new(10.0, 0.5));

/// More than a call keeps of its requests to send them again.
const LARGE: usize = 300 * 1024;

fn large() -> Vec<u8> {
    vec![7; LARGE]
}

fn fails() -> Step {
    status(Unavailable)
}

fn succeeds() -> Step {
    status(Code::Ok)
}

#[tokio::test]
async fn rule_01_attempts_are_counted_with_the_first() {
    hold([
        Case::of(&CHAT, "one retry is enough", &["1"])
            .attempt([request("1"), fails()])
            .attempt([request("1"), Reply(1), succeeds()])
            .replies(&[1]),
        Case::of(&CHAT, "four attempts are all", &["1"])
            .attempt([request("1"), fails()])
            .attempt([request("1"), fails()])
            .attempt([request("1"), fails()])
            .attempt([request("1"), fails()])
            .ends_with(Unavailable),
        Case::of(&UNARY, "a unary call", &["1"])
            .attempt([request("1"), End, fails()])
            .attempt([request("1"), End, Reply(5), succeeds()])
            .replies(&[5]),
        Case::of(&LIST, "a list", &["1"])
            .attempt([request("1"), End, fails()])
            .attempt([request("1"), End, Reply(1), Reply(2), succeeds()])
            .replies(&[1, 2]),
        Case::of(&UPLOAD, "an upload", &["1", "2"])
            .attempt([request("1"), fails()])
            .attempt([request("1"), request("2"), End, Reply(5), succeeds()])
            .replies(&[5]),
    ])
    .await;
}

#[tokio::test]
async fn rule_03_pushback_says_when_or_never() {
    hold([
        Case::of(&CHAT, "negative", &["1"])
            .attempt([request("1"), Pushback("-1"), fails()])
            .ends_with(Unavailable),
        Case::of(&CHAT, "no number", &["1"])
            .attempt([request("1"), Pushback("xxx"), fails()])
            .ends_with(Unavailable),
        Case::of(&CHAT, "two values", &["1"])
            .attempt([request("1"), Pushback("100"), Pushback("10"), fails()])
            .ends_with(Unavailable),
        Case::of(&CHAT, "a second", &["1"])
            .attempt([request("1"), Pushback("1000"), fails()])
            .attempt([request("1"), Reply(2), succeeds()])
            .replies(&[2])
            .takes(Duration::from_secs(1)),
        Case::of(&UNARY, "at once, then never", &["1"])
            .attempt([request("1"), Pushback("0"), fails()])
            .attempt([request("1"), Pushback("-1"), fails()])
            .ends_with(Unavailable),
        Case::of(&PATIENT, "in place of a longer backoff", &["1"])
            .attempt([request("1"), Pushback("300"), fails()])
            .attempt([request("1"), Reply(1), succeeds()])
            .replies(&[1])
            .takes(Duration::from_millis(300)),
        Case::of(&UNARY, "it allows no more attempts", &["1"])
            .attempt([request("1"), Pushback("0"), fails()])
            .attempt([request("1"), Pushback("0"), fails()])
            .attempt([request("1"), Pushback("0"), fails()])
            .attempt([request("1"), Pushback("0"), fails()])
            .ends_with(Unavailable),
        Case::of(&UNARY, "it makes no code retryable", &["1"])
            .attempt([request("1"), Pushback("0"), status(Internal)])
            .ends_with(Internal),
    ])
    .await;
}

#[tokio::test]
async fn rule_04_a_head_commits_a_call() {
    hold([
        Case::of(&CHAT, "after a reply", &["1"])
            .attempt([request("1"), fails()])
            .attempt([request("1"), Reply(3), fails()])
            .replies(&[3])
            .ends_with(Unavailable),
        Case::of(&CHAT, "after the head alone", &["1"])
            .attempt([request("1"), Head, fails()])
            .ends_with(Unavailable),
        Case::of(&UNARY, "after the head of a unary call", &["1"])
            .attempt([request("1"), Head, fails()])
            .ends_with(Unavailable),
        Case::of(&LIST, "after some of a list", &["1"])
            .attempt([request("1"), Reply(1), Reply(2), fails()])
            .replies(&[1, 2])
            .ends_with(Unavailable),
        Case::of(&UPLOAD, "after the head of an upload", &["1"])
            .attempt([request("1"), Head, End, fails()])
            .ends_with(Unavailable),
        Case::of(&CHAT, "what comes after goes straight through", &["1"])
            .then_request(Duration::from_millis(300), b"2".to_vec())
            .attempt([request("1"), fails()])
            .attempt([request("1"), Reply(1), request("2"), End, fails()])
            .replies(&[1])
            .ends_with(Unavailable),
        Case::of(&CHAT, "a second head alone is success", &["1"])
            .attempt([request("1"), fails()])
            .attempt([request("1"), succeeds()]),
    ])
    .await;
}

#[tokio::test]
async fn rule_05_codes_and_idempotency_decide() {
    hold([
        Case::of(&CHAT, "another code", &["1"])
            .attempt([request("1"), status(Internal)])
            .ends_with(Internal),
        Case::of(&CHAT, "another code in the second attempt", &["1"])
            .attempt([request("1"), fails()])
            .attempt([request("1"), status(ResourceExhausted)])
            .ends_with(ResourceExhausted),
        Case::of(&OF_ABORTED, "a code of its own", &["1"])
            .attempt([request("1"), status(Aborted)])
            .attempt([request("1"), Reply(1), succeeds()])
            .replies(&[1]),
        Case::of(&OF_ABORTED, "UNAVAILABLE is not among its own", &["1"])
            .attempt([request("1"), fails()])
            .ends_with(Unavailable),
        Case::of(&ONCE, "a call that may act twice", &["1"])
            .attempt([request("1"), fails()])
            .ends_with(Unavailable),
        Case::of(&ONCE_CHAT, "a stream that may act twice", &["1"])
            .attempt([request("1"), fails()])
            .ends_with(Unavailable),
        // grpc-go goes by INTERNAL, which this is to it; here a stream that broke is no answer.
        Case::of(&UNARY, "a stream that breaks", &["1"])
            .attempt([request("1"), Reset(Reason::INTERNAL_ERROR)])
            .attempt([request("1"), Reply(1), succeeds()])
            .replies(&[1]),
        Case::of(&ONCE, "a stream that breaks and may act twice", &["1"])
            .attempt([request("1"), Reset(Reason::INTERNAL_ERROR)])
            .ends_with(Internal),
    ])
    .await;
}

#[tokio::test]
async fn rule_07_what_no_server_has_seen_is_sent_again_once_for_nothing() {
    hold([
        Case::of(&ONCE, "refused", &["1"])
            .attempt([Reset(Reason::REFUSED_STREAM)])
            .same_attempt([request("1"), Reply(1), succeeds()])
            .replies(&[1]),
        Case::of(&ONCE, "goodbye", &["1"])
            .attempt([Goodbye])
            .same_attempt([request("1"), Reply(1), succeeds()])
            .replies(&[1]),
        Case::of(&ONCE_CHAT, "a stream, refused", &["1", "2"])
            .attempt([Reset(Reason::REFUSED_STREAM)])
            .same_attempt([request("1"), request("2"), End, Reply(1), succeeds()])
            .replies(&[1]),
        Case::of(&UNARY, "the second time is an attempt", &["1"])
            .attempt([Reset(Reason::REFUSED_STREAM)])
            .same_attempt([Reset(Reason::REFUSED_STREAM)])
            .attempt([request("1"), Reply(1), succeeds()])
            .replies(&[1]),
        Case::of(&UNARY, "four attempts beside it", &["1"])
            .attempt([Reset(Reason::REFUSED_STREAM)])
            .same_attempt([request("1"), fails()])
            .attempt([request("1"), fails()])
            .attempt([request("1"), fails()])
            .attempt([request("1"), fails()])
            .ends_with(Unavailable),
    ])
    .await;
}

#[tokio::test]
async fn rule_10_a_backoff_beyond_the_deadline_is_not_waited_for() {
    hold([
        Case::of(&PATIENT, "a long backoff", &["1"])
            .within(Duration::from_secs(20))
            .attempt([request("1"), fails()])
            .ends_with(Unavailable),
        Case::of(&UNARY, "a long pushback", &["1"])
            .within(Duration::from_secs(20))
            .attempt([request("1"), Pushback("60000"), fails()])
            .ends_with(Unavailable),
    ])
    .await;
}

#[tokio::test]
async fn rule_12_requests_are_sent_again_with_their_end() {
    hold([
        Case::of(&CHAT, "several", &["1", "2"])
            .attempt([request("1"), request("2"), fails()])
            .attempt([request("1"), request("2"), Reply(5), succeeds()])
            .replies(&[5]),
        Case::of(&CHAT, "more in each attempt", &["1", "2", "3"])
            .attempt([request("1"), fails()])
            .attempt([request("1"), request("2"), fails()])
            .attempt([
                request("1"),
                request("2"),
                request("3"),
                Reply(5),
                succeeds(),
            ])
            .replies(&[5]),
        Case::of(&CHAT, "their end", &["1", "2"])
            .attempt([request("1"), request("2"), End, fails()])
            .attempt([
                request("1"),
                request("2"),
                End,
                Reply(1),
                Reply(3),
                succeeds(),
            ])
            .replies(&[1, 3]),
        Case::of(
            &CHAT,
            "an answer before all is sent again",
            &["1", "2", "3"],
        )
        .attempt([request("1"), request("2"), request("3"), fails()])
        .attempt([request("1"), Reply(1), succeeds()])
        .replies(&[1]),
        Case::of(&CHAT, "requests that don't end", &["1"])
            .stays_open()
            .attempt([request("1"), fails()])
            .attempt([request("1"), Reply(1), succeeds()])
            .replies(&[1]),
        Case::of(&CHAT, "one that comes while the first attempt runs", &["1"])
            .then_request(Duration::from_millis(300), b"2".to_vec())
            .attempt([request("1"), request("2"), fails()])
            .attempt([request("1"), request("2"), End, Reply(1), succeeds()])
            .replies(&[1]),
    ])
    .await;
}

#[tokio::test]
async fn rule_12_more_than_is_kept_commits_a_call() {
    let at_once = Duration::ZERO;
    hold([
        Case::of(&CHAT, "the first request", &[])
            .then_request(at_once, large())
            .attempt([Step::Request(large()), fails()])
            .ends_with(Unavailable),
        Case::of(&CHAT, "a later one", &["1"])
            .then_request(at_once, large())
            .attempt([request("1"), Step::Request(large()), fails()])
            .ends_with(Unavailable),
        Case::of(&UPLOAD, "of an upload", &["1"])
            .then_request(at_once, large())
            .attempt([request("1"), Step::Request(large()), End, fails()])
            .ends_with(Unavailable),
        // It is sent once more, for the last time.
        Case::of(&CHAT, "during a backoff", &["1"])
            .then_request(Duration::from_secs(2), large())
            .attempt([request("1"), Pushback("5000"), fails()])
            .attempt([request("1"), Step::Request(large()), fails()])
            .ends_with(Unavailable)
            .takes(Duration::from_secs(5)),
    ])
    .await;
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_given_up() {
    let case = Case::of(&EAGER, "once", &["1"])
        .attempt([request("1"), Silence])
        .attempt([request("1"), Reply(1), succeeds()])
        .replies(&[1])
        .takes(Duration::from_secs(3));
    hold([case]).await;
}

/// Calls one after the other through one channel, each with the codes that its attempts end with: the last
/// one is the call's.
async fn in_a_row(method: &'static Method, calls: &[&[Code]]) {
    let attempt = |(before, code): (usize, &Code)| Attempt {
        previous: u32::try_from(before).unwrap(),
        steps: match code {
            Code::Ok => vec![request("1"), Reply(1), succeeds()],
            code => vec![request("1"), status(*code)],
        },
    };
    let attempts = calls
        .iter()
        .flat_map(|codes| codes.iter().enumerate().map(attempt));
    let server = ScriptedServer::start(attempts).await;
    let channel = Channel::connect(format!("http://{}", server.addr));
    let channel = soon(channel).await.unwrap();
    let caller = Caller::new(channel, std::slice::from_ref(method));
    let mut begun = 0;
    for (number, codes) in calls.iter().enumerate() {
        let ctx = Context::background();
        let reply: Outcome<EchoReply> = soon(caller.unary(&ctx, method, ask("1"))).await;
        let code = reply.map_or_else(|error| error.code(), |_| Code::Ok);
        assert_eq!(Some(&code), codes.last(), "call {number}");
        begun += codes.len();
        assert_eq!(server.begun(), begun, "attempts until call {number}");
    }
    assert_eq!(server.seen(begun).await.wrong, Vec::<String>::new());
}

#[tokio::test]
async fn unary_calls_in_a_row_are_each_tried_again() {
    const OK: Code = Code::Ok;
    let calls: [&[Code]; 7] = [
        &[OK],
        &[Aborted, OK],
        &[Aborted, Aborted, OK],
        &[Internal],
        &[Aborted, Internal],
        &[Aborted, Aborted, Internal],
        &[Aborted, Aborted, Aborted, Aborted],
    ];
    in_a_row(&OF_ABORTED, &calls).await;
}

#[tokio::test]
async fn rule_09_a_throttle_ends_retries_and_lets_them_begin_again() {
    const OK: Code = Code::Ok;
    let calls: [&[Code]; 12] = [
        &[OK],
        // 10 tokens, less 2 failures, and half a token for the success.
        &[Unavailable, Unavailable, OK],
        &[Unavailable, Unavailable, OK],
        // 6 now: the first is tried again, the second is at half of all.
        &[Unavailable, Unavailable],
        &[Unavailable],
        // From 4 up to 6.5.
        &[OK],
        &[OK],
        &[OK],
        &[OK],
        &[OK],
        &[Unavailable, OK],
        &[Unavailable],
    ];
    in_a_row(&THROTTLED, &calls).await;
}
