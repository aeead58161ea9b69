//! What tracing costs a call that nobody records.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod spans;

use apibase::{Context, Interceptors, TowerService, Tracing};
use bench_harness::{Counting, frame, read, request};
use common::{EchoServiceServer, Scripted, ask};
use http::HeaderValue;
use opentelemetry_sdk::trace::Sampler;
use prost::Message as _;
use spans::{client, recorded, served};
use tokio::runtime::{Builder, Runtime};
use tower_service::Service as _;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const WARM_UP: usize = 50;
const CALLS: usize = 101;
const NOT_RECORDED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// What any interceptor costs where a service is mounted: what dispatches a call is in a box, as it always is
/// on a server of our own.
const MOUNTED: u64 = 1;

type Served = TowerService<EchoServiceServer<Scripted>>;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn median(mut call: impl FnMut() -> u64) -> u64 {
    (0..WARM_UP).for_each(|_| _ = call());
    let mut counts: Vec<_> = (0..CALLS).map(|_| call()).collect();
    counts.sort_unstable();
    counts[CALLS / 2]
}

/// What a call allocates at a server with these around it, until its answer is read to the end.
fn at_server(chain: Interceptors, traceparent: Option<&'static str>) -> u64 {
    let server = EchoServiceServer::new(Scripted::new());
    let mut service: Served = server.into_service(chain).unwrap();
    let message = frame(&ask("payload").encode_to_vec());
    let runtime = runtime();
    median(|| {
        let mut request = request("/echo.EchoService/Echo", &message);
        if let Some(traceparent) = traceparent {
            let value = HeaderValue::from_static(traceparent);
            request.headers_mut().insert("traceparent", value);
        }
        let (allocations, ()) = bench_harness::allocations(|| {
            runtime.block_on(async {
                let answer = read(service.call(request).await.unwrap());
                assert!(answer.data.is_some(), "{answer:?}");
            });
        });
        allocations
    })
}

fn chain(tracing: Tracing) -> Interceptors {
    Interceptors::none().with_tracing(tracing)
}

#[test]
fn a_call_that_is_not_sampled_allocates_nothing_more_at_its_server() {
    let (off, spans, _provider) = recorded(Sampler::AlwaysOff);
    let (on, recorded_spans, _second) = recorded(Sampler::AlwaysOn);
    let bare = at_server(Interceptors::none(), None);
    let sampled_out = at_server(chain(off.clone()), None);
    let sampled = at_server(chain(on), None);
    println!("{bare} allocations, sampled out {sampled_out}, recorded {sampled}");
    assert!(bare > 0, "they are not counted");
    assert_eq!(sampled_out, bare + MOUNTED);
    assert!(sampled > bare, "what is recorded is kept somewhere");
    assert_eq!(spans.all().len(), 0);
    assert!(!recorded_spans.all().is_empty());

    // A caller that doesn't record: one for the parent that the sampler sees, none where the
    // sampler would say what the caller says.
    let bare = at_server(Interceptors::none(), Some(NOT_RECORDED));
    let asked = at_server(chain(off), Some(NOT_RECORDED));
    let (follows, _guard) = Tracing::from_env().unwrap();
    let followed = at_server(chain(follows), Some(NOT_RECORDED));
    println!("with a caller's trace: {bare} allocations, asked {asked}, not asked {followed}");
    assert!(asked <= bare + MOUNTED + 1, "{asked}, else {bare}");
    assert_eq!(followed, bare + MOUNTED);
}

#[test]
fn a_call_that_is_not_sampled_allocates_little_more_at_its_client() {
    let (off, _, _provider) = recorded(Sampler::AlwaysOff);
    let runtime = runtime();
    let count = |chain: Interceptors| {
        let _in = runtime.enter();
        let client = client(chain, served(Interceptors::none(), Scripted::new()));
        let ctx = Context::background();
        median(|| {
            let request = ask("payload");
            let call = async { client.echo(&ctx, request).await.unwrap() };
            // On this thread: the tests run side by side.
            let (allocations, _) = bench_harness::allocations(|| runtime.block_on(call));
            allocations
        })
    };
    let (bare, sampled_out) = (count(Interceptors::none()), count(chain(off)));
    println!("{bare} allocations, sampled out {sampled_out}");
    // What knows of the call, and the header that the server is told by.
    assert!(sampled_out <= bare + 2, "{sampled_out}, else {bare}");
}
