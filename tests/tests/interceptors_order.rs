//! The standard chain: all of this crate's interceptors together, in the order of the specification.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod logged;
mod openmetrics;
mod spans;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apibase::{
    Answer, Auth, Code, InterceptedCall, Interceptor, Interceptors, Logging, Metrics, Next, Status,
};
use common::{RawClient, Running, Scripted, ask, frame, post};
use http::request::Builder;
use logged::logged;
use openmetrics::Page;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::Sampler;
use spans::{Spans, attribute, recorded, trace_of};
use tokens::{Clock, Signer, claims};

/// Counts the calls that it hands on.
struct Counting(Arc<AtomicUsize>);

impl Interceptor for Counting {
    async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
        self.0.fetch_add(1, Ordering::SeqCst);
        next.run(call).await
    }
}

/// Lets no call go on.
struct Hanging;

impl Interceptor for Hanging {
    async fn intercept(&self, _: InterceptedCall, _: Next<'_>) -> Result<Answer, Status> {
        std::future::pending().await
    }
}

fn signer() -> Signer {
    Signer::hs256("a", b"a secret of a test, 32 bytes long")
}

fn auth() -> Auth {
    let auth = Auth::jwt().hs256(b"a secret of a test, 32 bytes long");
    auth.clock(Clock::default().read()).build().unwrap()
}

/// What is added to a chain.
#[derive(Clone, Copy, Debug)]
enum Adds {
    Metrics,
    Tracing,
    Logging,
    Auth,
    User,
}

impl Adds {
    fn to(self, chain: Interceptors) -> Interceptors {
        match self {
            Self::Metrics => chain.with_metrics(&Metrics::new()),
            Self::Tracing => chain.with_tracing(recorded(Sampler::AlwaysOff).0),
            Self::Logging => chain.with_logging(Logging::to(std::io::sink())),
            Self::Auth => chain.with_auth(auth()),
            Self::User => chain.with(Hanging),
        }
    }
}

/// How a chain stands, outermost first.
fn shown(chain: Interceptors, adds: &[Adds]) -> String {
    let chain = adds.iter().fold(chain, |chain, adds| adds.to(chain));
    let shown = format!("{chain:?}");
    let (_, parts) = shown.split_once("parts: [").unwrap();
    parts.split_once(']').unwrap().0.to_owned()
}

/// All orders of these.
fn orders(of: &[Adds]) -> Vec<Vec<Adds>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let each = of.iter().enumerate().flat_map(|(at, first)| {
        let mut rest = of.to_vec();
        rest.remove(at);
        let orders = orders(&rest).into_iter();
        orders.map(|order| [vec![*first], order].concat())
    });
    each.collect()
}

#[test]
fn the_standard_chain_has_its_order_whatever_is_added_first() {
    let all = [Adds::Metrics, Adds::Tracing, Adds::Logging, Adds::Auth];
    let orders = orders(&all);
    assert_eq!(orders.len(), 24);
    for order in orders {
        let standard = shown(Interceptors::standard(), &order);
        assert_eq!(standard, "Metrics, Tracing, Logging, Auth", "{order:?}");
        let again = [order.clone(), order.clone()].concat();
        let standard = shown(Interceptors::standard(), &again);
        // Of guards there may be several, and all of them count.
        assert_eq!(
            standard, "Metrics, Tracing, Logging, Auth, Auth",
            "{again:?}"
        );
        let names: Vec<_> = order.iter().map(|adds| format!("{adds:?}")).collect();
        assert_eq!(shown(Interceptors::none(), &order), names.join(", "));
    }
}

#[test]
fn a_chain_is_empty_unless_something_is_added() {
    assert_eq!(shown(Interceptors::none(), &[]), "");
    assert_eq!(shown(Interceptors::default(), &[]), "");
}

#[test]
fn interceptors_of_users_stand_behind_those_that_were_there() {
    let adds = [Adds::User, Adds::Auth, Adds::User, Adds::Metrics];
    let standard = shown(Interceptors::standard(), &adds);
    assert_eq!(standard, "Metrics, Logging, User, Auth, User");
    // What takes another one's place takes it where it is.
    let adds = [Adds::User, Adds::Logging];
    assert_eq!(shown(Interceptors::standard(), &adds), "Logging, User");
}

/// The spans of the server, once there are so many.
async fn servers(spans: &Spans, count: usize) -> Vec<opentelemetry_sdk::trace::SpanData> {
    loop {
        let servers = spans.of(&SpanKind::Server, "echo.EchoService/Echo");
        if servers.len() >= count {
            return servers;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn what_auth_refuses_is_counted_traced_and_logged_and_comes_no_further() {
    let (metrics, passed) = (Metrics::new(), Arc::new(AtomicUsize::new(0)));
    let (tracing, spans, _provider) = recorded(Sampler::AlwaysOn);
    let (logging, lines) = logged();
    let chain = Interceptors::standard()
        .with_auth(auth())
        .with(Counting(Arc::clone(&passed)))
        .with_logging(logging)
        .with_tracing(tracing)
        .with_metrics(&metrics);
    let running = Running::with(Scripted::new(), |server| server.interceptors(chain)).await;
    let mut raw = RawClient::connect(running.addr).await;
    let with_token = |head: Builder| {
        let token = signer().token(&claims());
        head.header("authorization", format!("Bearer {token}"))
    };

    let refused = raw.call(post("Echo"), [frame(&ask("a"))]).await;
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(passed.load(Ordering::SeqCst), 0);
    let line = lines.one().await;
    assert_eq!(line["status"], "UNAUTHENTICATED", "{line}");
    let span = servers(&spans, 1).await.remove(0);
    assert_eq!(
        attribute(&span, "rpc.response.status_code"),
        "UNAUTHENTICATED"
    );
    // Tracing stands outside of Logging.
    assert_eq!(line["trace_id"], trace_of(&span).to_string());

    let served = raw.call(with_token(post("Echo")), [frame(&ask("a"))]).await;
    assert_eq!(served.code(), Code::Ok, "{served:?}");
    assert_eq!(passed.load(Ordering::SeqCst), 1);
    let line = lines.one().await;
    assert_eq!(line["status"], "OK", "{line}");

    let page = Page::read(&metrics.encode());
    for status in ["UNAUTHENTICATED", "OK"] {
        let labels = [("method", "Echo"), ("status", status)];
        assert!((page.sum("grpc_requests_total", &labels) - 1.0).abs() < f64::EPSILON);
    }
}

#[tokio::test]
async fn an_interceptor_that_hangs_ends_in_the_deadline_for_methods_that_there_are_none_of_too() {
    let chain = Interceptors::none().with(Hanging);
    let running = Running::with(Scripted::new(), |server| server.interceptors(chain)).await;
    let mut raw = RawClient::connect(running.addr).await;
    for method in ["Echo", "Nothing"] {
        let head = post(method).header("grpc-timeout", "50m");
        let answer = raw.call(head, [frame(&ask("a"))]).await;
        assert_eq!(answer.code(), Code::DeadlineExceeded, "{method}");
    }
}
