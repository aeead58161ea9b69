//! What the tests of large errors share: a server that fails with them, and what is left on the wire.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use apibase::codegen::Inbound;
use apibase::prost_types::Any;
use apibase::{Code, Context, ErrorPolicy, Interceptors, Server, Streamed};
use apibase_tests::errors_calls::errors_calls::Stored;

use super::common::{
    OnTheWire, Parcel, ParcelError, ParcelServiceServer, ParcelServicer, RawClient, Running, When,
    parcel_frame, post_parcel,
};

/// What headers and trailers may take: gRPC's own default.
const LIMIT: usize = 8 * 1024;

/// What nobody waits for, in a build without optimizations.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a call is to fail.
#[derive(Clone)]
pub(crate) struct Failing {
    pub(crate) error: ParcelError,
    /// The servicer's own trailers.
    pub(crate) trailers: Vec<(String, String)>,
}

/// Fails as it was told last.
#[derive(Clone, Default)]
struct Large(Arc<Mutex<Option<Failing>>>);

impl Large {
    fn fail(&self, ctx: &Context) -> ParcelError {
        let Failing { error, trailers } = self.0.lock().unwrap().clone().unwrap();
        for (name, value) in trailers {
            ctx.response().set_trailer(&name, value).unwrap();
        }
        error
    }
}

impl ParcelServicer for Large {
    async fn put(&self, ctx: &Context, _: Parcel) -> Result<Parcel, ParcelError> {
        Err(self.fail(ctx))
    }

    async fn unpack(
        &self,
        ctx: &Context,
        request: Parcel,
    ) -> Result<Streamed<Parcel, ParcelError>, ParcelError> {
        Ok(Streamed::from_iter([Ok(request), Err(self.fail(ctx))]))
    }

    async fn put_all(&self, ctx: &Context, _: Inbound<Parcel>) -> Result<Stored, ParcelError> {
        Err(self.fail(ctx))
    }

    async fn weigh(
        &self,
        ctx: &Context,
        _: Inbound<Parcel>,
    ) -> Result<Streamed<Parcel, ParcelError>, ParcelError> {
        Err(self.fail(ctx))
    }
}

/// A server that fails with large errors, and a peer of it.
pub(crate) struct Peer {
    large: Large,
    raw: RawClient,
}

impl Peer {
    pub(crate) async fn start(policy: ErrorPolicy) -> Self {
        let large = Large::default();
        let server = Server::new()
            .add_servicer(ParcelServiceServer::new(large.clone()))
            .interceptors(Interceptors::none().with_errors(policy));
        let raw = Running::of(server).await.raw().await;
        Self { large, raw }
    }

    /// How a call fails with this, before the first reply and after it.
    pub(crate) async fn fail(&mut self, failing: Failing) -> [OnTheWire; 2] {
        *self.large.0.lock().unwrap() = Some(failing);
        let start = Instant::now();
        let at_once = self.call("Put").await;
        let later = self.call("Unpack").await;
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
        [at_once, later]
    }

    async fn call(&mut self, method: &str) -> OnTheWire {
        let head = post_parcel(method)
            .header("x-correlation-id", "c".repeat(128))
            .header(
                "traceparent",
                format!("00-{}-b7ad6b7169203331-01", "a".repeat(32)),
            );
        let request = [parcel_frame("", When::AtOnce)];
        let wire = self.raw.call(head, request).await.failed();
        assert!(wire.size() <= LIMIT, "{} bytes: {wire:?}", wire.size());
        wire
    }
}

/// What a failed call is to programs: its code, domain and reason.
pub(crate) fn reason(wire: &OnTheWire) -> (Code, String, String) {
    let info = wire.info();
    (wire.code, info.domain, info.reason)
}

/// A detail of a type that we don't write.
pub(crate) fn foreign(size: usize) -> Any {
    Any {
        type_url: "type.googleapis.com/google.rpc.Help".to_owned(),
        value: vec![b'a'; size],
    }
}
