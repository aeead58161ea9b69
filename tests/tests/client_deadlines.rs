//! One deadline over all of a call, whatever it is at; what of it is sent with each attempt; and what the
//! error says when it has passed. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod hosts;

use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    CallOptions, Caller, Channel, ClientFactory, Code, Context, DomainError, Failure, FailureKind,
    Method, Replies, Resolver, Resolving, RetryPolicy, Target,
};
use common::{EchoReply, EchoServiceServer, Outcome, Scripted, ask, count, failure, reply};
use h2::Reason;
use hosts::{Does, Host, Hosts};
use tokio::time::{Instant, advance, sleep, timeout};

const DEADLINE: Duration = Duration::from_secs(2);
/// tokio's timers have ticks of a millisecond.
const TICK: Duration = Duration::from_millis(2);
const FOREVER: Duration = Duration::from_secs(3600);

static ECHO: &Method = &METHODS[0];
static COUNT: &Method = &METHODS[1];
static METHODS: [Method; 2] = [
    Method::unary("/echo.EchoService/Echo")
        .no_side_effects()
        .deadline(DEADLINE)
        .retry(RetryPolicy::up_to(4).initial_backoff(Duration::from_millis(300))),
    Method::server_stream("/echo.EchoService/Count")
        .no_side_effects()
        .deadline(DEADLINE)
        .retry(RetryPolicy::up_to(4).initial_backoff(Duration::from_millis(300))),
];

/// Names that are never resolved.
struct Unresolved;

impl Resolver for Unresolved {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(std::future::pending())
    }
}

fn factory(hosts: &Hosts) -> ClientFactory {
    ClientFactory::new().connector(hosts.clone())
}

fn caller(factory: &ClientFactory) -> Caller<Channel> {
    let channel = factory.channel(Target::new("a:1").insecure());
    Caller::new(channel.unwrap(), &METHODS)
}

/// A host of which a client knows, and its caller.
fn scene() -> (Host, Caller<Channel>) {
    let hosts = Hosts::default();
    (hosts.host("a:1"), caller(&factory(&hosts)))
}

async fn echo(caller: &Caller<Channel>) -> Outcome<EchoReply> {
    caller.unary(&Context::background(), ECHO, ask("")).await
}

/// Reads all replies.
async fn list(caller: &Caller<Channel>) -> Outcome<usize> {
    let ctx = Context::background();
    let replies = caller.server_stream(&ctx, COUNT, count(3));
    let mut replies: Replies<EchoReply, DomainError> = replies.await?;
    let mut number = 0;
    while replies.message().await?.is_some() {
        number += 1;
    }
    Ok(number)
}

/// Why a call failed whose time was over: after exactly that time.
async fn expired<T: std::fmt::Debug>(call: impl Future<Output = Outcome<T>>) -> Failure {
    let started = Instant::now();
    // One that nothing ends fails the test.
    let outcome = timeout(10 * DEADLINE, call).await.unwrap();
    let failure = failure(outcome);
    let elapsed = started.elapsed();
    assert!(
        elapsed >= DEADLINE && elapsed <= DEADLINE + TICK,
        "{elapsed:?}: {failure}"
    );
    assert_eq!(failure.kind(), FailureKind::Deadline);
    assert_eq!(failure.status().code(), Code::DeadlineExceeded);
    failure
}

#[tokio::test(start_paused = true)]
async fn rule_14_a_deadline_covers_resolving_and_connecting() {
    let hosts = Hosts::default();
    hosts.host("a:1").connects_in(FOREVER);
    let connecting = caller(&factory(&hosts));
    let resolving = caller(&factory(&hosts).resolver(Unresolved));
    for (caller, phase) in [
        (connecting, "while connecting"),
        (resolving, "while resolving the target's name"),
    ] {
        for failure in [expired(echo(&caller)).await, expired(list(&caller)).await] {
            let message = failure.status().message();
            assert!(message.contains(phase), "{message}");
            assert!(failure.is_not_processed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rule_14_a_deadline_covers_the_wait_for_a_place_on_a_connection() {
    let hosts = Hosts::default();
    let host = hosts.host("a:1");
    host.takes_at_once(1);
    host.does(Does::Silence);
    let caller = caller(&factory(&hosts).max_connections(1));
    let first = tokio::spawn({
        let caller = caller.with(CallOptions::new().deadline(FOREVER));
        async move { echo(&caller).await }
    });
    sleep(TICK).await;
    for failure in [expired(echo(&caller)).await, expired(list(&caller)).await] {
        let message = failure.status().message();
        assert!(
            message.contains("waiting for a place on a connection"),
            "{message}"
        );
    }
    assert_eq!(host.calls(), 1);
    first.abort();
}

#[tokio::test(start_paused = true)]
async fn rule_14_a_deadline_covers_what_was_tried_before_and_the_waits_between() {
    let (host, caller) = scene();
    host.answers(Code::Unavailable);
    // The second attempt, after some 300 ms, has what is left.
    let turns = tokio::spawn({
        let host = host.clone();
        async move {
            sleep(Duration::from_millis(100)).await;
            host.does(Does::Silence);
        }
    });
    let failure = expired(echo(&caller)).await;
    assert_eq!((failure.attempts(), host.calls()), (2, 2));
    turns.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn rule_14_a_deadline_covers_the_answer_to_its_last_trailer() {
    for (does, phase) in [
        (Does::Silence, "waiting for an answer"),
        (Does::HeadThenSilence, "reading the answer"),
        (Does::HalfAReplyThenSilence, "reading the answer"),
        (Does::ReplyThenSilence, "reading the answer"),
    ] {
        let (host, caller) = scene();
        host.does(does);
        for failure in [expired(echo(&caller)).await, expired(list(&caller)).await] {
            let message = failure.status().message();
            assert!(message.contains(phase), "{does:?}: {message}");
            assert!(message.contains("a:1"), "{does:?}: {message}");
        }
    }
}

// What is sent of it.

/// A client of `Faults` in the process, and its faults.
fn faulty() -> (Caller<Faults<InProcess>>, Faults<InProcess>) {
    let scripted = Scripted::new().on_echo(|_, _| async { Ok(reply(7, "")) });
    let faults = Faults::new(InProcess::new(EchoServiceServer::new(scripted)));
    (Caller::new(faults.clone(), &METHODS), faults)
}

#[tokio::test(start_paused = true)]
async fn rule_15_each_attempt_says_what_remains_of_the_deadline() {
    let (caller, faults) = faulty();
    let failed = || Fault::code(Code::Unavailable).after(Duration::from_millis(100));
    faults
        .next(failed())
        .next(Fault::lost())
        .next(Fault::refused());
    let started = Instant::now();
    let outcome: Outcome<EchoReply> = caller.unary(&Context::background(), ECHO, ask("")).await;
    outcome.unwrap();
    let seen = faults.seen();
    assert_eq!(seen.len(), 4);
    for seen in &seen {
        let remains = DEADLINE - (seen.at() - started);
        let said = seen.timeout().unwrap();
        // It is written in microseconds, and rounded down.
        assert!(
            said <= remains && said + TICK >= remains,
            "{said:?} of {remains:?}"
        );
    }
    let said: Vec<_> = seen.iter().map(|seen| seen.timeout().unwrap()).collect();
    assert_eq!(said[0], DEADLINE);
    // Each has waited longer than those before it, but the last: what is refused is sent again at once.
    assert!(said[1] < said[0] - Duration::from_millis(330), "{said:?}");
    assert!(said[2] < said[1] - Duration::from_millis(400), "{said:?}");
    assert_eq!(said[3], said[2]);
}

#[tokio::test(start_paused = true)]
async fn rule_15_what_a_call_has_waited_for_a_connection_is_not_promised_to_the_server() {
    let (host, caller) = scene();
    host.connects_in(Duration::from_millis(1500));
    echo(&caller).await.unwrap();
    let [said] = &host.timeouts()[..] else {
        panic!("one call");
    };
    let digits = said.trim_end_matches(|unit: char| !unit.is_ascii_digit());
    assert!(digits.len() <= 8 && said.ends_with('u'), "{said}");
    let micros: u64 = digits.parse().unwrap();
    assert!((498_000..=500_000).contains(&micros), "{said}");
}

#[tokio::test(start_paused = true)]
async fn rule_15_the_least_of_what_is_set_asked_for_and_inherited_counts() {
    let second = Duration::from_secs(1);
    for (own, inherited, expected) in [
        (None, None, DEADLINE),
        (Some(second), None, second),
        (Some(4 * second), None, 4 * second),
        (None, Some(second), second),
        (None, Some(4 * second), DEADLINE),
        (Some(second / 2), Some(second), second / 2),
        (Some(4 * second), Some(second), second),
    ] {
        let (caller, faults) = faulty();
        let elapsed = Duration::from_millis(100);
        let ctx = match inherited {
            Some(inherited) => Context::background().with_timeout(inherited + elapsed),
            None => Context::background(),
        };
        // What the caller has used up by now isn't there any more.
        advance(elapsed).await;
        let options = CallOptions::new();
        let caller = caller.with(match own {
            Some(own) => options.deadline(own),
            None => options,
        });
        let outcome: Outcome<EchoReply> = caller.unary(&ctx, ECHO, ask("")).await;
        outcome.unwrap();
        let said = faults.seen()[0].timeout();
        assert_eq!(said, Some(expected), "{own:?}, {inherited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_15_a_call_without_time_sends_nothing() {
    let (host, caller) = scene();
    let ctx = Context::background().with_timeout(DEADLINE);
    advance(DEADLINE).await;
    let outcome: Outcome<EchoReply> = caller.unary(&ctx, ECHO, ask("")).await;
    let late = failure(outcome);
    assert_eq!(late.kind(), FailureKind::Deadline);
    assert_eq!((late.attempts(), late.is_not_processed()), (0, true));
    let none = caller.with(CallOptions::new().deadline(Duration::ZERO));
    assert_eq!(failure(echo(&none).await).kind(), FailureKind::Deadline);
    assert_eq!(failure(list(&none).await).kind(), FailureKind::Deadline);
    sleep(DEADLINE).await;
    assert_eq!(host.calls(), 0);
}

// What is left behind when it has passed.

#[tokio::test(start_paused = true)]
async fn rule_16_at_its_deadline_a_call_resets_its_stream_and_leaves_the_connection() {
    for does in [
        Does::Silence,
        Does::HeadThenSilence,
        Does::HalfAReplyThenSilence,
        Does::ReplyThenSilence,
    ] {
        let (host, caller) = scene();
        host.does(does);
        expired(echo(&caller)).await;
        expired(list(&caller)).await;
        sleep(TICK).await;
        assert_eq!(host.resets(), [Reason::CANCEL; 2], "{does:?}");
        host.does(Does::Reply);
        echo(&caller).await.unwrap();
        assert_eq!(host.connections(), 1, "{does:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_16_the_error_at_a_deadline_names_the_attempt_before() {
    for (fault, named) in [
        (
            Fault::status(apibase::Status::unavailable("all full")),
            "Unavailable: all full",
        ),
        (Fault::no_connection(), "cannot connect to the server"),
    ] {
        let (caller, faults) = faulty();
        faults.next(fault).next(Fault::silence());
        let ctx = Context::background();
        let outcome: Outcome<EchoReply> = caller.unary(&ctx, ECHO, ask("")).await;
        let failure = failure(outcome);
        let message = failure.status().message();
        assert_eq!(failure.kind(), FailureKind::Deadline);
        assert!(message.contains("the attempt before: "), "{message}");
        assert!(message.contains(named), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_16_the_error_at_a_deadline_says_the_same_before_a_stream_begins() {
    let (caller, faults) = faulty();
    let full = apibase::Status::unavailable("all full");
    faults.next(Fault::status(full)).next(Fault::silence());
    let ctx = Context::background();
    let replies = caller.server_stream(&ctx, COUNT, count(1)).await;
    let replies: Outcome<Replies<EchoReply, DomainError>> = replies;
    let failure = failure(replies.map(drop));
    let message = failure.status().message();
    assert!(
        message.contains("the attempt before: Unavailable: all full"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn rule_16_who_wants_no_inherited_deadline_says_so() {
    let inherited = Context::background().with_timeout(Duration::from_secs(1));
    // No option of a call makes it longer.
    for options in [
        CallOptions::new().no_deadline(),
        CallOptions::new().deadline(FOREVER),
    ] {
        let (caller, faults) = faulty();
        faults.next(Fault::delay(Duration::from_secs(30)));
        let caller = caller.with(options);
        let outcome: Outcome<EchoReply> = caller.unary(&inherited, ECHO, ask("")).await;
        assert_eq!(outcome.unwrap_err().code(), Code::DeadlineExceeded);
        let own = inherited.detach();
        faults.next(Fault::delay(Duration::from_secs(30)));
        let outcome: Outcome<EchoReply> = caller.unary(&own, ECHO, ask("")).await;
        outcome.unwrap();
    }
}
