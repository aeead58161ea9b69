//! The echo service by our stub, with everything on that a client has by default, and an observer that counts
//! what it hears, as metrics do.

apibase::include_protos!();

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use apibase::{ClientFactory, Context, Event, Observer, Replies};
use bench::echo::api::EchoServiceClient;
use bench::echo::{ListRequest, Payload};
use bench_load::{BoxError, Client};
use futures_util::{StreamExt, stream};

/// A stub over a channel.
#[derive(Clone, Debug)]
pub struct Apibase(EchoServiceClient);

/// How many calls began, how many ended, and how long they took together.
#[derive(Debug, Default)]
struct Counts {
    started: AtomicU64,
    ended: AtomicU64,
    attempts: AtomicU64,
    micros: AtomicU64,
}

impl Observer for Counts {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Started { .. } => {
                self.started.fetch_add(1, Relaxed);
            }
            Event::Attempt { .. } => {
                self.attempts.fetch_add(1, Relaxed);
            }
            Event::Ended { elapsed, .. } => {
                self.ended.fetch_add(1, Relaxed);
                let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
                self.micros.fetch_add(micros, Relaxed);
            }
            _ => {}
        }
    }
}

impl Client for Apibase {
    async fn connect(addresses: &[SocketAddr]) -> Result<Self, BoxError> {
        let addresses: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
        let target = format!("http://{}", addresses.join(","));
        let clients = ClientFactory::from_env()?.observer(Arc::new(Counts::default()));
        Ok(Self(EchoServiceClient::new(clients.connect(target).await?)))
    }

    async fn say(&self, data: Vec<u8>) -> Result<usize, BoxError> {
        let reply = self.0.say(&Context::background(), Payload { data }).await?;
        Ok(reply.data.len())
    }

    async fn list(&self, messages: u32, size: u32) -> Result<usize, BoxError> {
        let request = ListRequest { messages, size };
        bytes(self.0.list(&Context::background(), request).await?).await
    }

    async fn upload(&self, messages: u32, data: Vec<u8>) -> Result<usize, BoxError> {
        let requests = stream::iter(payloads(messages, data));
        let summary = self.0.upload(&Context::background(), requests).await?;
        Ok(usize::try_from(summary.bytes)?)
    }

    async fn chat(&self, messages: u32, data: Vec<u8>) -> Result<usize, BoxError> {
        let requests = stream::iter(payloads(messages, data));
        bytes(self.0.chat(&Context::background(), requests).await?).await
    }
}

fn payloads(messages: u32, data: Vec<u8>) -> impl Iterator<Item = Payload> + Send + 'static {
    (0..messages).map(move |_| Payload { data: data.clone() })
}

async fn bytes<E>(mut replies: Replies<Payload, E>) -> Result<usize, BoxError>
where
    E: apibase::ServiceError,
{
    let mut bytes = 0;
    while let Some(reply) = replies.next().await {
        bytes += reply?.data.len();
    }
    Ok(bytes)
}
