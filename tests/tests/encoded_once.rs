//! However often a call is sent, its request is mapped and encoded once, and its message is not copied:
//! what is sent again are the bytes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use apibase::codegen as rt;
use apibase::testing::{Fault, Faults, InProcess};
use apibase::{
    Caller, Code, Context, Grade, HedgingPolicy, MapError, Method, ProtobufMapper, RetryPolicy,
};
use bytes::{Buf, BufMut};
use common::{CollectReply, EchoReply, EchoRequest, EchoServiceServer, Outcome, Scripted, ask};
use futures_util::stream;
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType};

const SOON: RetryPolicy = RetryPolicy::up_to(4).initial_backoff(Duration::from_millis(10));

static METHODS: [Method; 2] = [
    Method::unary("/echo.EchoService/Echo")
        .no_side_effects()
        .retry(SOON),
    Method::client_stream("/echo.EchoService/Collect")
        .idempotent()
        .retry(SOON),
];
static HEDGED: [Method; 1] = [Method::unary("/echo.EchoService/Echo")
    .no_side_effects()
    .hedging(HedgingPolicy::up_to(4, Duration::from_millis(10)).non_fatal(&[Code::Unavailable]))];

/// What was done with a message.
#[derive(Debug, Default)]
struct Counts {
    mapped: AtomicU32,
    encoded: AtomicU32,
    copied: AtomicU32,
}

impl Counts {
    fn now(&self) -> [u32; 3] {
        [&self.mapped, &self.encoded, &self.copied].map(|count| count.load(SeqCst))
    }
}

/// A request that counts.
#[derive(Debug, Default)]
struct Counted {
    request: EchoRequest,
    counts: Arc<Counts>,
}

fn counted(payload: &str, counts: &Arc<Counts>) -> Counted {
    Counted {
        request: ask(payload),
        counts: Arc::clone(counts),
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.counts.copied.fetch_add(1, SeqCst);
        Self {
            request: self.request.clone(),
            counts: Arc::clone(&self.counts),
        }
    }
}

impl prost::Message for Counted {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        self.counts.encoded.fetch_add(1, SeqCst);
        self.request.encode_raw(buffer);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        self.request.merge_field(tag, wire_type, buffer, ctx)
    }

    fn encoded_len(&self) -> usize {
        self.request.encoded_len()
    }

    fn clear(&mut self) {
        self.request.clear();
    }
}

/// Maps it to itself, and counts.
struct Counting;

impl ProtobufMapper for Counting {
    type Entity = Counted;
    type Proto = Counted;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Iso;

    fn to_proto(entity: &Counted) -> Result<Counted, MapError> {
        Self::into_proto(entity.clone())
    }

    fn into_proto(entity: Counted) -> Result<Counted, MapError> {
        entity.counts.mapped.fetch_add(1, SeqCst);
        Ok(entity)
    }

    fn from_proto(proto: Counted) -> Result<Counted, MapError> {
        Ok(proto)
    }
}

/// A caller whose first two attempts fail: one is answered, one is lost.
fn twice_failing(methods: &'static [Method]) -> (Caller<Faults<InProcess>>, Faults<InProcess>) {
    let faults = Faults::new(InProcess::new(EchoServiceServer::new(Scripted::new())));
    faults
        .next(Fault::code(Code::Unavailable))
        .next(Fault::lost());
    (Caller::new(faults.clone(), methods), faults)
}

#[tokio::test(start_paused = true)]
async fn a_request_is_encoded_once_whatever_becomes_of_its_attempts() {
    for methods in [&METHODS[..1], &HEDGED[..]] {
        let (caller, faults) = twice_failing(methods);
        let counts = Arc::default();
        let ctx = Context::background();
        let request = counted("a", &counts);
        let answer: Outcome<EchoReply> = caller.unary(&ctx, &methods[0], request).await;
        assert_eq!(answer.unwrap().payload, b"a");
        assert_eq!(faults.counts().attempts, 3);
        assert_eq!(counts.now(), [0, 1, 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_entity_is_mapped_once_whatever_becomes_of_its_attempts() {
    let (caller, faults) = twice_failing(&METHODS);
    let counts = Arc::default();
    let ctx = Context::background();
    let mapped = caller.mapped(Counting, rt::plain());
    let answer: Outcome<EchoReply> = mapped.unary(&ctx, &METHODS[0], counted("a", &counts)).await;
    assert_eq!(answer.unwrap().payload, b"a");
    assert_eq!(faults.counts().attempts, 3);
    assert_eq!(counts.now(), [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn each_request_of_a_stream_is_mapped_and_encoded_once() {
    let (caller, faults) = twice_failing(&METHODS);
    let counts = Arc::default();
    let ctx = Context::background();
    let requests: Vec<_> = ["a", "b", "c"].map(|text| counted(text, &counts)).into();
    let mapped = caller.mapped(Counting, rt::plain());
    let requests = stream::iter(requests);
    let answer: Outcome<CollectReply> = mapped.client_stream(&ctx, &METHODS[1], requests).await;
    assert_eq!(answer.unwrap().payloads, b"abc");
    assert_eq!(faults.counts().attempts, 3);
    assert_eq!(counts.now(), [3, 3, 0]);
}
