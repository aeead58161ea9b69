//! A server that keeps to HTTP/2 and to nothing else.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::net::TcpListener;

use super::{EchoServiceClient, soon};

/// Answers each request as a test says.
pub(crate) struct RawServer {
    pub(crate) addr: SocketAddr,
}

/// The head of a gRPC answer.
pub(crate) fn grpc_head() -> Response<()> {
    Response::builder()
        .header("content-type", "application/grpc")
        .body(())
        .unwrap()
}

/// These headers, or trailers.
pub(crate) fn trailers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

impl RawServer {
    pub(crate) async fn start<F>(
        answer: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> F + Clone + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    while let Some(Ok((request, response))) = connection.accept().await {
                        tokio::spawn(answer(request, response));
                    }
                });
            }
        });
        Self { addr }
    }

    pub(crate) async fn client(&self) -> EchoServiceClient {
        let target = format!("http://{}", self.addr);
        soon(EchoServiceClient::connect(target)).await.unwrap()
    }
}
