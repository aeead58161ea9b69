//! `Faults`: what goes wrong is what a test says, and a client can't tell it from the real thing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod hosts;

use std::time::Duration;

use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    CallError, CallOptions, ClientFactory, Code, Context, DomainError, FailureKind, Status, Target,
};
use apibase_tests::tonic_echo::echo::api::echo_service;
use bytes::Bytes;
use common::{
    CollectReply, EchoReply, EchoServiceClient, EchoServiceServer, Outcome, RawServer, Scripted,
    ask, count, failure, frame_of, grpc_head, journal, reply, soon, trailers,
};
use futures_util::stream;
use h2::Reason;
use hosts::{Does, Hosts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

type Faulty = Faults<InProcess>;

/// A client that sends each request once, so that what goes wrong with it is what its caller is told.
fn faulty(scripted: Scripted) -> (Faulty, EchoServiceClient<Faulty>) {
    let faults = Faults::new(InProcess::new(EchoServiceServer::new(scripted)));
    let client = EchoServiceClient::new(faults.clone());
    (faults, client.with(once()))
}

fn once() -> CallOptions {
    CallOptions::new().no_retry().no_deadline()
}

async fn echo(client: &EchoServiceClient<Faulty>) -> Outcome<EchoReply> {
    client.echo(&Context::background(), ask("a")).await
}

/// What a client can tell of a failed call.
type Told = (Code, FailureKind, bool, bool, u32);

fn told<T: std::fmt::Debug>(outcome: Outcome<T>) -> Told {
    let failure = failure(outcome);
    (
        failure.status().code(),
        failure.kind(),
        failure.is_not_processed(),
        failure.is_retryable(),
        failure.attempts(),
    )
}

/// What is told of a call to this target.
async fn told_by(target: String) -> Told {
    let client = EchoServiceClient::connect_lazy(target).unwrap();
    told_through(&client).await
}

async fn told_through(client: &EchoServiceClient) -> Told {
    let client = client.with(once());
    told(soon(client.echo(&Context::background(), ask("a"))).await)
}

/// What is told of a call that this goes wrong with.
async fn told_of(fault: Fault) -> Told {
    let (faults, client) = faulty(Scripted::new());
    faults.always(fault);
    told(soon(echo(&client)).await)
}

/// A server that reads the start of a call on each connection, sends these bytes and hangs up.
async fn hanging_up(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            hang_up(stream, bytes).await;
        }
    });
    target
}

async fn hang_up(mut stream: TcpStream, bytes: &[u8]) {
    stream.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut read = Vec::new();
    while !read.windows(4).any(|bytes| bytes == b"Echo") && read.len() < 150 {
        stream.read_buf(&mut read).await.unwrap();
    }
    stream.write_all(bytes).await.unwrap();
    // What was sent is read first, so that the end isn't a reset.
    while timeout(Duration::from_millis(500), stream.read_buf(&mut read))
        .await
        .is_ok_and(|read| read.is_ok_and(|read| read > 0))
    {}
}

#[tokio::test]
async fn no_connection_is_told_as_a_real_one_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(told_of(Fault::no_connection()).await, told_by(target).await);
}

#[tokio::test]
async fn a_refused_stream_is_told_as_a_real_one_is() {
    let server = RawServer::start(|_, mut response| async move {
        response.send_reset(Reason::REFUSED_STREAM);
    });
    let real = told_through(&server.await.client().await).await;
    assert_eq!(told_of(Fault::refused()).await, real);
}

#[tokio::test]
async fn a_goodbye_is_told_as_a_real_one_is() {
    let real = told_by(hanging_up(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0").await).await;
    assert_eq!(told_of(Fault::go_away()).await, real);
}

#[tokio::test]
async fn a_lost_connection_is_told_as_a_real_one_is() {
    let real = told_by(hanging_up(b"").await).await;
    assert_eq!(told_of(Fault::lost()).await, real);
    assert_eq!(told_of(Fault::answer_lost()).await, real);
}

#[tokio::test(start_paused = true)]
async fn a_reset_after_the_head_is_told_as_a_real_one_is() {
    let hosts = Hosts::default();
    hosts.host("a:1").does(Does::HeadThenReset);
    let factory = ClientFactory::new().connector(hosts);
    let channel = factory.channel(Target::new("a:1").insecure());
    let real = told_through(&EchoServiceClient::new(channel.unwrap())).await;
    assert_eq!(told_of(Fault::reset_after_head()).await, real);
}

#[tokio::test]
async fn a_connection_that_is_lost_after_the_head_is_unavailable_and_processed() {
    let told = told_of(Fault::lost_after_head()).await;
    let kind = FailureKind::Transport;
    assert_eq!(told, (Code::Unavailable, kind, false, true, 1));
}

#[tokio::test]
async fn a_corrupt_reply_is_told_as_a_real_one_is() {
    let server = RawServer::start(|_, mut response| async move {
        let mut stream = response.send_response(grpc_head(), false).unwrap();
        let data: Bytes = frame_of(0, 3, b"\x0a\xff\x01");
        stream.send_data(data, false).unwrap();
        stream
            .send_trailers(trailers(&[("grpc-status", "0")]))
            .unwrap();
    });
    let real = told_through(&server.await.client().await).await;
    assert_eq!(told_of(Fault::corrupt_reply()).await, real);
    assert_eq!(real.1, FailureKind::Decode);
}

#[tokio::test(start_paused = true)]
async fn silence_lasts_until_the_deadline() {
    for fault in [Fault::silence(), Fault::silence_after_head()] {
        let (faults, client) = faulty(Scripted::new());
        faults.next(fault);
        let (started, minute) = (Instant::now(), Duration::from_secs(60));
        let ctx = Context::background().with_timeout(minute);
        let error = client.echo(&ctx, ask("")).await.unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded);
        assert_eq!(started.elapsed(), minute);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_a_delay_and_nothing_else() {
    let (faults, client) = faulty(Scripted::new());
    let minute = Duration::from_secs(60);
    faults
        .next(Fault::delay(minute))
        .next(Fault::code(Code::Aborted).after(minute));
    let started = Instant::now();
    assert_eq!(echo(&client).await.unwrap(), reply(0, "a"));
    assert_eq!(started.elapsed(), minute);
    assert_eq!(echo(&client).await.unwrap_err().code(), Code::Aborted);
    assert_eq!(started.elapsed(), minute * 2);
}

#[tokio::test]
async fn a_status_has_its_details_and_its_pushback() {
    let (faults, client) = faulty(Scripted::new());
    let invalid = DomainError::validation("wrong").with_violation("payload", "is wrong");
    faults
        .next(Fault::error(invalid))
        .next(Fault::code(Code::Unavailable).pushback(Duration::from_millis(70)))
        .next(Fault::code(Code::Unavailable).no_retry());
    let Err(CallError::Service(DomainError::Validation(fault))) = echo(&client).await else {
        panic!("it is one of the nine");
    };
    assert_eq!(fault.violations()[0].field, "payload");
    for pushback in ["70", "-1"] {
        let failure = failure(echo(&client).await);
        assert_eq!(failure.status().code(), Code::Unavailable);
        let metadata = failure.status().metadata();
        assert_eq!(metadata.get("grpc-retry-pushback-ms").unwrap(), pushback);
    }
}

#[tokio::test]
async fn a_status_comes_before_the_head_or_after_it() {
    let (faults, client) = faulty(Scripted::new());
    let ctx = Context::background();
    let aborted = || Status::aborted("no");
    faults
        .next(Fault::status(aborted()))
        .next(Fault::status_after_head(aborted()));
    // A stream whose head is there is a stream, and its status comes later.
    let error = client.count(&ctx, count(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::Aborted);
    let mut replies = client.count(&ctx, count(1)).await.unwrap();
    assert_eq!(replies.message().await.unwrap_err().code(), Code::Aborted);
}

#[tokio::test]
async fn what_is_lost_is_unseen_and_what_answer_is_lost_was_acted_on() {
    let (journal, mut entries) = journal();
    for (fault, acted) in [
        (Fault::no_connection(), 0),
        (Fault::refused(), 0),
        (Fault::go_away(), 0),
        (Fault::lost(), 0),
        (Fault::code(Code::Unavailable), 0),
        (Fault::answer_lost(), 1),
        (Fault::reset_after_head(), 1),
        (Fault::lost_after_head(), 1),
        (Fault::status_after_head(Status::aborted("")), 1),
        (Fault::corrupt_reply(), 1),
    ] {
        let journal = journal.clone();
        let (faults, client) = faulty(Scripted::new().on_echo(move |_, _| {
            journal.write("acted");
            async { Ok(reply(0, "")) }
        }));
        faults.always(fault.clone());
        echo(&client).await.unwrap_err();
        assert_eq!(entries.rest().len(), acted, "{fault:?}");
    }
}

#[tokio::test]
async fn faults_come_in_the_order_of_their_script_and_then_end() {
    let (faults, client) = faulty(Scripted::new());
    faults
        .next(Fault::code(Code::Aborted))
        .next(Fault::none())
        .next(Fault::code(Code::DataLoss));
    assert_eq!(faults.unused(), 3);
    assert_eq!(echo(&client).await.unwrap_err().code(), Code::Aborted);
    echo(&client).await.unwrap();
    assert_eq!(echo(&client).await.unwrap_err().code(), Code::DataLoss);
    echo(&client).await.unwrap();
    assert_eq!(faults.unused(), 0);
    let counts = faults.counts();
    assert_eq!((counts.attempts, counts.passed, counts.faults), (4, 2, 2));
}

#[tokio::test]
async fn a_fault_that_does_nothing_is_none() {
    let (faults, client) = faulty(Scripted::new().on_echo(|_, _| async {
        // All in the head, after which nothing can go wrong.
        Err(DomainError::not_found("no such thing"))
    }));
    for fault in [
        Fault::reset_after_head(),
        Fault::lost_after_head(),
        Fault::silence_after_head(),
        Fault::status_after_head(Status::aborted("")),
        Fault::corrupt_reply(),
    ] {
        faults.next(fault.clone());
        let error = echo(&client).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{fault:?}");
        assert_eq!(faults.seen().last().unwrap().fault(), "none", "{fault:?}");
    }
    let counts = faults.counts();
    assert_eq!((counts.attempts, counts.passed, counts.faults), (5, 5, 0));
    faults.next(Fault::corrupt_reply().after(Duration::from_millis(1)));
    echo(&client).await.unwrap_err();
    assert_eq!(faults.seen().last().unwrap().fault(), "delay");
    assert_eq!(faults.counts().faults, 1);
}

#[tokio::test]
async fn a_fault_on_a_way_that_is_broken_itself_is_none() {
    let way = Faults::new(InProcess::new(EchoServiceServer::new(Scripted::new())));
    way.always(Fault::code(Code::Aborted));
    let faults = Faults::new(way.clone());
    let client = EchoServiceClient::new(faults.clone()).with(once());
    let ctx = Context::background();
    faults.next(Fault::reset_after_head());
    let error = client.echo(&ctx, ask("")).await.unwrap_err();
    assert_eq!(error.code(), Code::Aborted);
    way.always(Fault::refused());
    faults.next(Fault::answer_lost());
    let failure = failure(client.echo(&ctx, ask("")).await);
    assert!(failure.is_not_processed(), "{failure}");
    assert_eq!(faults.counts().faults, 0);
    let seen = faults.seen();
    assert!(seen.iter().all(|seen| seen.fault() == "none"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_a_call_does_not_wait_for_is_none() {
    let (faults, client) = faulty(Scripted::new().on_echo(|_, _| std::future::pending()));
    faults
        .next(Fault::reset_after_head())
        .next(Fault::refused().after(Duration::from_secs(60)));
    for _ in 0..2 {
        let ctx = Context::background().with_timeout(Duration::from_secs(1));
        let error = client.echo(&ctx, ask("")).await.unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded);
    }
    let seen = faults.seen();
    assert_eq!((seen[0].fault(), seen[1].fault()), ("none", "delay"));
}

#[tokio::test]
async fn a_fault_of_a_method_leaves_the_others_alone() {
    let (faults, client) = faulty(Scripted::new());
    let ctx = Context::background();
    faults.next_of(&echo_service::PING, Fault::code(Code::Aborted));
    faults.always_of(&echo_service::COLLECT, Fault::code(Code::DataLoss));
    echo(&client).await.unwrap();
    assert_eq!(
        client.ping(&ctx, ()).await.unwrap_err().code(),
        Code::Aborted
    );
    client.ping(&ctx, ()).await.unwrap();
    for _ in 0..3 {
        let error = client.collect(&ctx, stream::empty()).await.unwrap_err();
        assert_eq!(error.code(), Code::DataLoss);
    }
    faults.clear();
    let collected = client.collect(&ctx, stream::empty()).await.unwrap();
    assert_eq!(collected, CollectReply::default());
}

#[tokio::test]
async fn what_is_always_so_is_so_until_it_is_changed() {
    let (faults, client) = faulty(Scripted::new());
    faults.always(Fault::no_connection());
    faults.next(Fault::none());
    echo(&client).await.unwrap();
    for _ in 0..10 {
        echo(&client).await.unwrap_err();
    }
    faults.always(Fault::none());
    echo(&client).await.unwrap();
}

#[tokio::test]
async fn what_was_sent_is_seen() {
    let (faults, client) = faulty(Scripted::new());
    faults.next(Fault::code(Code::Aborted));
    let ctx = Context::background().with_timeout(Duration::from_secs(5));
    let options = once().metadata("x-who", "me");
    let _ = client.with(options).echo(&ctx, ask("")).await;
    echo(&client).await.unwrap();
    let seen = faults.seen();
    let [first, .., last] = &seen[..] else {
        panic!("{seen:?}");
    };
    assert_eq!(first.path(), "/echo.EchoService/Echo");
    assert_eq!((first.fault(), last.fault()), ("status", "none"));
    assert_eq!(first.previous_attempts(), None);
    assert_eq!(first.metadata().get("x-who").unwrap(), "me");
    let timeout = first.timeout().unwrap();
    assert!(timeout <= Duration::from_secs(5) && timeout > Duration::ZERO);
    assert!(!format!("{first:?}").contains("x-who"));
    assert!(first.at() <= last.at());
    assert_eq!(faults.counts().first_attempts, 2);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    const CALLS: usize = 2000;
    let run = async |seed| {
        let service = InProcess::new(EchoServiceServer::new(Scripted::new()));
        let faults = Faults::random(service, seed);
        faults
            .sometimes(0.1, Fault::code(Code::Aborted))
            .sometimes_of(&echo_service::ECHO, 0.2, Fault::code(Code::OutOfRange));
        // Of codes that no circuit breaker counts, so that each call is one throw.
        let client = EchoServiceClient::new(faults.clone()).with(once());
        let mut codes = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            codes.push(
                echo(&client)
                    .await
                    .map_or_else(|error| error.code(), |_| Code::Ok),
            );
        }
        (codes, faults.counts())
    };
    let (first, counts) = run(7).await;
    assert_eq!(run(7).await.0, first);
    assert_ne!(run(8).await.0, first);
    let of = |code| first.iter().filter(|found| **found == code).count();
    // Of 2,000 throws with the chances 0.1 and 0.2; the seed is fixed.
    assert!(
        (150..250).contains(&of(Code::Aborted)),
        "{}",
        of(Code::Aborted)
    );
    assert!(
        (320..480).contains(&of(Code::OutOfRange)),
        "{}",
        of(Code::OutOfRange)
    );
    let faults = of(Code::Aborted) + of(Code::OutOfRange);
    assert_eq!(counts.faults, u64::try_from(faults).unwrap());
    assert_eq!(counts.attempts, 2000);
}

#[tokio::test]
async fn requests_are_taken_as_a_connection_takes_them() {
    let (journal, mut entries) = journal();
    let (faults, client) = faulty(Scripted::new());
    faults.next(Fault::lost());
    let requests = futures_util::StreamExt::inspect(stream::iter(["a", "b"].map(ask)), move |_| {
        journal.write("sent");
    });
    let error = client.collect(&Context::background(), requests).await;
    assert!(error.unwrap_err().is_transport());
    assert_eq!(entries.rest(), ["sent", "sent"]);
}
