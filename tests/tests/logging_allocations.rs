//! What a line costs a call in allocations: its header in the answer, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::convert::Infallible;
use std::io;

use apibase::{Answer, InterceptedCall, Interceptor, Interceptors, Logging, Next, Status};
use bench_harness::{Counting, allocations};
use bytes::Bytes;
use common::{EchoServiceServer, Scripted, ask, frame, post};
use http_body_util::{BodyExt, Full};
use tokio::runtime::Builder;
use tower_service::Service as _;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const WARM_UP: usize = 200;
const CALLS: usize = 401;

/// The id in the answer, and the box of a dispatch that comes through a chain.
const OF_LOGGING: u64 = 2;

/// How many allocations half of the calls don't exceed, from a request's head to the last trailer.
fn median(chain: Interceptors, id: Option<&str>) -> u64 {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let server = EchoServiceServer::new(Scripted::new());
    let mut service = server.into_service(chain).unwrap();
    let mut call = || {
        let head = post("Echo").header("grpc-timeout", "5S");
        let head = match id {
            Some(id) => head.header("x-correlation-id", id),
            None => head,
        };
        let body = Full::new(frame(&ask("hello")));
        let request = head.body(body).unwrap();
        let (count, answer) = allocations(|| {
            runtime.block_on(async {
                let response: Result<_, Infallible> = service.call(request).await;
                let body: Result<_, Infallible> = response.unwrap().into_body().collect().await;
                body.unwrap()
            })
        });
        let bytes: Bytes = answer.to_bytes();
        assert!(bytes.len() > 5);
        count
    };
    for _ in 0..WARM_UP {
        call();
    }
    let mut counts: Vec<_> = (0..CALLS).map(|_| call()).collect();
    counts.sort_unstable();
    counts[CALLS / 2]
}

#[test]
fn a_line_costs_a_call_no_allocation_but_that_of_the_id_in_its_answer() {
    let logging = || Logging::to(io::sink()).with_metadata("te").unwrap();
    for id in [None, Some("abc-123")] {
        let bare = median(Interceptors::none(), id);
        let logged = median(Interceptors::none().with_logging(logging()), id);
        println!("{id:?}: {bare} allocations, {logged} with a line");
        assert!(bare > 0, "they are not counted");
        assert!(
            logged <= bare + OF_LOGGING,
            "{logged} allocations, without a line {bare}"
        );
    }
}

/// It would see an allocation, if a line made one.
#[test]
fn an_interceptor_that_waits_costs_more() {
    struct Passes;
    impl Interceptor for Passes {
        async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
            next.run(call).await
        }
    }
    let bare = median(Interceptors::none(), None);
    let waits = median(Interceptors::none().with(Passes), None);
    assert!(
        waits > bare + OF_LOGGING,
        "{waits} allocations, without it {bare}"
    );
}
