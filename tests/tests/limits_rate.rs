//! Rate limits of methods: by the proto and by code, on a server and mounted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::Duration;

use apibase::codegen as rt;
use apibase::{
    CallError, CallOptions, Code, Context, DomainError, Interceptors, RateLimit, Refusal, Server,
    Streamed, TowerService,
};
use apibase_tests::limits::limits::Knocked;
use apibase_tests::limits::limits::api::{
    DoorServiceClient, DoorServiceServer, DoorServicer, door_service,
};
use common::{
    EchoServiceServer, OnTheWire, RawClient, RetryInfo, Running, Scripted, Seen, ask, frame, log,
    post, recorder, reply, soon,
};
use futures_util::{StreamExt, stream};
use proptest::prelude::*;
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep};

const ECHO: &str = "/echo.EchoService/Echo";
const SECOND: Duration = Duration::from_secs(1);

/// As many as one hour gives, whatever the machine is at.
const RARE: Duration = Duration::from_secs(3600);

/// Lets everybody in.
#[derive(Clone, Copy, Debug)]
struct Door;

impl DoorServicer for Door {
    async fn knock(&self, _: &Context, knocked: Knocked) -> Result<Knocked, DomainError> {
        Ok(knocked)
    }

    async fn ring(
        &self,
        _: &Context,
        knocked: Knocked,
    ) -> Result<Streamed<Knocked, DomainError>, DomainError> {
        Ok(Streamed::new(stream::iter([Ok(knocked)])))
    }

    async fn enter(&self, _: &Context, knocked: Knocked) -> Result<Knocked, DomainError> {
        Ok(knocked)
    }
}

type Mounted = DoorServiceClient<TowerService<DoorServiceServer<Door>>>;

/// Without sockets, so that time is virtual.
fn mounted(chain: Interceptors) -> Mounted {
    let server = DoorServiceServer::new(Door);
    DoorServiceClient::new(server.into_service(chain).unwrap())
}

/// Who calls, as the caller says.
fn by_name(call: &Context) -> Option<String> {
    let name = call.metadata().get("x-who")?;
    Some(name.to_str().ok()?.to_owned())
}

fn by_names() -> Interceptors {
    Interceptors::none().with_rate_limit_key(by_name)
}

fn knocked() -> Knocked {
    Knocked::default()
}

async fn knock_as(client: &Mounted, name: &str) -> Result<Knocked, CallError<DomainError>> {
    let options = CallOptions::new().metadata("x-who", name);
    client
        .with(options)
        .knock(&Context::background(), knocked())
        .await
}

#[test]
fn a_generated_constant_has_the_limit_of_the_proto() {
    let limit = RateLimit::new(2, SECOND).burst(1);
    assert_eq!(door_service::KNOCK.limited_to(), Some(limit));
    let limit = RateLimit::new(1, SECOND / 4);
    assert_eq!(door_service::RING.limited_to(), Some(limit));
    assert_eq!(door_service::ENTER.limited_to(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// However callers come, in no time are there more calls of one than may be at once and the rate
    /// gives for that time; and who waits as long as told is taken.
    #[test]
    fn there_are_never_more_calls_than_the_rate_gives(
        calls in proptest::collection::vec((0_u64..900, 0_usize..3), 1..60),
    ) {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let client = mounted(by_names());
            let mut taken = [const { Vec::<u64>::new() }; 3];
            let mut told = [0; 3];
            let started = Instant::now();
            for (pause, who) in calls {
                sleep(Duration::from_millis(pause)).await;
                let now = u64::try_from(started.elapsed().as_millis()).unwrap();
                match knock_as(&client, ["a", "b", "c"][who]).await {
                    Ok(_) => taken[who].push(now),
                    Err(error) => {
                        prop_assert_eq!(error.code(), Code::ResourceExhausted);
                        prop_assert!(now < told[who] || told[who] == 0, "told {}", told[who]);
                        let wait = error.retry_delay().unwrap();
                        told[who] = now + u64::try_from(wait.as_millis()).unwrap() + 1;
                        continue;
                    }
                }
                told[who] = 0;
            }
            for taken in taken {
                for (first, from) in taken.iter().enumerate() {
                    for (last, to) in taken.iter().enumerate().skip(first) {
                        // Three at once, and two in each second.
                        let most = 3.0 + 2.0 * (to - from) as f64 / 1000.0;
                        prop_assert!((last - first + 1) as f64 <= most, "{:?}", taken);
                    }
                }
            }
            Ok(())
        })?;
    }

    /// What one caller does is nothing to another.
    #[test]
    fn callers_do_not_use_up_each_others_calls(
        others in proptest::collection::vec(0_u64..300, 0..40),
    ) {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let client = mounted(by_names());
            for pause in others {
                let _ = knock_as(&client, "greedy").await;
                sleep(Duration::from_millis(pause)).await;
            }
            for _ in 0..3 {
                prop_assert!(knock_as(&client, "modest").await.is_ok());
            }
            prop_assert!(knock_as(&client, "modest").await.is_err());
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_as_long_as_told_is_taken_and_who_does_not_is_refused_again() {
    let client = mounted(Interceptors::none());
    let ctx = Context::background();
    for _ in 0..3 {
        client.knock(&ctx, knocked()).await.unwrap();
    }
    let error = client.knock(&ctx, knocked()).await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(error.retry_delay(), Some(SECOND / 2));
    sleep(SECOND / 2 - Duration::from_millis(2)).await;
    let error = client.knock(&ctx, knocked()).await.unwrap_err();
    sleep(error.retry_delay().unwrap()).await;
    client.knock(&ctx, knocked()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_method_has_a_limit_of_its_own_and_streams_have_one_too() {
    let client = mounted(Interceptors::none());
    let ctx = Context::background();
    while client.knock(&ctx, knocked()).await.is_ok() {}
    let replies = client.ring(&ctx, knocked()).await.unwrap();
    assert_eq!(replies.count().await, 1);
    let error = client.ring(&ctx, knocked()).await.unwrap_err();
    assert_eq!(error.retry_delay(), Some(SECOND / 4));
    for _ in 0..1000 {
        client.enter(&ctx, knocked()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn mounted_without_a_key_all_callers_share_a_limit_and_the_log_says_so() {
    let log = log();
    let client = mounted(Interceptors::none());
    let lines = log.lines();
    let warned = |line: &&String| line.contains("limits.DoorService");
    assert_eq!(lines.iter().filter(warned).count(), 1, "{lines:?}");
    for name in ["a", "b", "c"] {
        knock_as(&client, name).await.unwrap();
    }
    let error = knock_as(&client, "d").await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);

    let _ = mounted(by_names());
    assert_eq!(log.lines().iter().filter(warned).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_key_shares_with_the_others_who_have_none() {
    let client = mounted(by_names());
    let ctx = Context::background();
    for _ in 0..3 {
        client.knock(&ctx, knocked()).await.unwrap();
    }
    client.knock(&ctx, knocked()).await.unwrap_err();
    knock_as(&client, "a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_that_panics_harms_nobody_and_limits_all_the_same() {
    let chain =
        Interceptors::none().with_rate_limit_key(|_| -> Option<u8> { panic!("on purpose") });
    let client = mounted(chain);
    for _ in 0..3 {
        client
            .knock(&Context::background(), knocked())
            .await
            .unwrap();
    }
    let error = client.knock(&Context::background(), knocked()).await;
    assert_eq!(error.unwrap_err().code(), Code::ResourceExhausted);
}

/// A service by hand, with a limit that can't be kept.
struct Closed;

impl rt::Service for Closed {
    const NAME: &'static str = "closed.Closed";
    const METHODS: &'static [rt::Method] =
        &[rt::Method::unary("/closed.Closed/Call").rate_limit(RateLimit::new(0, SECOND))];
    const DESCRIPTORS: &'static [u8] = &[];

    fn dispatch(&self, call: rt::Call) -> impl Future<Output = rt::Reply> + Send + 'static {
        std::future::ready(call.unimplemented())
    }
}

#[tokio::test]
async fn a_limit_that_cannot_be_kept_is_refused_before_anybody_calls() {
    let error = TowerService::new(Closed, Interceptors::none())
        .map(drop)
        .unwrap_err();
    let said = "the rate limit of `/closed.Closed/Call` has no calls";
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(error.service(), "closed.Closed");
    let error = Server::new()
        .port(0)
        .add_servicer(Closed)
        .bind()
        .await
        .unwrap_err();
    assert!(error.to_string().contains(said), "{error}");
    let echo = Server::new()
        .port(0)
        .add_servicer(EchoServiceServer::new(Scripted::new()));
    let echo = echo.rate_limit_of(ECHO, RateLimit::new(1, Duration::ZERO));
    let error = echo.bind().await.unwrap_err().to_string();
    assert!(error.contains("has a period of 0"), "{error}");
}

async fn echo(raw: &mut RawClient, head: http::request::Builder) -> Result<(), OnTheWire> {
    let answer = raw.call(head, [frame(&ask(""))]).await;
    match answer.code() {
        Code::Ok => Ok(()),
        _ => Err(answer.failed()),
    }
}

#[tokio::test]
async fn a_servers_limit_is_for_an_address_and_says_why_it_refuses() {
    let (observer, mut recording) = recorder();
    let server = Running::with(Scripted::new(), |server| {
        server
            .rate_limit_of(ECHO, RateLimit::new(1, RARE).burst(1))
            .interceptors(Interceptors::none().with_observer(observer))
    })
    .await;
    // Two connections of one address are one caller.
    for _ in 0..2 {
        echo(&mut server.raw().await, post("Echo")).await.unwrap();
        assert!(matches!(recording.next().await, Seen::Started(..)));
        assert!(matches!(recording.next().await, Seen::Ended(..)));
    }
    let failed = echo(&mut server.raw().await, post("Echo"))
        .await
        .unwrap_err();
    assert_eq!(failed.code, Code::ResourceExhausted);
    let info = failed.info();
    assert_eq!(
        (info.domain.as_str(), info.reason.as_str()),
        ("apibase", "RATE_LIMITED")
    );
    let said = "`/echo.EchoService/Echo` takes 1 call in 3600s, and 1 more at once, of each caller";
    assert!(failed.message.starts_with(said), "{}", failed.message);
    let delay = failed.find::<RetryInfo>().unwrap().retry_delay.unwrap();
    assert!((3500..3600).contains(&delay.seconds), "{delay:?}");
    let pushback: i64 = failed.pushback.unwrap().parse().unwrap();
    assert_eq!(
        pushback,
        delay.seconds * 1000 + i64::from((delay.nanos + 999_999) / 1_000_000)
    );
    let refused = Seen::Refused(ECHO.to_owned(), Refusal::RateLimited, failed.code);
    assert_eq!(recording.next().await, refused);
    assert_eq!(recording.rest(), [], "once, and nothing started");

    #[cfg(target_os = "linux")]
    {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let stream = socket.connect(server.addr).await.unwrap();
        let mut other = RawClient::over(stream).await;
        echo(&mut other, post("Echo")).await.unwrap();
    }
}

#[tokio::test]
async fn a_servers_own_key_goes_before_that_of_its_interceptors() {
    let server = Running::with(Scripted::new(), |server| {
        server
            .rate_limit_of(ECHO, RateLimit::new(1, RARE))
            .rate_limit_key(by_name)
            .interceptors(Interceptors::none().with_rate_limit_key(|_| Some("everybody")))
    })
    .await;
    let mut raw = server.raw().await;
    for name in ["a", "b"] {
        let head = || post("Echo").header("x-who", name);
        echo(&mut raw, head()).await.unwrap();
        echo(&mut raw, head()).await.unwrap_err();
    }
    echo(&mut raw, post("Echo")).await.unwrap();
    echo(&mut raw, post("Echo")).await.unwrap_err();
}

#[tokio::test]
async fn code_goes_before_the_proto_and_limits_what_the_proto_does_not() {
    let server = Server::new()
        .add_servicer(DoorServiceServer::new(Door))
        .rate_limit_of(door_service::KNOCK.path(), RateLimit::new(10, RARE))
        .rate_limit_of(door_service::ENTER.path(), RateLimit::new(1, RARE));
    let server = Running::of(server).await;
    let client = DoorServiceClient::connect(server.target()).await.unwrap();
    let ctx = Context::background();
    for _ in 0..10 {
        client.knock(&ctx, knocked()).await.unwrap();
    }
    client.knock(&ctx, knocked()).await.unwrap_err();
    client.enter(&ctx, knocked()).await.unwrap();
    client.enter(&ctx, knocked()).await.unwrap_err();
    // As the proto says.
    client.ring(&ctx, knocked()).await.unwrap();
}

#[tokio::test]
async fn a_call_that_finds_no_place_has_used_nothing_up() {
    let ctx = Context::background();
    let (journal, mut entries) = common::journal();
    let scripted = Scripted::new().on_echo(move |_, request| {
        journal.write("in");
        async move {
            if request.payload == b"hang" {
                std::future::pending::<()>().await;
            }
            Ok(reply(0, ""))
        }
    });
    let server = Running::with(scripted, |server| {
        let server = server.max_concurrent_rpcs_of(ECHO, 1);
        server.rate_limit_of(ECHO, RateLimit::new(2, RARE))
    })
    .await;
    let client = server.client().await;
    let other = client.clone();
    let hanging =
        tokio::spawn(async move { other.echo(&Context::background(), ask("hang")).await });
    assert_eq!(entries.next().await, "in");
    for _ in 0..10 {
        let error = soon(client.echo(&ctx, ask(""))).await.unwrap_err();
        assert!(error.to_string().contains("concurrent"), "{error}");
    }
    hanging.abort();
    let taken = async {
        while let Err(error) = client.echo(&ctx, ask("")).await {
            assert!(error.to_string().contains("concurrent"), "{error}");
            sleep(Duration::from_millis(2)).await;
        }
    };
    soon(taken).await;
    let error = soon(client.echo(&ctx, ask(""))).await.unwrap_err();
    assert!(error.to_string().contains("takes 2 calls"), "{error}");
}
