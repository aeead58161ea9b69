//! Resets, goodbyes and lost connections at every point of a call: how it ends, how often it is sent, and
//! that its channel is well again. Time is virtual.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod points;

use std::time::Duration;

use apibase::{
    CallInfo, CallOptions, Caller, Channel, ClientFactory, Code, Context, DomainError, Kind,
    Method, Replies, Target,
};
use common::{EchoReply, EchoRequest, Outcome, ask};
use futures_util::{Stream, StreamExt, stream};
use points::{Again, Expected, Fault, Peer, Point, all_replies, expected};
use tokio::time::{Instant, sleep};

/// Far longer than anything else takes, so that it shows.
const BACKOFF: Duration = Duration::from_secs(10);
/// Between the two requests of an upload.
const UPLOAD: Duration = Duration::from_millis(100);
/// The longest that a call takes which doesn't wait for a backoff.
const NO_BACKOFF: Duration = Duration::from_secs(1);

static METHODS: [Method; 8] = [
    Method::unary("/points.Points/UnaryOnce"),
    Method::unary("/points.Points/Unary").idempotent(),
    Method::client_stream("/points.Points/UploadOnce"),
    Method::client_stream("/points.Points/Upload").idempotent(),
    Method::server_stream("/points.Points/ListOnce"),
    Method::server_stream("/points.Points/List").idempotent(),
    Method::bidi("/points.Points/ChatOnce"),
    Method::bidi("/points.Points/Chat").idempotent(),
];

/// One row of the table.
#[derive(Clone, Copy)]
struct Case {
    method: &'static Method,
    point: Point,
    fault: Fault,
    /// Whether the client has time to read what came before the fault.
    pause: bool,
}

/// A client of a server, and what is known of its last call.
struct Scene {
    peer: Peer,
    caller: Caller<Channel>,
    info: CallInfo,
    method: &'static Method,
}

impl Scene {
    fn new(method: &'static Method) -> Self {
        let peer = Peer::new(method.kind());
        let info = CallInfo::new();
        let factory = ClientFactory::new()
            .retry_backoff(BACKOFF, 2.0, BACKOFF)
            .no_circuit_breaker()
            .connector(peer.clone());
        let channel = factory.channel(Target::new("peer:1").insecure()).unwrap();
        let caller = Caller::new(channel, &METHODS).with(CallOptions::new().info(&info));
        Self {
            peer,
            caller,
            info,
            method,
        }
    }

    /// The replies that a call gets, and its code.
    async fn call(&self) -> (Vec<u64>, Code) {
        let (caller, ctx) = (&self.caller, &Context::background());
        match self.method.kind() {
            Kind::Unary => single(caller.unary(ctx, self.method, ask("1")).await),
            Kind::ClientStream => single(caller.client_stream(ctx, self.method, upload()).await),
            Kind::ServerStream => all(caller.server_stream(ctx, self.method, ask("1")).await).await,
            Kind::Bidi => all(caller.bidi(ctx, self.method, upload()).await).await,
        }
    }
}

fn upload() -> impl Stream<Item = EchoRequest> + Send + 'static {
    let second = stream::once(async {
        sleep(UPLOAD).await;
        ask("2")
    });
    stream::iter([ask("1")]).chain(second)
}

fn single(reply: Outcome<EchoReply>) -> (Vec<u64>, Code) {
    match reply {
        Ok(reply) => (vec![reply.number], Code::Ok),
        Err(error) => (Vec::new(), error.code()),
    }
}

async fn all(replies: Outcome<Replies<EchoReply, DomainError>>) -> (Vec<u64>, Code) {
    let mut replies = match replies {
        Ok(replies) => replies,
        Err(error) => return (Vec::new(), error.code()),
    };
    let mut numbers = Vec::new();
    loop {
        match replies.message().await {
            Ok(Some(reply)) => numbers.push(reply.number),
            Ok(None) => return (numbers, Code::Ok),
            Err(error) => return (numbers, error.code()),
        }
    }
}

impl Case {
    fn all_of(kind: Kind) -> Vec<Self> {
        let mut cases = Vec::new();
        for method in METHODS.iter().filter(|method| method.kind() == kind) {
            for point in Point::ALL.into_iter().filter(|point| point.is_in(kind)) {
                for fault in Fault::all() {
                    cases.extend([false, true].map(|pause| Self {
                        method,
                        point,
                        fault,
                        pause,
                    }));
                }
            }
        }
        cases
    }

    fn name(&self) -> String {
        let (path, point, fault) = (self.method.path(), self.point, self.fault);
        let when = if self.pause { "later" } else { "at once" };
        format!("{path} {point:?} {fault:?} {when}")
    }

    /// What is not as it should be.
    async fn wrong(self) -> Vec<String> {
        let Self {
            method,
            point,
            fault,
            pause,
        } = self;
        let kind = method.kind();
        let mut wrong = Vec::new();
        let mut check = |name: &str, is: String, should_be: String| {
            if is != should_be {
                wrong.push(format!("{name}: {is}, and should be {should_be}"));
            }
        };
        let scene = Scene::new(method);
        let well = format!("{:?}", (all_replies(kind), Code::Ok));
        check("before", format!("{:?}", scene.call().await), well.clone());
        let before = scene.peer.take_seen();

        scene.peer.arm(point, fault, pause);
        sleep(Duration::from_millis(1)).await;
        let started = Instant::now();
        let (replies, code) = scene.call().await;
        let took = started.elapsed();
        let attempts = scene.info.attempts();
        if pause {
            sleep(NO_BACKOFF).await;
        }
        let next = scene.call().await;
        let seen = scene.peer.take_seen();
        let again = match attempts {
            1 => Again::No,
            2 if took < NO_BACKOFF => Again::AtOnce,
            2 if took > BACKOFF.mul_f64(0.79) => Again::AfterBackoff,
            _ => panic!("{}: {attempts} attempts in {took:?}", self.name()),
        };
        let is = Expected {
            replies,
            code,
            again,
        };
        let should_be = expected(point, fault, kind, method.is_idempotent());
        check("outcome", format!("{is:?}"), format!("{should_be:?}"));

        // The server may have gone before it saw the first.
        let unseen = usize::from(point == Point::BeforeHead && fault.closes());
        let calls = usize::try_from(attempts).unwrap() - unseen + 1;
        check(
            "calls seen",
            seen.calls.len().to_string(),
            calls.to_string(),
        );
        let acted = seen.acted - 1;
        if !method.is_idempotent() {
            check("done twice", (acted > 1).to_string(), false.to_string());
        }
        if acted == 0 && fault.says_unprocessed() {
            check("never done", code.to_string(), Code::Ok.to_string());
        }
        check("next", format!("{next:?}"), well);
        let moved = before.connections + usize::from(fault.takes_the_connection());
        check(
            "next on",
            format!("{:?}", seen.calls.last()),
            format!("{:?}", Some(moved)),
        );
        check(
            "connections",
            seen.connections.to_string(),
            moved.to_string(),
        );
        wrong
    }
}

/// All rows of a kind; says everything that is wrong.
async fn hold(kind: Kind) {
    let cases = Case::all_of(kind);
    assert!(cases.len() >= 2 * 8 * 11 * 2, "{}", cases.len());
    let (mut wrong, count) = (Vec::new(), cases.len());
    for case in cases {
        let of_case = case.wrong().await;
        wrong.extend(
            of_case
                .into_iter()
                .map(|wrong| format!("{}: {wrong}", case.name())),
        );
    }
    let shown = wrong.iter().take(40).map(|line| format!("\n{line}"));
    let shown: String = shown.collect();
    assert!(wrong.is_empty(), "{} of {count}:{shown}", wrong.len());
}

#[tokio::test(start_paused = true)]
async fn a_unary_call_ends_by_the_rule_whatever_befalls_it_at_any_point() {
    hold(Kind::Unary).await;
}

#[tokio::test(start_paused = true)]
async fn an_upload_ends_by_the_rule_whatever_befalls_it_at_any_point() {
    hold(Kind::ClientStream).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_ends_by_the_rule_whatever_befalls_it_at_any_point() {
    hold(Kind::ServerStream).await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_ends_by_the_rule_whatever_befalls_it_at_any_point() {
    hold(Kind::Bidi).await;
}
