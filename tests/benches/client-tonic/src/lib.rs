//! The echo service by tonic's client: with a deadline on each call, and without one.

bench_harness::tonic_protos!();

use std::net::SocketAddr;
use std::time::Duration;

use bench_load::{BoxError, Client};
use futures_util::{StreamExt, stream};
use protos::bench::echo::echo_service_client::EchoServiceClient;
use protos::bench::echo::{ListRequest, Payload};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Streaming};

/// What the other side's proto says.
const DEADLINE: Duration = Duration::from_secs(30);

/// A plain channel.
#[derive(Clone, Debug)]
pub struct Tonic<const DEADLINES: bool>(EchoServiceClient<Channel>);

impl<const DEADLINES: bool> Tonic<DEADLINES> {
    /// The request, with what tonic's documentation says for a deadline: the server is told of it,
    /// and the channel's own timeout holds it.
    fn request<T>(message: T) -> Request<T> {
        let mut request = Request::new(message);
        if DEADLINES {
            request.set_timeout(DEADLINE);
        }
        request
    }

    fn endpoint(address: &SocketAddr) -> Result<Endpoint, BoxError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
        Ok(match DEADLINES {
            true => endpoint.timeout(DEADLINE),
            false => endpoint,
        })
    }
}

impl<const DEADLINES: bool> Client for Tonic<DEADLINES> {
    async fn connect(addresses: &[SocketAddr]) -> Result<Self, BoxError> {
        let channel = match addresses {
            [address] => Self::endpoint(address)?.connect().await?,
            several => {
                let endpoints: Result<Vec<_>, _> = several.iter().map(Self::endpoint).collect();
                Channel::balance_list(endpoints?.into_iter())
            }
        };
        Ok(Self(EchoServiceClient::new(channel)))
    }

    async fn say(&self, data: Vec<u8>) -> Result<usize, BoxError> {
        let mut client = self.0.clone();
        let reply = client.say(Self::request(Payload { data })).await?;
        Ok(reply.into_inner().data.len())
    }

    async fn list(&self, messages: u32, size: u32) -> Result<usize, BoxError> {
        let mut client = self.0.clone();
        let request = Self::request(ListRequest { messages, size });
        bytes(client.list(request).await?.into_inner()).await
    }

    async fn upload(&self, messages: u32, data: Vec<u8>) -> Result<usize, BoxError> {
        let mut client = self.0.clone();
        let request = Self::request(stream::iter(payloads(messages, data)));
        let summary = client.upload(request).await?.into_inner();
        Ok(usize::try_from(summary.bytes)?)
    }

    async fn chat(&self, messages: u32, data: Vec<u8>) -> Result<usize, BoxError> {
        let mut client = self.0.clone();
        let request = Self::request(stream::iter(payloads(messages, data)));
        bytes(client.chat(request).await?.into_inner()).await
    }
}

fn payloads(messages: u32, data: Vec<u8>) -> impl Iterator<Item = Payload> + Send + 'static {
    (0..messages).map(move |_| Payload { data: data.clone() })
}

async fn bytes(mut replies: Streaming<Payload>) -> Result<usize, BoxError> {
    let mut bytes = 0;
    while let Some(reply) = replies.next().await {
        bytes += reply?.data.len();
    }
    Ok(bytes)
}
