//! A ledger that keeps parts, and tells in a journal what becomes of its calls.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use apibase::{CallInFlight, Context, DomainError, Inbound, Server, ServerHandle, Streamed};
pub(crate) use apibase_tests::detached::detached::api::{
    LedgerServiceClient, LedgerServiceServer, LedgerServicer,
};
pub(crate) use apibase_tests::detached::detached::{Kept, Part};
use futures_util::StreamExt;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::common::{Entries, Journal, RawClient, journal, post_to, soon};

/// Keeps parts once its gate is open. A call writes `in`, and then `kept`, `failed: <code>` or, where it
/// is dropped before either, `dropped`; `gone` when its context says that its caller has gone.
#[derive(Clone)]
pub(crate) struct Ledger {
    journal: Journal,
    gate: Arc<Notify>,
    kept: Arc<AtomicU64>,
}

/// A ledger's outside.
pub(crate) struct Book {
    pub(crate) entries: Entries,
    pub(crate) gate: Arc<Notify>,
    kept: Arc<AtomicU64>,
}

impl Book {
    /// How many parts are kept.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::SeqCst)
    }
}

pub(crate) fn ledger() -> (Ledger, Book) {
    let (journal, entries) = journal();
    let (gate, kept) = (Arc::<Notify>::default(), Arc::<AtomicU64>::default());
    let book = Book {
        entries,
        gate: Arc::clone(&gate),
        kept: Arc::clone(&kept),
    };
    let ledger = Ledger {
        journal,
        gate,
        kept,
    };
    (ledger, book)
}

pub(crate) fn part(name: &str) -> Part {
    Part { name: name.into() }
}

impl Ledger {
    async fn keep_one(&self, ctx: &Context, part: Part) -> Result<Kept, DomainError> {
        let dropped = self.journal.on_drop("dropped");
        self.journal.write("in");
        let (told, journal) = (ctx.clone(), self.journal.clone());
        let telling = tokio::spawn(async move {
            told.cancelled().await;
            journal.write("gone");
        });
        self.gate.notified().await;
        telling.abort();
        dropped.disarm();
        assert!(part.name != "panic", "a part that panics");
        self.kept.fetch_add(1, Ordering::SeqCst);
        self.journal.write("kept");
        Ok(Kept { parts: 1 })
    }

    /// Reads all, and then keeps all.
    async fn keep_whole(&self, mut parts: Inbound<Part>) -> Result<Kept, DomainError> {
        let dropped = self.journal.on_drop("dropped");
        self.journal.write("in");
        let mut count = 0;
        let end = loop {
            match parts.message().await {
                Ok(Some(_)) => count += 1,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        dropped.disarm();
        if let Err(error) = end {
            self.journal.write(format!("failed: {:?}", error.code()));
            return Err(error.into());
        }
        self.kept.fetch_add(count, Ordering::SeqCst);
        self.journal.write("kept");
        Ok(Kept { parts: count })
    }
}

impl LedgerServicer for Ledger {
    async fn keep(&self, ctx: &Context, part: Part) -> Result<Kept, DomainError> {
        self.keep_one(ctx, part).await
    }

    async fn keep_soon(&self, ctx: &Context, part: Part) -> Result<Kept, DomainError> {
        self.keep_one(ctx, part).await
    }

    async fn keep_all(&self, _: &Context, parts: Inbound<Part>) -> Result<Kept, DomainError> {
        self.keep_whole(parts).await
    }

    async fn keep_all_now(&self, _: &Context, parts: Inbound<Part>) -> Result<Kept, DomainError> {
        self.keep_whole(parts).await
    }

    async fn keep_each(
        &self,
        _: &Context,
        parts: Inbound<Part>,
    ) -> Result<Streamed<Kept, DomainError>, DomainError> {
        let dropped = self.journal.on_drop("dropped");
        self.journal.write("in");
        Ok(Streamed::new(parts.map(move |part| {
            let _held = &dropped;
            part?;
            Ok(Kept { parts: 1 })
        })))
    }
}

/// A server of a ledger, on a port of its own.
pub(crate) struct Serving {
    pub(crate) addr: SocketAddr,
    handle: ServerHandle,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Serving {
    pub(crate) async fn start(ledger: Ledger, settings: impl FnOnce(Server) -> Server) -> Self {
        let server = Server::new().add_servicer(LedgerServiceServer::new(ledger));
        let server = settings(server).host(Ipv4Addr::LOCALHOST).port(0);
        let bound = server.bind().await.unwrap();
        let (addr, handle) = (bound.local_addr(), bound.handle());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(bound.serve_until(async move {
            let _ = stopped.await;
        }));
        Self {
            addr,
            handle,
            stop,
            serving,
        }
    }

    pub(crate) fn calls(&self) -> Vec<CallInFlight> {
        self.handle.calls()
    }

    /// Waits until the calls that run are so.
    pub(crate) async fn until(&self, are: impl Fn(&[CallInFlight]) -> bool) {
        let come = async {
            while !are(&self.calls()) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        soon(come).await;
    }

    pub(crate) async fn client(&self) -> LedgerServiceClient {
        let target = format!("http://{}", self.addr);
        soon(LedgerServiceClient::connect(target)).await.unwrap()
    }

    pub(crate) async fn raw(&self) -> RawClient {
        RawClient::connect(self.addr).await
    }

    /// Tells it to stop; what it gives back ends when it has.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        let _ = self.stop.send(());
        self.serving
    }
}

/// The head of a call of this method.
pub(crate) fn post_ledger(method: &str) -> http::request::Builder {
    post_to(&format!("/detached.LedgerService/{method}"))
}
