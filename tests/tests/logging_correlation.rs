//! Correlation ids: who makes them, who hears of them, and how they go on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod logged;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    Answer, CallInfo, CallOptions, ClientFactory, Code, Context, DomainError, InterceptedCall,
    Interceptor, Interceptors, Logging, Next, RetryPolicy, Status,
};
use common::{
    EchoServiceClient, EchoServiceServer, Running, Scripted, ask, count, frame, once, post, reply,
};
use futures_util::StreamExt;
use http::HeaderMap;
use logged::logged;
use tokio::time::sleep;

fn with(logging: Logging) -> Interceptors {
    Interceptors::none().with_logging(logging)
}

fn told(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("x-correlation-id")
        .map(|id| id.to_str().unwrap())
}

fn is_new(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Replies with the id that the servicer has.
fn says_its_id() -> Scripted {
    Scripted::new()
        .on_echo(|ctx, _| async move { Ok(reply(0, ctx.correlation_id().unwrap_or("none"))) })
}

#[tokio::test]
async fn a_valid_id_is_kept_and_any_other_is_made_anew_and_who_has_sent_one_is_told() {
    let (logging, lines) = logged();
    let running = Running::with(says_its_id(), |server| server.interceptors(with(logging))).await;
    let mut raw = running.raw().await;
    let long = "x".repeat(128);
    for (name, sent, is_kept) in [
        ("x-correlation-id", "abc-123", true),
        ("x-correlation-id", &*long, true),
        ("x-request-id", "r.1_2", true),
        ("x-correlation-id", "two words", false),
        ("x-correlation-id", "a\"b", false),
        ("x-correlation-id", "", false),
        ("x-correlation-id", &format!("{long}x"), false),
    ] {
        let answer = raw
            .call(post("Echo").header(name, sent), [frame(&ask(""))])
            .await;
        let id = told(&answer.headers).unwrap().to_owned();
        assert!(
            if is_kept { id == sent } else { is_new(&id) },
            "{sent}: {id}"
        );
        let replies: Vec<common::EchoReply> = answer.messages();
        assert_eq!(replies[0].payload, id.as_bytes());
        assert_eq!(lines.one().await["correlation_id"], id);
    }
}

#[tokio::test]
async fn who_has_sent_no_id_is_told_of_ours_where_the_call_fails() {
    let scripted = says_its_id().on_count(|_, _| async {
        // The first reply is sent before it is known that the call fails.
        Ok(common::failing(1, DomainError::conflict("")))
    });
    let (logging, lines) = logged();
    let running = Running::with(scripted, |server| server.interceptors(with(logging))).await;
    let mut raw = running.raw().await;
    let answer = raw.call(post("Echo"), [frame(&ask(""))]).await;
    let replies: Vec<common::EchoReply> = answer.messages();
    let id = String::from_utf8(replies[0].payload.to_vec()).unwrap();
    assert!(is_new(&id), "{id}");
    assert_eq!(lines.one().await["correlation_id"], id);
    let trailers = answer.trailers.unwrap();
    assert_eq!((told(&answer.headers), told(&trailers)), (None, None));

    let answer = raw.call(post("Count"), [frame(&count(1))]).await;
    assert_eq!(answer.code(), Code::AlreadyExists);
    let trailers = answer.trailers.unwrap();
    let line = lines.one().await;
    assert_eq!(told(&answer.headers), None);
    assert_eq!(line["correlation_id"], told(&trailers).unwrap());
}

#[tokio::test]
async fn no_two_calls_have_the_same_new_id() {
    let (logging, lines) = logged();
    let running = Running::with(says_its_id(), |server| server.interceptors(with(logging))).await;
    let mut raw = running.raw().await;
    let mut ids = std::collections::HashSet::new();
    for _ in 0..100 {
        let answer = raw.call(post("Echo"), [frame(&ask(""))]).await;
        let replies: Vec<common::EchoReply> = answer.messages();
        assert!(ids.insert(replies[0].payload.clone()));
    }
    lines.take(100).await;
}

#[tokio::test]
async fn without_logging_no_id_is_made_and_none_is_told() {
    let running = Running::start(says_its_id()).await;
    let mut raw = running.raw().await;
    for sent in [None, Some("abc-123")] {
        let head = sent
            .into_iter()
            .fold(post("Echo"), |head, id| head.header("x-correlation-id", id));
        let answer = raw.call(head, [frame(&ask(""))]).await;
        assert_eq!(told(&answer.headers), None);
        let replies: Vec<common::EchoReply> = answer.messages();
        assert_eq!(replies[0].payload, sent.unwrap_or("none").as_bytes());
    }
}

struct Refuses;

impl Interceptor for Refuses {
    async fn intercept(&self, call: InterceptedCall, _: Next<'_>) -> Result<Answer, Status> {
        assert!(call.context().correlation_id().is_some());
        Err(Status::unauthenticated("invalid token"))
    }
}

#[tokio::test]
async fn who_is_refused_later_in_the_chain_is_told_too() {
    let (logging, lines) = logged();
    let chain = with(logging).with(Refuses);
    let running = Running::with(Scripted::new(), |server| server.interceptors(chain)).await;
    let mut raw = running.raw().await;
    let answer = raw.call(post("Echo"), [frame(&ask(""))]).await;
    assert_eq!(
        (answer.code(), answer.trailers.is_none()),
        (Code::Unauthenticated, true)
    );
    let line = lines.one().await;
    assert_eq!(
        (&line["status"], &line["level"]),
        (&"UNAUTHENTICATED".into(), &"WARN".into())
    );
    assert_eq!(line["correlation_id"], told(&answer.headers).unwrap());
}

#[tokio::test]
async fn every_failure_tells_the_id() {
    let scripted = Scripted::new()
        .on_echo(|_, request| async move {
            match &request.payload[..] {
                b"error" => Err(DomainError::not_found("it")),
                b"panic" => panic!("on purpose"),
                _ => std::future::pending().await,
            }
        })
        .on_count(|_, _| async { Ok(common::failing(1, DomainError::conflict(""))) });
    let (logging, lines) = logged();
    let running = Running::with(scripted, |server| server.interceptors(with(logging))).await;
    let mut raw = running.raw().await;
    for (payload, code) in [
        ("error", Code::NotFound),
        ("panic", Code::Internal),
        ("late", Code::DeadlineExceeded),
    ] {
        let head = post("Echo").header("grpc-timeout", "500m");
        let answer = raw.call(head, [frame(&ask(payload))]).await;
        assert_eq!(answer.code(), code);
        let line = lines.one().await;
        assert_eq!(line["correlation_id"], told(&answer.headers).unwrap());
        if payload == "late" {
            // Less by what was between its arrival and its start, on a machine that has much to do.
            let deadline = line["deadline_ms"].as_u64().unwrap();
            assert!((300..=500).contains(&deadline), "{deadline}");
        }
    }
    // A stream that fails has told it with its head, where it has come with one.
    let head = post("Count").header("x-correlation-id", "c-1");
    let answer = raw.call(head, [frame(&count(1))]).await;
    assert_eq!(answer.code(), Code::AlreadyExists);
    assert_eq!(lines.one().await["correlation_id"], "c-1");
    let trailers = answer.trailers.unwrap();
    let all = (told(&answer.headers), told(&trailers));
    assert_eq!(all, (Some("c-1"), None));
}

#[tokio::test]
async fn a_failure_that_says_much_tells_the_id_and_stays_below_what_peers_take() {
    let scripted = Scripted::new().on_echo(|ctx, _| async move {
        // It would fit, were it not for the id.
        ctx.response()
            .set_trailer("x-own", "v".repeat(7890))
            .unwrap();
        Err(DomainError::from(Status::not_found("gone")))
    });
    let (logging, _lines) = logged();
    let running = Running::with(scripted, |server| server.interceptors(with(logging))).await;
    let id = "i".repeat(128);
    let head = post("Echo").header("x-correlation-id", &id);
    let answer = running.raw().await.call(head, [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::NotFound);
    assert_eq!(told(&answer.headers), Some(&*id));
    // As HTTP/2 counts it, `:status` included.
    let each = answer
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32);
    let size: usize = each.sum::<usize>() + 42;
    assert!(size <= 8 * 1024, "{size}");
}

#[tokio::test]
async fn an_id_that_the_servicer_sets_is_meant() {
    let scripted = Scripted::new().on_echo(|ctx, _| async move {
        ctx.response()
            .set_header("x-correlation-id", "of-the-servicer")
            .unwrap();
        Ok(reply(0, ""))
    });
    let (logging, _lines) = logged();
    let running = Running::with(scripted, |server| server.interceptors(with(logging))).await;
    let answer = running
        .raw()
        .await
        .call(post("Echo"), [frame(&ask(""))])
        .await;
    let all: Vec<_> = answer.headers.get_all("x-correlation-id").iter().collect();
    assert_eq!(all, ["of-the-servicer"]);
}

#[tokio::test(start_paused = true)]
async fn one_id_goes_over_two_hops_and_stands_in_all_four_lines() {
    for sent in [None, Some("abc-123")] {
        let [(out, outs), (front, fronts), (on, ons), (back, backs)] = [(); 4].map(|()| logged());
        let behind = InProcess::behind(with(back), EchoServiceServer::new(says_its_id())).unwrap();
        let clients = once().interceptors(with(on));
        let next = EchoServiceClient::new(clients.over("http://back:1", behind));
        let passes = Scripted::new().on_echo(move |ctx, request| {
            let next = next.clone();
            async move {
                next.echo(&ctx, request)
                    .await
                    .map_err(|_| DomainError::conflict(""))
            }
        });
        let before = InProcess::behind(with(front), EchoServiceServer::new(passes)).unwrap();
        let clients = once().interceptors(with(out));
        let client = EchoServiceClient::new(clients.over("http://front:1", before));
        let ctx = Context::background();
        let ctx = sent.map_or(ctx.clone(), |id| ctx.with_correlation_id(id));
        let answer = client.echo(&ctx, ask("")).await.unwrap();
        let id = String::from_utf8(answer.payload.to_vec()).unwrap();
        assert!(sent.map_or(is_new(&id), |sent| sent == id), "{id}");
        for (lines, side) in [
            (outs, "client"),
            (fronts, "server"),
            (ons, "client"),
            (backs, "server"),
        ] {
            let line = lines.one().await;
            assert_eq!(
                (&line["correlation_id"], &line["side"]),
                (&(&*id).into(), &side.into())
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_of_a_call_has_the_same_id() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let scripted = Scripted::new().on_echo(move |ctx, _| {
        let id = ctx.correlation_id().unwrap().to_owned();
        let mut told = told.lock().unwrap();
        told.push(id);
        let fails = told.len() < 3;
        async move {
            match fails {
                true => Err(DomainError::from(Status::unavailable(""))),
                false => Ok(reply(0, "")),
            }
        }
    });
    let (logging, lines) = logged();
    let clients = ClientFactory::new().interceptors(with(logging));
    let served = InProcess::new(EchoServiceServer::new(scripted));
    let retried = CallOptions::new().retry(RetryPolicy::up_to(3));
    let client = EchoServiceClient::new(clients.over("echo", served)).with(retried);
    client.echo(&Context::background(), ask("")).await.unwrap();
    let id = lines.one().await["correlation_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(is_new(&id));
    assert_eq!(*seen.lock().unwrap(), [&*id, &id, &id]);
}

#[tokio::test(start_paused = true)]
async fn an_id_among_the_metadata_of_a_call_goes_before_that_of_its_context() {
    let ((server, of_server), (client, of_client)) = (logged(), logged());
    let served = InProcess::behind(with(server), EchoServiceServer::new(says_its_id())).unwrap();
    let clients = once().interceptors(with(client));
    let own = CallOptions::new().metadata("x-correlation-id", "of-the-call");
    let client = EchoServiceClient::new(clients.over("echo", served)).with(own);
    let ctx = Context::background().with_correlation_id("of-the-context");
    assert_eq!(
        client.echo(&ctx, ask("")).await.unwrap().payload,
        b"of-the-call"[..]
    );
    for lines in [of_server, of_client] {
        assert_eq!(lines.one().await["correlation_id"], "of-the-call");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_call_fails_hears_the_id_that_the_server_has_made() {
    let (logging, lines) = logged();
    let fails = Scripted::new().on_echo(|_, _| async { Err(DomainError::conflict("")) });
    let served = InProcess::behind(with(logging), EchoServiceServer::new(fails)).unwrap();
    let client = EchoServiceClient::new(once().over("echo", served));
    let info = CallInfo::new();
    let client = client.with(CallOptions::new().info(&info));
    let failed = client.echo(&Context::background(), ask("")).await;
    failed.unwrap_err();
    let line = lines.one().await;
    let trailers = info.trailers();
    assert_eq!(
        line["correlation_id"],
        trailers.get("x-correlation-id").unwrap().to_str().unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_no_server_sees_has_an_id_in_its_line() {
    let (logging, lines) = logged();
    let faults = Faults::new(InProcess::new(EchoServiceServer::new(Scripted::new())));
    faults.always(Fault::no_connection());
    let clients = once().interceptors(with(logging));
    let client = EchoServiceClient::new(clients.over("echo", faults));
    client
        .echo(&Context::background(), ask(""))
        .await
        .unwrap_err();
    let line = lines.one().await;
    assert_eq!(
        (&line["status"], &line["level"]),
        (&"UNAVAILABLE".into(), &"WARN".into())
    );
    assert!(is_new(line["correlation_id"].as_str().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn who_has_sent_an_id_hears_it_before_the_first_message_of_a_stream() {
    let (logging, lines) = logged();
    let endless = Scripted::new().on_count(|ctx, _| async move {
        let id = ctx.correlation_id().unwrap().to_owned();
        let first = futures_util::stream::iter([Ok(reply(1, id))]);
        Ok(apibase::Streamed::new(
            first.chain(futures_util::stream::pending()),
        ))
    });
    let served = InProcess::behind(with(logging), EchoServiceServer::new(endless)).unwrap();
    let info = CallInfo::new();
    let client = EchoServiceClient::new(once().over("echo", served));
    let client = client.with(CallOptions::new().info(&info));
    let ctx = Context::background().with_correlation_id("mine");
    let mut replies = client.count(&ctx, count(1)).await.unwrap();
    assert_eq!(told(info.headers().as_ref()), Some("mine"));
    let first = replies.message().await.unwrap().unwrap();
    assert_eq!(first.payload, b"mine"[..]);
    sleep(Duration::from_secs(1)).await;
    drop(replies);
    assert_eq!(lines.one().await["correlation_id"], "mine");
}
