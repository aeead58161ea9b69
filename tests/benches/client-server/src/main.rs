//! The echo service by tonic's server as it comes: what the clients of a comparison call.

bench_harness::tonic_protos!();

use std::net::TcpListener;
use std::pin::Pin;
use std::process::ExitCode;

use futures_util::{Stream, StreamExt, stream};
use protos::bench::echo::echo_service_server::{EchoService, EchoServiceServer};
use protos::bench::echo::{ListRequest, Payload, Summary};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

fn main() -> ExitCode {
    bench_harness::serve(listen)
}

/// Serves until the process ends.
#[allow(
    clippy::expect_used,
    reason = "a bench without its figure is of no use"
)]
async fn listen(listener: TcpListener) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    // tonic leaves TCP_NODELAY to whoever hands in the listener.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tonic::transport::Server::builder()
        .add_service(EchoServiceServer::new(Echo))
        .serve_with_incoming(incoming)
        .await
        .expect("served");
}

struct Echo;

type Replies = Pin<Box<dyn Stream<Item = Result<Payload, Status>> + Send>>;

#[tonic::async_trait]
impl EchoService for Echo {
    async fn say(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    type ListStream = Replies;

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<Replies>, Status> {
        let ListRequest { messages, size } = request.into_inner();
        let data = vec![7; size as usize];
        let replies = (0..messages).map(move |_| Ok(Payload { data: data.clone() }));
        Ok(Response::new(Box::pin(stream::iter(replies))))
    }

    async fn upload(
        &self,
        requests: Request<Streaming<Payload>>,
    ) -> Result<Response<Summary>, Status> {
        let mut requests = requests.into_inner();
        let mut bytes = 0;
        while let Some(payload) = requests.message().await? {
            bytes += payload.data.len() as u64;
        }
        Ok(Response::new(Summary { bytes }))
    }

    type ChatStream = Replies;

    async fn chat(
        &self,
        requests: Request<Streaming<Payload>>,
    ) -> Result<Response<Replies>, Status> {
        Ok(Response::new(requests.into_inner().boxed()))
    }
}
