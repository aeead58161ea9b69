//! What stubs of one target share and what each has for itself, and what observers hear of it: the
//! throttle, breakers, endpoints. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod hosts;

use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::{
    BreakerState, Caller, Channel, ClientFactory, Code, Context, EndpointChange, Event, Method,
    Observer, OutlierEjection, RetryPolicy, RetryThrottle, Target,
};
use apibase_tests::tonic_echo::echo::api::echo_service;
use common::{EchoReply, EchoServiceClient, Outcome, ask};
use hosts::Hosts;
use tokio::time::{advance, sleep};

const SOON: Duration = Duration::from_millis(10);
const OPEN_FOR: Duration = Duration::from_secs(30);
/// Longer than that, and than its jitter.
const LATER: Duration = Duration::from_secs(34);
const TWICE: RetryPolicy = RetryPolicy::up_to(2).initial_backoff(SOON);

static ITEMS: [Method; 2] = [
    Method::unary("/shop.Items/Get").idempotent().retry(TWICE),
    Method::unary("/shop.Items/Find").idempotent().retry(TWICE),
];
static ORDERS: [Method; 2] = [
    Method::unary("/shop.Orders/Get").idempotent().retry(TWICE),
    Method::unary("/shop.Orders/Find").idempotent().retry(TWICE),
];

/// A factory whose targets are these hosts.
fn factory(hosts: &Hosts) -> ClientFactory {
    ClientFactory::new()
        .connector(hosts.clone())
        .outlier_ejection(OutlierEjection::off())
}

fn channel(factory: &ClientFactory, target: &str) -> Channel {
    factory.channel(Target::new(target).insecure()).unwrap()
}

/// A stub of its own for each call.
async fn call(factory: &ClientFactory, target: &str, methods: &'static [Method]) -> Code {
    call_of(factory, target, methods, 0).await
}

async fn call_of(
    factory: &ClientFactory,
    target: &str,
    methods: &'static [Method],
    which: usize,
) -> Code {
    let caller = Caller::new(channel(factory, target), methods);
    outcome(&caller, &methods[which]).await
}

async fn outcome(caller: &Caller<Channel>, method: &'static Method) -> Code {
    let ctx = Context::background();
    let outcome: Outcome<EchoReply> = caller.unary(&ctx, method, ask("")).await;
    outcome.map_or_else(|error| error.code(), |_| Code::Ok)
}

// The throttle.

#[tokio::test(start_paused = true)]
async fn rule_09_all_methods_of_all_services_of_a_target_share_its_tokens() {
    for (methods, which) in [(&ITEMS, 0), (&ITEMS, 1), (&ORDERS, 0), (&ORDERS, 1)] {
        let hosts = Hosts::default();
        let factory = factory(&hosts)
            .no_circuit_breaker()
            .retry_throttle(RetryThrottle::new(4.0, 0.5));
        let [a, b] = ["a:1", "b:1"].map(|name| hosts.host(name));
        a.answers(Code::Unavailable);
        b.answers(Code::Unavailable);
        // What is known of a target is there as long as a stub of it.
        let _both = [channel(&factory, "a:1"), channel(&factory, "b:1")];
        // Two of four tokens are gone.
        assert_eq!(call(&factory, "a:1", &ITEMS).await, Code::Unavailable);
        assert_eq!(a.calls(), 2);
        // So nobody retries there, and elsewhere all do.
        call_of(&factory, "a:1", methods, which).await;
        call_of(&factory, "b:1", methods, which).await;
        assert_eq!((a.calls(), b.calls()), (1, 2));
        // The successes of one are the tokens of all: 1, and 5 times a half.
        a.answers(Code::Ok);
        for _ in 0..5 {
            assert_eq!(call(&factory, "a:1", &ORDERS).await, Code::Ok);
        }
        a.answers(Code::Unavailable);
        a.calls();
        call_of(&factory, "a:1", methods, which).await;
        assert_eq!(a.calls(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_09_a_throttle_of_its_own_is_the_services_at_a_target() {
    static OWN: [Method; 2] = [
        Method::unary("/shop.Stock/Get")
            .idempotent()
            .retry(TWICE)
            .retry_throttle(RetryThrottle::new(4.0, 0.5)),
        Method::unary("/shop.Stock/Find")
            .idempotent()
            .retry(TWICE)
            .retry_throttle(RetryThrottle::new(4.0, 0.5)),
    ];
    let hosts = Hosts::default();
    let factory = factory(&hosts).no_circuit_breaker();
    let a = hosts.host("a:1");
    a.answers(Code::Unavailable);
    let _kept = channel(&factory, "a:1");
    call(&factory, "a:1", &OWN).await;
    assert_eq!(a.calls(), 2);
    call_of(&factory, "a:1", &OWN, 1).await;
    assert_eq!(a.calls(), 1);
    // The 500 tokens of the others are untouched.
    call(&factory, "a:1", &ITEMS).await;
    assert_eq!(a.calls(), 2);
}

// Breakers.

/// A factory whose calls are sent once.
fn breaking(hosts: &Hosts) -> ClientFactory {
    let failures = NonZero::new(5).unwrap();
    factory(hosts)
        .max_retries(0)
        .circuit_breaker(failures, OPEN_FOR)
}

#[tokio::test(start_paused = true)]
async fn rule_22_stubs_of_a_target_share_the_breaker_of_a_method_and_of_no_other() {
    let hosts = Hosts::default();
    let factory = breaking(&hosts);
    let [a, b] = ["a:1", "b:1"].map(|name| hosts.host(name));
    a.answers(Code::Unavailable);
    let [one, two, elsewhere] =
        ["a:1", "a:1", "b:1"].map(|target| Caller::new(channel(&factory, target), &ITEMS));
    let orders = Caller::new(channel(&factory, "a:1"), &ORDERS);
    for caller in [&one, &two, &one, &two, &one] {
        outcome(caller, &ITEMS[0]).await;
    }
    assert_eq!(a.calls(), 5);
    for caller in [&one, &two] {
        assert_eq!(outcome(caller, &ITEMS[0]).await, Code::Unavailable);
    }
    assert_eq!(a.calls(), 0, "it is open for both");
    outcome(&two, &ITEMS[1]).await;
    outcome(&orders, &ORDERS[0]).await;
    assert_eq!(a.calls(), 2, "the others are closed");
    assert_eq!(outcome(&elsewhere, &ITEMS[0]).await, Code::Ok);
    assert_eq!(b.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn rule_23_a_channel_shows_the_breaker_of_a_method_and_forces_it() {
    let hosts = Hosts::default();
    let factory = breaking(&hosts);
    let host = hosts.host("items:50051");
    let channel = channel(&factory, "items:50051");
    assert!(channel.circuit_breaker(&echo_service::ECHO).is_none());
    let client = EchoServiceClient::new(channel.clone());
    let ctx = Context::background();
    let breaker = channel.circuit_breaker(&echo_service::ECHO).unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);

    breaker.force_open();
    let rejected = client.echo(&ctx, ask("")).await.unwrap_err();
    assert!(rejected.is_circuit_open());
    advance(10 * LATER).await;
    assert!(
        client.echo(&ctx, ask("")).await.is_err(),
        "until it is reset"
    );
    assert_eq!(
        (host.calls(), breaker.state()),
        (0, BreakerState::ForcedOpen)
    );

    breaker.force_closed();
    host.answers(Code::Unavailable);
    for _ in 0..10 {
        let error = client.echo(&ctx, ask("")).await.unwrap_err();
        assert!(!error.is_circuit_open());
    }
    assert_eq!(
        (host.calls(), breaker.state()),
        (10, BreakerState::ForcedClosed)
    );

    breaker.reset();
    for _ in 0..10 {
        client.echo(&ctx, ask("")).await.unwrap_err();
    }
    assert_eq!((host.calls(), breaker.state()), (5, BreakerState::Open));
    let same = channel.circuit_breaker(&echo_service::ECHO).unwrap();
    assert_eq!(same.state(), BreakerState::Open);
    let other = channel.circuit_breaker(&echo_service::PING).unwrap();
    assert_eq!(other.state(), BreakerState::Closed);
}

// Observers.

/// What was heard, in a line each.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    /// Since this was last asked.
    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        let line = match *event {
            Event::Breaker {
                target,
                method,
                transition,
            } => {
                let (from, to) = (transition.from.as_str(), transition.to.as_str());
                let (reason, sequence) = (transition.reason.as_str(), transition.sequence);
                let name = method.name();
                format!("{sequence} {target} {name}: {from} to {to}, {reason}")
            }
            Event::Endpoint {
                target,
                endpoint,
                change,
            } => format!("{target} {endpoint}: {}", shown(change)),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

fn shown(change: EndpointChange<'_>) -> String {
    match change {
        EndpointChange::Connected { connections } => format!("connected, {connections}"),
        EndpointChange::Disconnected { connections } => format!("disconnected, {connections}"),
        EndpointChange::Unreachable { cause, retry_in } => {
            assert!(!cause.is_empty());
            // The first wait is a second, give or take a fifth.
            let is_first = (800..=1200).contains(&retry_in.as_millis());
            format!("unreachable, within its first wait: {is_first}")
        }
        EndpointChange::Ejected { time } => format!("ejected for {time:?}"),
        EndpointChange::Returned => "returned".to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn rule_23_an_observer_hears_of_each_transition_once() {
    let hosts = Hosts::default();
    let heard = Arc::new(Heard::default());
    let factory = breaking(&hosts).observer(Arc::<Heard>::clone(&heard));
    let host = hosts.host("a:1");
    host.answers(Code::Unavailable);
    let stubs = [(), ()].map(|()| Caller::new(channel(&factory, "a:1"), &ITEMS));
    let get = async || {
        for stub in &stubs {
            outcome(stub, &ITEMS[0]).await;
        }
    };
    let transitions = || {
        let mut lines = heard.lines();
        lines.retain(|line| line.contains(" to "));
        lines
    };
    for _ in 0..5 {
        get().await;
    }
    let opened = "1 a:1 Get: CLOSED to OPEN, FAILURES";
    assert_eq!(transitions(), [opened]);
    advance(LATER).await;
    get().await;
    assert_eq!(
        transitions(),
        [
            "2 a:1 Get: OPEN to HALF_OPEN, TIMEOUT_PASSED",
            "3 a:1 Get: HALF_OPEN to OPEN, PROBE_FAILED"
        ]
    );
    host.answers(Code::Ok);
    advance(LATER).await;
    get().await;
    assert_eq!(
        transitions(),
        [
            "4 a:1 Get: OPEN to HALF_OPEN, TIMEOUT_PASSED",
            "5 a:1 Get: HALF_OPEN to CLOSED, PROBES_SUCCEEDED"
        ]
    );
    let breaker = channel(&factory, "a:1").circuit_breaker(&ITEMS[0]).unwrap();
    breaker.force_open();
    breaker.force_open();
    breaker.reset();
    assert_eq!(
        transitions(),
        [
            "6 a:1 Get: CLOSED to FORCED_OPEN, FORCED",
            "7 a:1 Get: FORCED_OPEN to CLOSED, FORCED"
        ]
    );
    get().await;
    assert_eq!(transitions(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_observer_of_a_factory_hears_what_happens_to_endpoints() {
    let hosts = Hosts::default();
    let heard = Arc::new(Heard::default());
    let ejection = OutlierEjection::new().in_row(3).time(OPEN_FOR, OPEN_FOR);
    let factory = factory(&hosts)
        .max_retries(0)
        .no_circuit_breaker()
        .outlier_ejection(ejection)
        .observer(Arc::<Heard>::clone(&heard));
    let [a, b] = ["a:1", "b:1"].map(|name| hosts.host(name));
    b.goes_down();
    let caller = Caller::new(channel(&factory, "a:1,b:1"), &ITEMS);
    assert_eq!(outcome(&caller, &ITEMS[0]).await, Code::Ok);
    sleep(SOON).await;
    let mut lines = heard.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "a:1,b:1 a:1: connected, 1",
            "a:1,b:1 b:1: unreachable, within its first wait: true"
        ]
    );

    b.comes_up();
    sleep(2 * Duration::from_secs(1)).await;
    assert_eq!(heard.lines(), ["a:1,b:1 b:1: connected, 1"]);

    b.answers(Code::Unavailable);
    for _ in 0..12 {
        outcome(&caller, &ITEMS[0]).await;
    }
    assert_eq!(heard.lines(), ["a:1,b:1 b:1: ejected for 30s"]);
    assert_eq!(b.calls(), 3);
    sleep(LATER + Duration::from_secs(10)).await;
    assert_eq!(heard.lines(), ["a:1,b:1 b:1: returned"]);

    a.goes_down();
    sleep(SOON).await;
    assert_eq!(
        heard.lines(),
        [
            "a:1,b:1 a:1: disconnected, 0",
            "a:1,b:1 a:1: unreachable, within its first wait: true"
        ]
    );
}
