//! Servers that can't be reached any more, and nobody says so: packets get lost, nothing is closed.

use std::collections::HashMap;
use std::pin::Pin;
use std::slice::from_ref;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use prost::Message;
use tokio::time::{Instant, Interval, interval, sleep, timeout};

use super::links::Cut;
use super::net::{Answers, Net, Server};
use super::settle;
use crate::client::config::Balance;
use crate::client::{Caller, Channel, ClientFactory, Replies, Target};
use crate::{CallError, Code, Context, DomainError, Method};

static METHODS: [Method; 4] = [
    Method::unary("/partitions.Partitions/Once"),
    Method::unary("/partitions.Partitions/Again").idempotent(),
    Method::client_stream("/partitions.Partitions/Upload"),
    Method::server_stream("/partitions.Partitions/List"),
];
pub(super) static ONCE: &Method = &METHODS[0];
pub(super) static AGAIN: &Method = &METHODS[1];
static UPLOAD: &Method = &METHODS[2];
static LIST: &Method = &METHODS[3];

/// By then a connection whose server says nothing is given up: 10 s in which something may still have
/// been heard, 10 s more until a ping, 5 s for its answer.
const FOUND: Duration = Duration::from_secs(25);

/// The call that a channel is made ready with.
const WARM: u64 = 1_000_000;

pub(super) type Outcome = Result<u64, CallError<DomainError>>;

/// A caller of `hosts` with the default settings of a client.
pub(super) fn caller(net: &Net, hosts: &str) -> Caller<Channel> {
    caller_of(ClientFactory::new(), net, hosts)
}

fn caller_of(factory: ClientFactory, net: &Net, hosts: &str) -> Caller<Channel> {
    let factory = factory.connector(net.clone());
    let channel = factory.channel(Target::new(hosts).insecure()).unwrap();
    Caller::new(channel, &METHODS)
}

/// Calls with a number, which is the reply too.
pub(super) async fn call(
    caller: &Caller<Channel>,
    method: &'static Method,
    number: u64,
) -> Outcome {
    caller.unary(&Context::background(), method, number).await
}

/// How often the servers have acted upon the call with each number.
pub(super) fn acted(servers: &[Server]) -> HashMap<u64, usize> {
    let mut acted = HashMap::new();
    for message in servers.iter().flat_map(Server::acted) {
        let number = u64::decode(&message[5..]).unwrap();
        *acted.entry(number).or_default() += 1;
    }
    acted
}

/// Two servers, and a caller that is connected to both.
async fn two() -> (Net, [Server; 2], Caller<Channel>) {
    let net = Net::default();
    let servers = ["a:1", "b:1"].map(|name| net.serve(name, Answers::AtOnce));
    let caller = caller(&net, "a:1,b:1");
    call(&caller, AGAIN, WARM).await.unwrap();
    settle().await;
    assert!(servers.iter().all(|server| server.connections() == 1));
    (net, servers, caller)
}

/// Requests without end, soon more than a server takes unread.
struct Endless(Interval);

impl Stream for Endless {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Bytes>> {
        let large = Bytes::from_static(&[7; 16 * 1024]);
        self.0.poll_tick(cx).map(|_| Some(large))
    }
}

/// How a call of each kind ends that has this long.
async fn ends(caller: Caller<Channel>, method: &'static Method, time: Duration) -> Code {
    let ctx = Context::background().with_timeout(time);
    let outcome: Outcome = if method == UPLOAD {
        let requests = Endless(interval(Duration::from_millis(10)));
        caller.client_stream(&ctx, method, requests).await
    } else if method == LIST {
        let opened: Result<Replies<u64, DomainError>, _> =
            caller.server_stream(&ctx, method, 1_u64).await;
        match opened {
            Ok(mut replies) => replies.message().await.map(|_| 0),
            Err(error) => Err(error),
        }
    } else {
        caller.unary(&ctx, method, 1_u64).await
    };
    outcome.unwrap_err().code()
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_server_is_cut_off_ends_by_its_deadline() {
    // Two of them, before the keepalive finds the connection dead.
    let time = Duration::from_secs(6);
    for cut in Cut::ALL {
        for answers in [Answers::Held, Answers::HeadThenHeld] {
            for method in [ONCE, AGAIN, UPLOAD, LIST] {
                let net = Net::default();
                net.serve("a:1", answers);
                let caller = caller(&net, "a:1");
                // One that is under way, and one that is begun afterwards on the same connection.
                for wait in [Duration::from_secs(1), Duration::ZERO] {
                    let started = Instant::now();
                    let ending = tokio::spawn(ends(caller.clone(), method, time));
                    sleep(wait).await;
                    net.cut("a:1", cut);
                    let code = ending.await.unwrap();
                    let took = started.elapsed();
                    let what = format!("{cut:?} {answers:?} {}: {took:?}", method.path());
                    assert_eq!(code, Code::DeadlineExceeded, "{what}");
                    assert!(took.abs_diff(time) <= Duration::from_millis(1), "{what}");
                }
                assert_eq!(net.dials("a:1").len(), 1, "it was on this connection");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rule_28_calls_that_a_cut_off_server_has_fail_over_once_their_connection_is_found_dead() {
    for cut in Cut::ALL {
        let (net, [a, b], caller) = two().await;
        net.cut("a:1", cut);
        let started = Instant::now();
        let mut calls = Vec::new();
        for number in 1..600_u64 {
            let caller = caller.clone();
            calls.push(tokio::spawn(async move {
                let begun = started.elapsed();
                let outcome = call(&caller, AGAIN, number).await;
                (begun, started.elapsed(), outcome)
            }));
            sleep(Duration::from_millis(100)).await;
        }
        let mut held = 0;
        for call in calls {
            let (begun, ended, outcome) = call.await.unwrap();
            outcome.unwrap();
            if ended > begun {
                held += 1;
                // The backoff of one retry.
                assert!(ended <= FOUND + Duration::from_millis(1202), "{ended:?}");
                assert!(begun < FOUND, "{cut:?}: {begun:?} to {ended:?}");
            }
        }
        assert!(held > 50, "{cut:?}: {held} calls were held");
        assert!(b.calls() > 400);

        // And once it is reached again it is called again.
        let before = a.calls();
        net.heal("a:1");
        sleep(Duration::from_secs(20)).await;
        let late = a.calls();
        for number in 1000..1100 {
            call(&caller, AGAIN, number).await.unwrap();
        }
        assert_eq!(a.calls() - late, 50, "{cut:?}: {before} before");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_deadline_ends_when_its_connection_is_found_dead() {
    for cut in Cut::ALL {
        let net = Net::default();
        net.serve("a:1", Answers::HeadThenHeld);
        let caller = caller(&net, "a:1");
        let ctx = Context::background();
        let mut replies: Replies<u64, DomainError> =
            caller.server_stream(&ctx, LIST, 1_u64).await.unwrap();
        net.cut("a:1", cut);
        let cut_at = Instant::now();
        let found = timeout(FOUND + Duration::from_secs(1), replies.message()).await;
        let error = found.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.to_string().contains("keepalive"), "{error}");
        assert!(cut_at.elapsed() <= FOUND, "{:?}", cut_at.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn rule_24_a_server_that_is_cut_off_from_the_start_holds_no_call_of_another() {
    for cut in Cut::ALL {
        for hosts in ["a:1,b:1", "b:1,a:1"] {
            for balance in [
                Balance::RoundRobin,
                Balance::PickFirst,
                Balance::LeastLoaded,
            ] {
                let net = Net::default();
                let (a, _b) = (
                    net.serve("a:1", Answers::AtOnce),
                    net.serve("b:1", Answers::AtOnce),
                );
                net.cut("a:1", cut);
                let factory = ClientFactory::new().balance(balance);
                let caller = caller_of(factory, &net, hosts);
                let started = Instant::now();
                call(&caller, ONCE, 1).await.unwrap();
                let took = started.elapsed();
                assert!(
                    took <= Duration::from_millis(251),
                    "{balance:?} {hosts}: {took:?}"
                );
                for number in 2..100 {
                    let started = Instant::now();
                    call(&caller, ONCE, number).await.unwrap();
                    assert_eq!(started.elapsed(), Duration::ZERO, "{balance:?} {hosts}");
                    sleep(Duration::from_millis(600)).await;
                }
                assert_eq!(a.calls(), 0);
                net.heal("a:1");
                sleep(Duration::from_secs(20)).await;
                for number in 600..700 {
                    call(&caller, ONCE, number).await.unwrap();
                }
                // Who picks the first that can be had stays with it.
                assert_eq!(
                    a.calls() > 0,
                    balance != Balance::PickFirst,
                    "{balance:?} {hosts}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_is_sent_again_only_where_that_does_no_harm() {
    for cut in Cut::ALL {
        for method in [ONCE, AGAIN] {
            let (net, [a, b], caller) = two().await;
            net.cut("a:1", cut);
            let calls: Vec<_> = (1..=20)
                .map(|number| {
                    let caller = caller.clone();
                    tokio::spawn(async move { call(&caller, method, number).await })
                })
                .collect();
            settle().await;
            let (of_a, of_b) = (acted(from_ref(&a)), acted(from_ref(&b)));
            let before = usize::from(of_a.contains_key(&WARM));
            assert_eq!(of_b.len() + before, 11, "half of them go to each");
            assert_eq!(of_a.len() - before, if cut == Cut::Back { 10 } else { 0 });
            let mut failed = 0;
            for (call, number) in calls.into_iter().zip(1..) {
                let outcome = call.await.unwrap();
                let is_done = acted(from_ref(&b)).contains_key(&number);
                assert_eq!(outcome.is_ok(), is_done, "{cut:?}: {outcome:?}");
                if let Err(error) = outcome {
                    failed += 1;
                    assert_eq!(error.code(), Code::Unavailable, "{error}");
                    assert!(!error.is_not_processed(), "nobody knows that: {error}");
                }
            }
            assert_eq!(failed, if method == ONCE { 10 } else { 0 }, "{cut:?}");
            // What was still on its way arrives.
            net.heal("a:1");
            sleep(Duration::from_secs(60)).await;
            let twice = acted(&[a, b])
                .into_values()
                .filter(|times| *times > 1)
                .count();
            match (method == ONCE, cut) {
                (true, _) => assert_eq!(twice, 0, "{cut:?}"),
                (false, Cut::Back) => assert_eq!(twice, 10),
                (false, _) => {}
            }
        }
    }
}
