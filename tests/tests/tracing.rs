//! Spans of calls: which there are, what they say, when they end. Time is virtual where there is no socket.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod logged;
mod spans;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::testing::{Fault, Faults};
use apibase::{
    CallOptions, ClientFactory, Code, Context, DomainError, HedgingPolicy, Interceptors, Metrics,
    RetryPolicy, Server, Streamed,
};
use common::{EchoServiceClient, RawClient, Running, Scripted, ask, count, frame, post_to, reply};
use futures_util::StreamExt;
use logged::logged;
use opentelemetry::trace::{
    Span, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry_sdk::trace::Sampler;
use spans::{Spans, attribute, client, id_of, is_error, recorded, served, trace_of};
use tokio::time::sleep;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Until servicers and bodies that nobody waits for are gone.
async fn settled() {
    sleep(Duration::from_secs(1)).await;
}

fn both(sampler: Sampler) -> (Interceptors, Spans) {
    let (tracing, spans, _) = recorded(sampler);
    (Interceptors::none().with_tracing(tracing), spans)
}

#[tokio::test(start_paused = true)]
async fn a_call_has_a_span_at_its_client_one_for_its_attempt_and_one_at_its_server() {
    let (chain, spans) = both(Sampler::AlwaysOn);
    let seen = Arc::new(Mutex::new(None));
    let told = Arc::clone(&seen);
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        *told.lock().unwrap() = ctx.trace_id().map(str::to_owned);
        async { Ok(reply(1, "")) }
    });
    let client = client(chain.clone(), served(chain, scripted));
    client.echo(&Context::background(), ask("")).await.unwrap();
    settled().await;

    let (server, call) = (spans.server("Echo"), spans.call("Echo"));
    let attempts = spans.attempts("Echo");
    let [attempt] = &attempts[..] else {
        panic!("{attempts:#?}");
    };
    assert_eq!(spans.all().len(), 3);
    assert_eq!(call.parent_span_id, SpanId::INVALID);
    assert_eq!(attempt.parent_span_id, id_of(&call));
    assert_eq!(server.parent_span_id, id_of(attempt));
    assert!(server.parent_span_is_remote);
    let traces = [&call, attempt, &server].map(trace_of);
    assert!(traces.iter().all(|trace| *trace == traces[0]));
    assert_eq!(*seen.lock().unwrap(), Some(traces[0].to_string()));

    for span in [&server, &call, attempt] {
        assert_eq!(attribute(span, "rpc.system.name"), "grpc");
        assert_eq!(attribute(span, "rpc.method"), "echo.EchoService/Echo");
        assert_eq!(attribute(span, "rpc.response.status_code"), "OK");
        assert_eq!(attribute(span, "error.type"), "");
        assert!(!is_error(span));
    }
    assert_eq!(attribute(&call, "server.address"), "echo");
    assert_eq!(attribute(attempt, "apibase.attempt.number"), "1");
}

#[tokio::test(start_paused = true)]
async fn at_a_server_only_its_own_faults_are_errors_and_at_a_client_all_are() {
    for (code, name, is_server_error) in [
        (Code::NotFound, "NOT_FOUND", false),
        (Code::ResourceExhausted, "RESOURCE_EXHAUSTED", false),
        (Code::Unavailable, "UNAVAILABLE", true),
        (Code::DataLoss, "DATA_LOSS", true),
    ] {
        let (chain, spans) = both(Sampler::AlwaysOn);
        let scripted = Scripted::new().on_echo(move |_, _| async move {
            Err(DomainError::from(apibase::Status::new(code, "hunter2")))
        });
        let client = client(chain.clone(), served(chain, scripted));
        let client = client.with(CallOptions::new().no_retry());
        client
            .echo(&Context::background(), ask(""))
            .await
            .unwrap_err();
        settled().await;
        let (server, call) = (spans.server("Echo"), spans.call("Echo"));
        assert_eq!(attribute(&server, "rpc.response.status_code"), name);
        assert_eq!(is_error(&server), is_server_error, "{name}");
        let expected = if is_server_error { name } else { "" };
        assert_eq!(attribute(&server, "error.type"), expected);
        assert!(is_error(&call) && is_error(&spans.attempts("Echo")[0]));
        assert_eq!(attribute(&call, "error.type"), name);
        assert!(!format!("{:?}", spans.all()).contains("hunter2"));
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_a_span_and_the_server_is_told_of_it() {
    let (chain, spans) = both(Sampler::AlwaysOn);
    let faults = Faults::new(served(chain.clone(), Scripted::new()));
    faults.next(Fault::code(Code::Unavailable));
    faults.next(Fault::code(Code::Unavailable));
    let clients = ClientFactory::new().interceptors(chain);
    let client = EchoServiceClient::new(clients.over("dns:///items:50051", faults.clone()));
    let client = client.with(CallOptions::new().retry(RetryPolicy::up_to(3)));
    client.echo(&Context::background(), ask("")).await.unwrap();
    settled().await;

    let (attempts, call) = (spans.attempts("Echo"), spans.call("Echo"));
    let said = |key: &str| -> Vec<_> {
        let attempts = attempts.iter();
        attempts.map(|span| attribute(span, key)).collect()
    };
    assert_eq!(said("apibase.attempt.number"), ["1", "2", "3"]);
    assert_eq!(said("apibase.attempt.verdict"), ["AGAIN", "AGAIN", ""]);
    assert_eq!(
        said("rpc.response.status_code"),
        ["UNAVAILABLE", "UNAVAILABLE", "OK"]
    );
    assert_eq!(said("server.address"), ["items", "items", "items"]);
    assert_eq!(said("server.port"), ["50051", "50051", "50051"]);
    assert!(
        attempts
            .iter()
            .all(|span| span.parent_span_id == id_of(&call))
    );
    let sent: Vec<_> = faults
        .seen()
        .iter()
        .map(|seen| {
            seen.metadata()
                .get("traceparent")
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let expected: Vec<_> = attempts
        .iter()
        .map(|span| format!("00-{}-{}-01", trace_of(&call), id_of(span)))
        .collect();
    assert_eq!(sent, expected);
    assert_eq!(spans.server("Echo").parent_span_id, id_of(&attempts[2]));
    assert_eq!(attribute(&call, "rpc.response.status_code"), "OK");
}

#[tokio::test(start_paused = true)]
async fn hedges_have_spans_beside_each_other_and_the_one_that_lost_is_no_error() {
    let (chain, spans) = both(Sampler::AlwaysOn);
    let faults = Faults::new(served(chain.clone(), Scripted::new()));
    faults.next(Fault::silence());
    let clients = ClientFactory::new().interceptors(chain);
    let client = EchoServiceClient::new(clients.over("echo", faults));
    let hedged = HedgingPolicy::up_to(2, Duration::from_millis(10));
    let client = client.with(CallOptions::new().hedging(hedged));
    client.echo(&Context::background(), ask("")).await.unwrap();
    settled().await;

    let (attempts, call) = (spans.attempts("Echo"), spans.call("Echo"));
    let [lost, won] = &attempts[..] else {
        panic!("{attempts:#?}");
    };
    assert!(
        [lost, won]
            .iter()
            .all(|span| span.parent_span_id == id_of(&call))
    );
    assert_eq!(attribute(lost, "apibase.attempt.number"), "1");
    assert_eq!(attribute(lost, "apibase.attempt.verdict"), "OVERTAKEN");
    assert_eq!(attribute(lost, "rpc.response.status_code"), "CANCELLED");
    assert!(!is_error(lost) && !is_error(&call));
    assert_eq!(attribute(won, "apibase.attempt.number"), "2");
    assert_eq!(attribute(won, "rpc.response.status_code"), "OK");
    assert_eq!(spans.server("Echo").parent_span_id, id_of(won));
}

#[tokio::test(start_paused = true)]
async fn spans_end_with_the_body_and_those_of_a_dropped_one_are_cancelled() {
    let (chain, spans) = both(Sampler::AlwaysOn);
    let endless = Scripted::new().on_count(|_, _| async {
        let first = futures_util::stream::iter([Ok(reply(1, ""))]);
        Ok(Streamed::new(first.chain(futures_util::stream::pending())))
    });
    let client = client(chain.clone(), served(chain, endless));
    let ctx = Context::background();
    let mut replies = client.count(&ctx, count(2)).await.unwrap();
    replies.next().await.unwrap().unwrap();
    settled().await;
    assert_eq!(spans.all().len(), 0, "nothing has ended yet");
    drop(replies);
    settled().await;
    let attempts = spans.attempts("Count");
    for span in [&spans.server("Count"), &spans.call("Count"), &attempts[0]] {
        assert_eq!(attribute(span, "rpc.response.status_code"), "CANCELLED");
    }
    assert_eq!(spans.all().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_ends_its_spans() {
    let (chain, spans) = both(Sampler::AlwaysOn);
    let hung = Scripted::new().on_echo(|_, _| std::future::pending());
    let client = client(chain.clone(), served(chain, hung));
    let ctx = Context::background();
    let call = tokio::time::timeout(Duration::from_millis(50), client.echo(&ctx, ask("")));
    call.await.unwrap_err();
    settled().await;
    let attempts = spans.attempts("Echo");
    for span in [&spans.server("Echo"), &spans.call("Echo"), &attempts[0]] {
        assert_eq!(attribute(span, "rpc.response.status_code"), "CANCELLED");
    }
    assert_eq!(
        attribute(&attempts[0], "apibase.attempt.verdict"),
        "CANCELLED"
    );
}

#[tokio::test(start_paused = true)]
async fn a_users_spans_are_children_of_the_call_and_parents_of_its_calls() {
    let (tracing, spans, provider) = recorded(Sampler::AlwaysOn);
    let chain = Interceptors::none().with_tracing(tracing);
    let next = client(chain.clone(), served(Interceptors::none(), Scripted::new()));
    let next = Arc::new(next);
    let tracer = provider.tracer("user");
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        let (next, tracer) = (Arc::clone(&next), tracer.clone());
        async move {
            let own = tracer.start_with_context("rank", &ctx.otel());
            let within = ctx.with_otel(ctx.otel().with_span(own));
            assert_eq!(within.trace_id(), ctx.trace_id());
            next.ping(&within, ()).await.unwrap();
            Ok(reply(1, ""))
        }
    });
    let client = EchoServiceClient::new(served(chain, scripted));
    client.echo(&Context::background(), ask("")).await.unwrap();
    settled().await;
    let own = spans.one(&SpanKind::Internal, "rank");
    assert_eq!(own.parent_span_id, id_of(&spans.server("Echo")));
    assert_eq!(spans.call("Ping").parent_span_id, id_of(&own));
}

#[tokio::test(start_paused = true)]
async fn a_span_that_is_attached_to_the_thread_is_the_parent_of_calls() {
    let (tracing, spans, provider) = recorded(Sampler::AlwaysOn);
    let chain = Interceptors::none().with_tracing(tracing);
    let client = client(chain, served(Interceptors::none(), Scripted::new()));
    let job = provider.tracer("user").start("job");
    let id = job.span_context().span_id();
    let attached = opentelemetry::Context::new().with_span(job).attach();
    client.echo(&Context::background(), ask("")).await.unwrap();
    drop(attached);
    assert_eq!(spans.call("Echo").parent_span_id, id);
}

/// What arrives at the next service of these headers, if the one between has these interceptors: the
/// `traceparent` and the `tracestate`, and what the one between says of its trace.
async fn passed_on(
    chain: Interceptors,
    headers: &[(&'static str, &str)],
) -> (Option<String>, Option<String>, Option<String>) {
    type Seen = Arc<Mutex<Vec<Option<String>>>>;
    let (seen, own): (Seen, Seen) = Default::default();
    let (told, told_own) = (Arc::clone(&seen), Arc::clone(&own));
    let last = Scripted::new().on_ping(move |ctx, ()| {
        for key in ["traceparent", "tracestate"] {
            let value = ctx.metadata().get(key);
            let value = value.map(|value| value.to_str().unwrap().to_owned());
            told.lock().unwrap().push(value);
        }
        async { Ok(()) }
    });
    let next = Arc::new(client(
        Interceptors::none(),
        served(Interceptors::none(), last),
    ));
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        told_own
            .lock()
            .unwrap()
            .push(ctx.trace_id().map(str::to_owned));
        let next = Arc::clone(&next);
        async move {
            next.ping(&ctx, ()).await.unwrap();
            Ok(reply(1, ""))
        }
    });
    let first = client(Interceptors::none(), served(chain, scripted));
    let options = headers
        .iter()
        .fold(CallOptions::new(), |options, (key, value)| {
            options.metadata(key, *value)
        });
    first
        .with(options)
        .echo(&Context::background(), ask(""))
        .await
        .unwrap();
    settled().await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let own = own.lock().unwrap().remove(0);
    (seen[0].clone(), seen[1].clone(), own)
}

#[tokio::test(start_paused = true)]
async fn without_tracing_the_callers_trace_is_passed_on_as_it_came() {
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let headers = [("traceparent", parent.as_str()), ("tracestate", "a=1,b=2")];
    let (passed, state, own) = passed_on(Interceptors::none(), &headers).await;
    assert_eq!(passed, Some(parent));
    assert_eq!(state.as_deref(), Some("a=1,b=2"));
    assert_eq!(own.as_deref(), Some(TRACE));
    let (passed, state, own) = passed_on(Interceptors::none(), &[("tracestate", "a=1")]).await;
    assert_eq!((passed, state, own), (None, None, None));
}

#[tokio::test(start_paused = true)]
async fn with_tracing_at_the_server_alone_its_span_is_passed_on() {
    let (chain, spans) = both(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let headers = [("traceparent", parent.as_str()), ("tracestate", "a=1,b=2")];
    let (passed, state, own) = passed_on(chain, &headers).await;
    let server = spans.server("Echo");
    assert_eq!(server.parent_span_id.to_string(), SPAN);
    assert_eq!(trace_of(&server).to_string(), TRACE);
    assert_eq!(passed, Some(format!("00-{TRACE}-{}-01", id_of(&server))));
    assert_eq!(state.as_deref(), Some("a=1,b=2"));
    assert_eq!(own.as_deref(), Some(TRACE));
}

#[tokio::test(start_paused = true)]
async fn a_malformed_trace_begins_a_new_one_and_its_state_is_dropped() {
    for wrong in [
        format!("00-{}-{SPAN}-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
        format!("ff-{TRACE}-{SPAN}-01"),
        format!("00-{TRACE}-{SPAN}-01-more"),
        format!("00-{TRACE}0-{SPAN}-01"),
        format!("00-{TRACE}-{SPAN}"),
    ] {
        let (chain, spans) = both(Sampler::AlwaysOn);
        let headers = [("traceparent", wrong.as_str()), ("tracestate", "a=1")];
        let (passed, state, own) = passed_on(chain, &headers).await;
        let server = spans.server("Echo");
        assert_eq!(server.parent_span_id, SpanId::INVALID, "{wrong}");
        assert_ne!(trace_of(&server).to_string(), TRACE);
        assert_eq!(own, Some(trace_of(&server).to_string()));
        assert!(passed.unwrap().contains(&own.unwrap()));
        assert_eq!(state, None, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sampled_is_not_exported_and_passes_its_ids_on() {
    let (chain, spans) = both(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
    let (passed, _, own) = passed_on(chain.clone(), &[]).await;
    let (passed, own) = (passed.unwrap(), own.unwrap());
    assert!(
        passed.starts_with(&format!("00-{own}-")) && passed.ends_with("-00"),
        "{passed}"
    );
    // As it came.
    let parent = format!("00-{TRACE}-{SPAN}-00");
    let (passed, _, own) = passed_on(chain, &[("traceparent", &parent)]).await;
    let passed = passed.unwrap();
    assert!(
        passed.starts_with(&format!("00-{TRACE}-")) && passed.ends_with("-00"),
        "{passed}"
    );
    assert_eq!(own.as_deref(), Some(TRACE));
    assert_eq!(spans.all().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_line_and_the_exemplar_of_a_clients_call_are_of_its_own_trace() {
    for (sampler, is_recorded) in [(Sampler::AlwaysOn, true), (Sampler::AlwaysOff, false)] {
        let (tracing, spans, _) = recorded(sampler);
        let (logging, lines) = logged();
        let metrics = Metrics::new();
        let chain = Interceptors::none()
            .with_metrics(&metrics)
            .with_tracing(tracing)
            .with_logging(logging);
        let client = client(chain, served(Interceptors::none(), Scripted::new()));
        client.echo(&Context::background(), ask("")).await.unwrap();
        let line = lines.one().await;
        let trace = line["trace_id"].as_str().unwrap();
        assert_eq!(trace.len(), 32, "{line}");
        if is_recorded {
            assert_eq!(trace, trace_of(&spans.call("Echo")).to_string());
        }
        assert_eq!(metrics.encode().contains(trace), is_recorded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_sent_has_a_span_and_no_attempt() {
    let (chain, spans) = both(Sampler::AlwaysOn);
    let client = client(chain, served(Interceptors::none(), Scripted::new()));
    let late = Context::background().with_timeout(Duration::ZERO);
    client.echo(&late, ask("")).await.unwrap_err();
    let call = spans.call("Echo");
    assert_eq!(attribute(&call, "error.type"), "DEADLINE_EXCEEDED");
    assert_eq!(spans.all().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_is_within_counts_at_a_client_alone() {
    let (chain, spans) = both(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
    let client = client(chain, served(Interceptors::none(), Scripted::new()));
    let remote = SpanContext::new(
        TraceId::from_hex(TRACE).unwrap(),
        SpanId::from_hex(SPAN).unwrap(),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let within = opentelemetry::Context::new().with_remote_span_context(remote);
    let ctx = Context::background().with_otel(within);
    assert_eq!(ctx.trace_id(), Some(TRACE));
    client.echo(&ctx, ask("")).await.unwrap();
    let call = spans.call("Echo");
    assert_eq!(call.parent_span_id.to_string(), SPAN);
    assert_eq!(trace_of(&call).to_string(), TRACE);
}

#[tokio::test]
async fn a_method_that_no_service_has_is_other_and_twice_the_same_trace_header_is_none() {
    let (chain, spans) = both(Sampler::AlwaysOn);
    let running = Running::with(Scripted::new(), |server: Server| server.interceptors(chain)).await;
    let mut raw: RawClient = running.raw().await;
    let answer = raw.call(post_to("/no.Such/Thing"), [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::Unimplemented);
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let twice = common::post("Echo")
        .header("traceparent", &parent)
        .header("traceparent", &parent);
    let answer = raw.call(twice, [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::Ok);
    sleep(Duration::from_millis(500)).await;
    let other = spans.one(&SpanKind::Server, "grpc");
    assert_eq!(attribute(&other, "rpc.method"), "_OTHER");
    assert_eq!(attribute(&other, "rpc.method_original"), "no.Such/Thing");
    assert_eq!(
        attribute(&other, "rpc.response.status_code"),
        "UNIMPLEMENTED"
    );
    assert_eq!(attribute(&other, "network.peer.address"), "127.0.0.1");
    let server = spans.server("Echo");
    assert_eq!(server.parent_span_id, SpanId::INVALID);
    assert_ne!(trace_of(&server).to_string(), TRACE);
}
