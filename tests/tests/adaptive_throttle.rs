//! The adaptive throttle of a target as callers of its stubs see it. Time is virtual; what is left to
//! chance has a seed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod hosts;

use std::num::NonZero;
use std::time::Duration;

use apibase::{
    BreakerState, CallError, CallInfo, CallOptions, Caller, Channel, ClientFactory, Code, Context,
    DomainError, Failure, FailureKind, HedgingPolicy, Method, OutlierEjection, Replies,
    RetryPolicy, Target, Verdict,
};
use common::{EchoReply, Outcome, ask, failure};
use hosts::{Does, Host, Hosts};
use tokio::time::advance;

const SOON: Duration = Duration::from_millis(10);

/// So many that the throttle has made up its mind.
const MANY: usize = 200;

static ITEMS: [Method; 4] = [
    Method::unary("/shop.Items/Get"),
    Method::unary("/shop.Items/Find").idempotent().retry(
        RetryPolicy::up_to(2)
            .initial_backoff(SOON)
            .codes(&[Code::ResourceExhausted]),
    ),
    Method::server_stream("/shop.Items/List").deadline(Duration::from_secs(1)),
    Method::unary("/shop.Items/Hedged")
        .idempotent()
        .hedging(HedgingPolicy::up_to(2, SOON)),
];
static GET: &Method = &ITEMS[0];
static FIND: &Method = &ITEMS[1];
static LIST: &Method = &ITEMS[2];
static HEDGED: &Method = &ITEMS[3];
static ORDERS: [Method; 1] = [Method::unary("/shop.Orders/Get")];

/// A factory whose targets are these hosts, without anything else that stops calls.
fn unthrottled(hosts: &Hosts) -> ClientFactory {
    fastrand::seed(13);
    ClientFactory::new()
        .connector(hosts.clone())
        .outlier_ejection(OutlierEjection::off())
        .no_circuit_breaker()
        .no_retry_throttle()
}

fn throttled(hosts: &Hosts) -> ClientFactory {
    unthrottled(hosts).adaptive_throttle(2.0)
}

fn channel(factory: &ClientFactory, target: &str) -> Channel {
    factory.channel(Target::new(target).insecure()).unwrap()
}

fn items(factory: &ClientFactory) -> Caller<Channel> {
    Caller::new(channel(factory, "a:1"), &ITEMS)
}

async fn get(caller: &Caller<Channel>, method: &'static Method) -> Outcome<EchoReply> {
    caller.unary(&Context::background(), method, ask("")).await
}

/// Reads a list to its end.
async fn list(caller: &Caller<Channel>) -> Outcome<()> {
    let ctx = Context::background();
    let mut replies: Replies<EchoReply, DomainError> =
        caller.server_stream(&ctx, LIST, ask("")).await?;
    while replies.message().await?.is_some() {}
    Ok(())
}

/// How many of so many calls the client itself refuses.
async fn refused(caller: &Caller<Channel>, method: &'static Method, calls: usize) -> usize {
    let mut refused = 0;
    for _ in 0..calls {
        refused += usize::from(is_refused(&get(caller, method).await));
    }
    refused
}

fn is_refused<T>(outcome: &Outcome<T>) -> bool {
    let failure = outcome.as_ref().err().and_then(CallError::failure);
    failure.is_some_and(|failure| failure.kind() == FailureKind::Refused)
}

/// A target that has just refused so many calls that most of the next ones won't be sent.
async fn overloaded(hosts: &Hosts, caller: &Caller<Channel>) -> Host {
    let host = hosts.host("a:1");
    host.answers(Code::ResourceExhausted);
    refused(caller, GET, MANY).await;
    host.calls();
    host
}

/// The failure of a call that was refused here.
async fn refusal(caller: &Caller<Channel>, method: &'static Method) -> Failure {
    for _ in 0..20 {
        let outcome = get(caller, method).await;
        if is_refused(&outcome) {
            return failure(outcome);
        }
    }
    panic!("all of them were sent");
}

#[tokio::test(start_paused = true)]
async fn rule_13_unless_it_is_set_all_calls_are_sent() {
    let hosts = Hosts::default();
    let [off, again] = [
        unthrottled(&hosts),
        throttled(&hosts).no_adaptive_throttle(),
    ];
    for factory in [off, again] {
        let caller = items(&factory);
        let host = hosts.host("a:1");
        host.answers(Code::ResourceExhausted);
        assert_eq!(refused(&caller, GET, MANY).await, 0);
        assert_eq!(host.calls(), MANY);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_13_a_call_that_is_refused_says_why_and_was_never_sent() {
    let hosts = Hosts::default();
    let caller = items(&throttled(&hosts));
    let host = hosts.host("a:1");
    for _ in 0..10 {
        get(&caller, GET).await.unwrap();
    }
    host.answers(Code::Unavailable);
    let mut before = 10;
    let refusal = loop {
        let outcome = get(&caller, GET).await;
        if is_refused(&outcome) {
            break failure(outcome);
        }
        before += 1;
    };
    // Up to twice what was accepted, nothing is refused.
    assert!((20..MANY).contains(&before), "{before}");
    assert_eq!(host.calls(), before);
    let said = format!(
        "Unavailable: /shop.Items/Get was not sent: of its last {before} requests the target accepted 10 \
         (adaptive throttle)"
    );
    assert_eq!(refusal.to_string(), said);
    assert_eq!((refusal.attempts(), refusal.is_not_processed()), (0, true));
    assert!(refusal.is_unreachable() && refusal.is_retryable() && !refusal.is_already_retried());
}

#[tokio::test(start_paused = true)]
async fn rule_13_all_methods_and_services_of_a_target_share_it_and_no_other_target() {
    let hosts = Hosts::default();
    let factory = throttled(&hosts);
    let one = items(&factory);
    let _ = overloaded(&hosts, &one).await;
    let orders = Caller::new(channel(&factory, "a:1"), &ORDERS);
    for (caller, method) in [(&items(&factory), FIND), (&orders, &ORDERS[0])] {
        assert!(refused(caller, method, MANY).await > MANY * 9 / 10);
    }
    let elsewhere = Caller::new(channel(&factory, "b:1"), &ITEMS);
    assert_eq!(refused(&elsewhere, GET, MANY).await, 0);
}

#[tokio::test(start_paused = true)]
async fn rule_13_errors_that_are_answers_are_accepts() {
    let hosts = Hosts::default();
    let caller = items(&throttled(&hosts));
    let host = hosts.host("a:1");
    for code in [
        Code::NotFound,
        Code::Internal,
        Code::DeadlineExceeded,
        Code::Unknown,
    ] {
        host.answers(code);
        assert_eq!(refused(&caller, GET, MANY).await, 0, "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_13_what_goes_out_settles_near_k_times_what_is_accepted_and_recovers() {
    /// In a second.
    const CALLS: usize = 50;
    const TAKEN: usize = 5;
    let hosts = Hosts::default();
    let caller = items(&throttled(&hosts));
    let host = hosts.host("a:1");
    let (mut sent, mut seconds) = (0, 0);
    for second in 0..240 {
        let mut this = 0;
        for _ in 0..CALLS {
            let takes = this < TAKEN;
            host.answers(if takes {
                Code::Ok
            } else {
                Code::ResourceExhausted
            });
            let _ = get(&caller, GET).await;
            this += host.calls();
        }
        if second >= 180 {
            (sent, seconds) = (sent + this, seconds + 1);
        }
        advance(Duration::from_secs(1)).await;
    }
    // Twice what is accepted, and the one of the second.
    let (least, most) = (
        2 * TAKEN * seconds * 9 / 10,
        (2 * TAKEN + 1) * seconds * 11 / 10,
    );
    assert!((least..most).contains(&sent), "{sent} in {seconds} s");
    host.answers(Code::Ok);
    for _ in 0..200 {
        refused(&caller, GET, CALLS).await;
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(refused(&caller, GET, MANY).await, 0);
}

// What asks it, and what does not.

#[tokio::test(start_paused = true)]
async fn rule_13_a_refused_call_is_not_retried_and_a_retry_is_asked_for_too() {
    let hosts = Hosts::default();
    let caller = items(&throttled(&hosts));
    let host = overloaded(&hosts, &caller).await;
    let first = refusal(&caller, FIND).await;
    assert!(first.trace().records().is_empty());
    // The first attempt of the next second is always sent; its retry is not.
    advance(Duration::from_secs(1)).await;
    host.calls();
    let info = CallInfo::new();
    let told = caller.with(CallOptions::new().info(&info));
    let last = failure(get(&told, FIND).await);
    assert_eq!(host.calls(), 1);
    assert_eq!((last.kind(), last.attempts()), (FailureKind::Status, 1));
    assert_eq!(
        last.status().code(),
        Code::ResourceExhausted,
        "what went wrong"
    );
    let trace = info.trace();
    let [sent, refused] = trace.records() else {
        panic!("{trace}");
    };
    assert!(matches!(sent.verdict(), Verdict::Again(_)), "{trace}");
    assert_eq!(refused.verdict(), Verdict::Throttled);
    assert!(
        refused.cause().contains("was not sent: of its last"),
        "{trace}"
    );
}

#[tokio::test(start_paused = true)]
async fn rule_13_a_refused_call_falls_back() {
    let hosts = Hosts::default();
    let factory = throttled(&hosts);
    let caller = items(&factory);
    let host = overloaded(&hosts, &caller).await;
    let other = CallOptions::new().fallback(channel(&factory, "b:1"));
    let caller = caller.with(other);
    for _ in 0..MANY {
        let outcome = get(&caller, GET).await;
        assert!(outcome.is_ok() || failure(outcome).attempts() == 1);
    }
    // What the other one answers says nothing of this one.
    assert!(host.calls() < 10);
    assert!(hosts.host("b:1").calls() > MANY * 9 / 10);
}

#[tokio::test(start_paused = true)]
async fn rule_13_what_a_fallback_does_not_answer_is_not_held_against_the_target() {
    let hosts = Hosts::default();
    let factory = throttled(&hosts).default_timeout(SOON);
    let caller = items(&factory);
    hosts.host("a:1").goes_down();
    hosts.host("b:1").does(Does::Silence);
    let other = CallOptions::new().fallback(channel(&factory, "b:1"));
    let calls = (0..MANY).map(|_| {
        let caller = caller.with(other.clone());
        async move { get(&caller, GET).await }
    });
    for outcome in futures_util::future::join_all(calls).await {
        assert_eq!(failure(outcome).kind(), FailureKind::Deadline);
    }
    assert_eq!(hosts.host("b:1").calls(), MANY);
    hosts.host("a:1").comes_up();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(refused(&caller, GET, MANY).await, 0);
}

#[tokio::test(start_paused = true)]
async fn rule_13_own_rejections_do_not_open_the_breaker() {
    let hosts = Hosts::default();
    let factory =
        throttled(&hosts).circuit_breaker(NonZero::new(5).unwrap(), Duration::from_secs(30));
    let caller = items(&factory);
    let channel = channel(&factory, "a:1");
    let host = overloaded(&hosts, &caller).await;
    assert!(refused(&caller, GET, MANY).await > MANY * 9 / 10);
    let breaker = channel.circuit_breaker(GET).unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // Nor do they close it: a probe that is refused has told nothing, and gives its place back.
    host.answers(Code::Unavailable);
    while breaker.state() == BreakerState::Closed {
        let _ = get(&caller, GET).await;
        advance(Duration::from_millis(100)).await;
    }
    advance(Duration::from_secs(34)).await;
    host.answers(Code::Ok);
    host.calls();
    // The first one is that of the second, which closes it.
    let _ = get(&caller, GET).await;
    assert_eq!((host.calls(), breaker.state()), (1, BreakerState::Closed));
}

#[tokio::test(start_paused = true)]
async fn rule_13_what_an_open_breaker_keeps_back_counts_for_nothing() {
    let hosts = Hosts::default();
    let factory =
        throttled(&hosts).circuit_breaker(NonZero::new(5).unwrap(), Duration::from_secs(30));
    let caller = items(&factory);
    let channel = channel(&factory, "a:1");
    channel.circuit_breaker(GET).unwrap().force_open();
    for _ in 0..MANY {
        let failure = failure(get(&caller, GET).await);
        assert_eq!(failure.kind(), FailureKind::CircuitOpen);
    }
    assert_eq!(refused(&caller, FIND, MANY).await, 0);
}

#[tokio::test(start_paused = true)]
async fn rule_13_while_a_target_is_down_nothing_is_held_against_it() {
    let hosts = Hosts::default();
    let caller = items(&throttled(&hosts));
    let host = hosts.host("a:1");
    host.goes_down();
    let calls = (0..MANY).map(|_| get(&caller, GET));
    for outcome in futures_util::future::join_all(calls).await {
        assert_eq!(failure(outcome).kind(), FailureKind::Transport);
    }
    host.comes_up();
    // Longer than the wait before the next dial, and nothing is forgotten by then.
    tokio::time::sleep(Duration::from_secs(5)).await;
    for _ in 0..MANY {
        get(&caller, GET).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn rule_13_a_target_that_answers_nothing_accepts_nothing() {
    let hosts = Hosts::default();
    let factory = throttled(&hosts).default_timeout(SOON);
    let caller = items(&factory);
    hosts.host("a:1").does(Does::Silence);
    assert!(refused(&caller, GET, MANY).await > MANY / 2);
}

#[tokio::test(start_paused = true)]
async fn rule_13_calls_under_way_are_not_held_against_their_target() {
    let hosts = Hosts::default();
    let caller = items(&throttled(&hosts));
    let calls = (0..MANY).map(|_| get(&caller, GET));
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    // Nor are those that their callers drop.
    hosts.host("a:1").does(Does::Silence);
    for _ in 0..MANY {
        let dropped = tokio::time::timeout(SOON, get(&caller, GET)).await;
        assert!(dropped.is_err());
    }
    hosts.host("a:1").does(Does::Reply);
    assert_eq!(refused(&caller, GET, MANY).await, 0);
}

#[tokio::test(start_paused = true)]
async fn rule_13_a_hedge_that_is_overtaken_counts_for_nothing() {
    let hosts = Hosts::default();
    let factory = throttled(&hosts);
    hosts.host("a:1").does(Does::Silence);
    let caller = Caller::new(channel(&factory, "a:1,b:1"), &ITEMS);
    for _ in 0..MANY {
        get(&caller, HEDGED).await.unwrap();
    }
    assert!(hosts.host("a:1").calls() > MANY / 3);
}

#[tokio::test(start_paused = true)]
async fn rule_13_a_stream_is_accepted_with_its_first_reply() {
    for (does, accepted) in [
        (Does::Reply, true),
        (Does::ReplyThenSilence, true),
        (Does::HeadThenSilence, false),
        (Does::Silence, false),
        (Does::Fail(Code::ResourceExhausted), false),
        (Does::Fail(Code::NotFound), true),
    ] {
        let hosts = Hosts::default();
        let caller = items(&throttled(&hosts));
        hosts.host("a:1").does(does);
        // Each of those that are silent takes a second, in which one is always sent.
        let calls = (0..100).map(|_| list(&caller));
        futures_util::future::join_all(calls).await;
        let calls = (0..100).map(|_| list(&caller));
        let outcomes = futures_util::future::join_all(calls).await;
        let refused = outcomes
            .iter()
            .filter(|outcome| is_refused(outcome))
            .count();
        match accepted {
            true => assert_eq!(refused, 0, "{does:?}"),
            false => assert!(refused > 80, "{does:?}: {refused}"),
        }
    }
}
