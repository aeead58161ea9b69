//! One trace across services, whatever the calls between them are. Time is virtual; the seed is printed, and
//! `APIBASE_SEED` repeats it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod spans;

use std::sync::Arc;
use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    CallOptions, ClientFactory, Code, Context, DomainError, Interceptors, Over, RetryPolicy,
    Streamed,
};
use common::{CollectReply, EchoServiceClient, Scripted, ask, count, reply};
use futures_util::{StreamExt, stream};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{Sampler, SpanData};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use spans::{Spans, attribute, id_of, recorded, served, trace_of};
use tokio::time::sleep;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// What streams in the middle.
#[derive(Clone, Copy, Debug)]
enum Middle {
    Replies,
    Requests,
    Both,
}

impl Middle {
    fn method(self) -> &'static str {
        match self {
            Self::Replies => "Count",
            Self::Requests => "Collect",
            Self::Both => "Chat",
        }
    }
}

/// Three services that call each other, and how.
#[derive(Clone, Debug)]
struct Hops {
    middle: Middle,
    /// How many calls the second one makes while it streams.
    items: u64,
    /// How many attempts of each hop fail before one succeeds.
    failures: [u32; 3],
    /// Whether the first call is made in a trace that has begun elsewhere, and if that is recorded.
    outer: Option<bool>,
}

type Flaky = EchoServiceClient<Over<Faults<InProcess>>>;

/// A client whose first attempts fail.
fn flaky(chain: &Interceptors, scripted: Scripted, failures: u32) -> Flaky {
    let faults = Faults::new(served(chain.clone(), scripted));
    for _ in 0..failures {
        faults.next(Fault::code(Code::Unavailable));
    }
    let clients = ClientFactory::new().interceptors(chain.clone());
    let client = EchoServiceClient::new(clients.over("hop", faults));
    client.with(CallOptions::new().retry(RetryPolicy::up_to(4)))
}

/// The second service: for each item of its stream it calls the third.
fn second(third: Flaky, items: u64) -> Scripted {
    let third = Arc::new(third);
    let ping = move |ctx: Context, number: u64| {
        let third = Arc::clone(&third);
        async move {
            third.ping(&ctx, ()).await.unwrap();
            Ok::<_, DomainError>(reply(number, ""))
        }
    };
    let (in_count, in_chat, in_collect) = (ping.clone(), ping.clone(), ping);
    Scripted::new()
        .on_count(move |ctx, _| {
            let ping = in_count.clone();
            let replies = stream::iter(0..items).then(move |number| ping(ctx.clone(), number));
            async { Ok(Streamed::new(replies)) }
        })
        .on_chat(move |ctx, requests| {
            let ping = in_chat.clone();
            let replies = requests.enumerate().then(move |(number, request)| {
                request.unwrap();
                ping(ctx.clone(), number as u64)
            });
            async { Ok(Streamed::new(replies)) }
        })
        .on_collect(move |ctx, mut requests| {
            let ping = in_collect.clone();
            async move {
                let mut number = 0;
                while let Some(request) = requests.next().await {
                    request.unwrap();
                    ping(ctx.clone(), number).await?;
                    number += 1;
                }
                Ok(CollectReply::default())
            }
        })
}

/// The first service: one call, which streams.
fn first(second: Flaky, middle: Middle, items: u64) -> Scripted {
    let second = Arc::new(second);
    Scripted::new().on_echo(move |ctx, _| {
        let second = Arc::clone(&second);
        async move {
            let requests = stream::iter((0..items).map(|_| ask("")));
            let replies = match middle {
                Middle::Replies => second.count(&ctx, count(items)).await.unwrap(),
                Middle::Both => second.chat(&ctx, requests).await.unwrap(),
                Middle::Requests => {
                    second.collect(&ctx, requests).await.unwrap();
                    return Ok(reply(0, ""));
                }
            };
            let replies: Vec<_> = replies.map(Result::unwrap).collect().await;
            assert_eq!(replies.len() as u64, items);
            Ok(reply(0, ""))
        }
    })
}

/// Makes one call through all of them.
async fn run(hops: &Hops, chain: &Interceptors) {
    let third = flaky(chain, Scripted::new(), hops.failures[2]);
    let second = flaky(chain, second(third, hops.items), hops.failures[1]);
    let first = first(second, hops.middle, hops.items);
    let client = flaky(chain, first, hops.failures[0]);
    let mut ctx = Context::background();
    if let Some(is_sampled) = hops.outer {
        let outer = SpanContext::new(
            TraceId::from_hex(TRACE).unwrap(),
            SpanId::from_hex(SPAN).unwrap(),
            TraceFlags::default().with_sampled(is_sampled),
            true,
            TraceState::from_key_value([("vendor", "1")]).unwrap(),
        );
        ctx = ctx.with_otel(opentelemetry::Context::new().with_remote_span_context(outer));
    }
    client.echo(&ctx, ask("")).await.unwrap();
    // Until the bodies are gone that nobody waits for.
    sleep(Duration::from_secs(1)).await;
}

/// The call, its attempts and the server's span of one hop, each with the right parent; returns the
/// server's.
fn hop(spans: &Spans, call: &SpanData, method: &str, failures: u32) -> SpanData {
    let of_call = |span: &SpanData| span.parent_span_id == id_of(call);
    let attempts: Vec<_> = spans.attempts(method).into_iter().filter(of_call).collect();
    assert_eq!(
        attempts.len() as u32,
        failures + 1,
        "{method}: {attempts:#?}"
    );
    let (last, failed) = attempts.split_last().unwrap();
    for span in failed {
        assert_eq!(attribute(span, "rpc.response.status_code"), "UNAVAILABLE");
    }
    let servers = spans.of(&SpanKind::Server, &format!("echo.EchoService/{method}"));
    let mut below = servers
        .into_iter()
        .filter(|span| span.parent_span_id == id_of(last));
    let server = below.next().unwrap();
    assert!(below.next().is_none());
    server
}

fn check(hops: &Hops, spans: &Spans) {
    let all = spans.all();
    if hops.outer == Some(false) {
        assert_eq!(all.len(), 0, "who calls records nothing");
        return;
    }
    let outer = spans.call("Echo");
    let parent = hops
        .outer
        .map_or(SpanId::INVALID, |_| SpanId::from_hex(SPAN).unwrap());
    assert_eq!(outer.parent_span_id, parent);
    assert!(
        all.iter().all(|span| trace_of(span) == trace_of(&outer)),
        "one trace"
    );
    if hops.outer.is_some() {
        assert_eq!(trace_of(&outer).to_string(), TRACE);
        let states = all
            .iter()
            .map(|span| span.span_context.trace_state().header());
        assert!(states.into_iter().all(|state| state == "vendor=1"));
    }

    let server = hop(spans, &outer, "Echo", hops.failures[0]);
    let middle = spans.call(hops.middle.method());
    assert_eq!(middle.parent_span_id, id_of(&server));
    let server = hop(spans, &middle, hops.middle.method(), hops.failures[1]);
    let mut inner = spans.of(&SpanKind::Client, "echo.EchoService/Ping");
    assert_eq!(inner.len() as u64, hops.items);
    inner.sort_by_key(|span| span.start_time);
    for (at, call) in inner.iter().enumerate() {
        assert_eq!(call.parent_span_id, id_of(&server));
        let failures = if at == 0 { hops.failures[2] } else { 0 };
        hop(spans, call, "Ping", failures);
    }
    // Nothing else: a call and its server for each hop, and the attempts.
    let calls = 2 + hops.items;
    let failed: u32 = hops.failures.iter().sum();
    assert_eq!(all.len() as u64, 3 * calls + u64::from(failed));
}

fn seed() -> u64 {
    let seed = std::env::var("APIBASE_SEED")
        .map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
    println!("APIBASE_SEED={seed}");
    fastrand::seed(seed);
    seed
}

fn hops() -> impl Strategy<Value = Hops> {
    let middle = prop_oneof![
        Just(Middle::Replies),
        Just(Middle::Requests),
        Just(Middle::Both)
    ];
    let outer = prop_oneof![2 => Just(None), 2 => Just(Some(true)), 1 => Just(Some(false))];
    // A stream of requests isn't sent again once it has begun to be read.
    (middle, 1..4_u64, [0..3_u32, 0..2, 0..3], outer).prop_map(
        |(middle, items, mut failures, outer)| {
            if !matches!(middle, Middle::Replies) {
                failures[1] = 0;
            }
            Hops {
                middle,
                items,
                failures,
                outer,
            }
        },
    )
}

#[test]
fn property_13_one_trace_with_the_right_parents_across_three_hops_with_a_stream_in_the_middle() {
    let config = ProptestConfig {
        cases: 256,
        rng_seed: RngSeed::Fixed(seed()),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(hops in hops())| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
        let (tracing, spans, _provider) = recorded(sampler);
        let chain = Interceptors::none().with_tracing(tracing);
        runtime.block_on(run(&hops, &chain));
        check(&hops, &spans);
    });
}
