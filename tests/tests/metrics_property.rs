//! Property 12 of the specification: whatever calls come and however they end, they are counted as what
//! they were. Time is virtual. A failure prints the case, shrunk, and the seed that repeats it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod openmetrics;

use std::collections::BTreeMap;
use std::time::Duration;

use apibase::testing::InProcess;
use apibase::{
    Answer, CallOptions, Caller, ClientFactory, Code, Compression, Context, DomainError,
    InterceptedCall, Interceptor, Interceptors, Method, Metrics, Next, Over, Status, Streamed,
};
use common::{
    EchoReply, EchoServiceClient, EchoServiceServer, Outcome, Scripted, ask, count, reply,
};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use openmetrics::Page;
use proptest::prelude::*;
use tokio::time::{sleep, timeout};

static NOPE: [Method; 1] = [Method::unary("/echo.EchoService/Nope")];

/// A call, and what becomes of it.
#[derive(Clone, Debug)]
enum Act {
    /// One that ends so.
    Echo(Code),
    /// One that is dropped while its servicer works.
    Dropped,
    /// A stream of so many replies, and an error after them.
    Count(u64, bool),
    /// A stream that is dropped after so many replies.
    Left(u64),
    /// A stream of so many requests.
    Collect(usize),
    /// Both.
    Chat(usize),
    /// An interceptor refuses it.
    Refused,
    /// The server refuses it: it can't read its request.
    Packed,
    /// There is no such method.
    Unknown,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Echo(Code::Ok)),
        4 => (0..17_i32).prop_map(|code| Act::Echo(Code::from_i32(code))),
        1 => Just(Act::Dropped),
        2 => (0..300_u64, any::<bool>()).prop_map(|(count, fails)| Act::Count(count, fails)),
        1 => (0..200_u64).prop_map(Act::Left),
        2 => (0..300_usize).prop_map(Act::Collect),
        2 => (0..300_usize).prop_map(Act::Chat),
        1 => Just(Act::Refused),
        1 => Just(Act::Packed),
        1 => Just(Act::Unknown),
    ]
}

/// What is to be counted.
#[derive(Default, Debug, PartialEq)]
struct Counts {
    /// By method and status.
    ended: BTreeMap<(String, String), u64>,
    /// By method: sent and received.
    messages: BTreeMap<String, (u64, u64)>,
    /// By reason.
    refused: BTreeMap<String, u64>,
}

impl Counts {
    fn end(&mut self, method: &str, status: &str) {
        *self
            .ended
            .entry((method.to_owned(), status.to_owned()))
            .or_default() += 1;
    }

    fn messages(&mut self, method: &str, sent: u64, received: u64) {
        let messages = self.messages.entry(method.to_owned()).or_default();
        messages.0 += sent;
        messages.1 += received;
    }

    /// What a server and a client count of these.
    fn of(acts: &[Act]) -> (Self, Self) {
        let (mut server, mut client) = (Self::default(), Self::default());
        for act in acts {
            let (method, status, requests, replies) = act.expected();
            match act {
                Act::Unknown => server.end("_OTHER", status),
                _ => server.end(method, status),
            }
            client.end(method, status);
            if let Some(reason) = act.refusal() {
                *server.refused.entry(reason.to_owned()).or_default() += 1;
            }
            if ["Count", "Collect", "Chat"].contains(&method) {
                server.messages(method, replies, requests);
                client.messages(method, requests, replies);
            }
        }
        (server, client)
    }

    /// What a page says, all of it, where `side` is whose metrics they are.
    fn read(page: &Page, side: &str) -> Self {
        let mut counts = Self::default();
        let requests = match side {
            "server" => "grpc_requests_total".to_owned(),
            side => format!("grpc_{side}_requests_total"),
        };
        for sample in page.samples(&requests, &[]) {
            if let Some(count) = whole(sample.value) {
                let key = (
                    sample.label("method").to_owned(),
                    sample.label("status").to_owned(),
                );
                counts.ended.insert(key, count);
            }
        }
        for way in ["sent", "received"] {
            let name = format!("grpc_{side}_messages_{way}_total");
            for sample in page.samples(&name, &[]) {
                if let Some(count) = whole(sample.value) {
                    let pair = match way {
                        "sent" => (count, 0),
                        _ => (0, count),
                    };
                    counts.messages(sample.label("method"), pair.0, pair.1);
                }
            }
        }
        for sample in page.samples("grpc_server_refused_total", &[]) {
            if let Some(count) = whole(sample.value) {
                counts
                    .refused
                    .insert(sample.label("reason").to_owned(), count);
            }
        }
        counts
    }

    /// Those of no messages at all are not told apart from those that are not there.
    fn tidy(mut self) -> Self {
        self.messages.retain(|_, messages| *messages != (0, 0));
        self
    }
}

/// A count that isn't none.
fn whole(value: f64) -> Option<u64> {
    let count = format!("{value}").parse().unwrap();
    (count > 0).then_some(count)
}

impl Act {
    /// Its method and status, and how many requests and replies it has.
    fn expected(&self) -> (&'static str, &'static str, u64, u64) {
        let many = |count: &usize| u64::try_from(*count).unwrap();
        match self {
            Self::Echo(code) => ("Echo", name(*code), 1, 1),
            Self::Dropped => ("Echo", "CANCELLED", 1, 0),
            Self::Count(count, false) => ("Count", "OK", 1, *count),
            Self::Count(count, true) => ("Count", "NOT_FOUND", 1, *count),
            Self::Left(count) => ("Count", "CANCELLED", 1, *count),
            Self::Collect(count) => ("Collect", "OK", many(count), 1),
            Self::Chat(count) => ("Chat", "OK", many(count), many(count)),
            Self::Refused => ("Echo", "PERMISSION_DENIED", 0, 0),
            Self::Packed => ("Echo", "UNIMPLEMENTED", 0, 0),
            Self::Unknown => ("Nope", "UNIMPLEMENTED", 0, 0),
        }
    }

    fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Packed => Some("ENCODING"),
            Self::Unknown => Some("UNKNOWN_METHOD"),
            _ => None,
        }
    }

    async fn play(&self, stage: &Stage) {
        let (client, ctx) = (&stage.client, Context::background());
        match self {
            Self::Echo(code) => {
                let code = u8::try_from(*code as i32).unwrap();
                let _ = client.echo(&ctx, ask([code])).await;
            }
            Self::Dropped => {
                let call = client.echo(&ctx, ask("hang"));
                timeout(Duration::from_millis(20), call).await.unwrap_err();
            }
            Self::Count(of, fails) => {
                let mut request = count(*of);
                request.fail_after = fails.then_some(*of);
                let replies = client.count(&ctx, request).await.unwrap();
                replies.collect::<Vec<_>>().await;
            }
            Self::Left(after) => {
                let mut replies = client.count(&ctx, count(HANGS + after)).await.unwrap();
                for _ in 0..*after {
                    replies.message().await.unwrap().unwrap();
                }
                let more = replies.message();
                timeout(Duration::from_millis(20), more).await.unwrap_err();
            }
            Self::Collect(of) => {
                client
                    .collect(&ctx, stream::iter(vec![ask("x"); *of]))
                    .await
                    .unwrap();
            }
            Self::Chat(of) => {
                let replies = client.chat(&ctx, stream::iter(vec![ask("x"); *of])).await;
                replies.unwrap().collect::<Vec<_>>().await;
            }
            Self::Refused => {
                let refused = CallOptions::new().metadata("x-refuse", "1");
                client.with(refused).echo(&ctx, ask("")).await.unwrap_err();
            }
            Self::Packed => {
                let packed = CallOptions::new().compress(Compression::Gzip);
                client.with(packed).echo(&ctx, ask("")).await.unwrap_err();
            }
            Self::Unknown => {
                let answer: Outcome<EchoReply> = stage.nowhere.unary(&ctx, &NOPE[0], ask("")).await;
                answer.unwrap_err();
            }
        }
    }
}

fn name(code: Code) -> &'static str {
    [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ]
    .get(code as usize)
    .unwrap()
}

/// From so many replies on, a stream never ends after those that are above it.
const HANGS: u64 = 1_000_000;

fn servicer() -> Scripted {
    Scripted::new()
        .on_echo(|_, request| async move {
            match request.payload[..] {
                [0] => Ok(reply(1, "")),
                [code] => {
                    let code = Code::from_i32(i32::from(code));
                    Err(DomainError::from(Status::new(code, "as was asked")))
                }
                _ => std::future::pending().await,
            }
        })
        .on_count(|_, request| async move {
            let (after, fails) = (request.count % HANGS, request.fail_after.is_some());
            let replies = stream::iter((0..after).map(|number| Ok(reply(number, ""))));
            let end = async move {
                match fails {
                    true => Err(DomainError::not_found("no more")),
                    false => std::future::pending().await,
                }
            };
            Ok(match fails || request.count >= HANGS {
                true => Streamed::new(replies.chain(stream::once(Box::pin(end)))),
                false => Streamed::new(replies),
            })
        })
}

/// Refuses what asks for it.
struct Refuses;

impl Interceptor for Refuses {
    async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
        match call.metadata().contains_key("x-refuse") {
            true => Err(Status::permission_denied("not you")),
            false => next.run(call).await,
        }
    }
}

struct Stage {
    client: EchoServiceClient<Over<InProcess>>,
    nowhere: Caller<Over<InProcess>>,
}

impl Stage {
    fn new(server: &Metrics, client: &Metrics) -> Self {
        let chain = Interceptors::none().with_metrics(server).with(Refuses);
        let served = InProcess::behind(chain, EchoServiceServer::new(servicer())).unwrap();
        let over = ClientFactory::new()
            .interceptors(Interceptors::none().with_metrics(client))
            .max_retries(0)
            .no_circuit_breaker()
            .over("echo", served);
        Self {
            client: EchoServiceClient::new(over.clone()),
            nowhere: Caller::new(over, &NOPE),
        }
    }
}

/// Every call that was counted has a duration, and none is active.
fn check(page: &Page, side: &str, requests: &str, durations: &str) {
    let streams = format!("grpc_{side}_stream_duration_seconds_count");
    for active in page.samples(&format!("grpc_{side}_active_requests"), &[]) {
        let method = [("method", active.label("method"))];
        assert_eq!(active.value, 0.0, "{method:?}");
        let ended = page.sum(requests, &method);
        let timed = page.sum(durations, &method) + page.sum(&streams, &method);
        assert_eq!(timed, ended, "{side} {method:?}");
    }
}

async fn play(acts: &[Act]) -> (Page, Page) {
    let (server, client) = (Metrics::new(), Metrics::new());
    let stage = Stage::new(&server, &client);
    join_all(acts.iter().map(|act| act.play(&stage))).await;
    sleep(Duration::from_secs(1)).await;
    (Page::read(&server.encode()), Page::read(&client.encode()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn property_12_every_call_has_its_count_its_duration_and_its_status(
        acts in prop::collection::vec(act(), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (server, client) = runtime.block_on(play(&acts));
        let (of_server, of_client) = Counts::of(&acts);
        prop_assert_eq!(Counts::read(&server, "server").tidy(), of_server.tidy());
        prop_assert_eq!(Counts::read(&client, "client").tidy(), of_client.tidy());
        check(&server, "server", "grpc_requests_total", "grpc_request_duration_seconds_count");
        let (requests, durations) =
            ("grpc_client_requests_total", "grpc_client_request_duration_seconds_count");
        check(&client, "client", requests, durations);
        let attempts = client.sum("grpc_client_attempts_total", &[]);
        prop_assert_eq!(attempts, client.sum(requests, &[]));
    }
}
