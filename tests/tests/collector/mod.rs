//! A collector of OTLP that keeps what it gets.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::net::{Ipv4Addr, SocketAddr};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codec::CompressionEncoding;
use tonic::transport::Server;

struct Collector(mpsc::UnboundedSender<ResourceSpans>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        for spans in request.into_inner().resource_spans {
            self.0.send(spans).unwrap();
        }
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A collector on a port of its own, and what it gets.
pub(crate) async fn collector() -> (SocketAddr, mpsc::UnboundedReceiver<ResourceSpans>) {
    collector_at(Server::builder()).await
}

/// The same, by this server.
pub(crate) async fn collector_at(
    server: Server,
) -> (SocketAddr, mpsc::UnboundedReceiver<ResourceSpans>) {
    serve(server, |service| service).await
}

/// The same, which also takes what is compressed by gzip.
pub(crate) async fn collector_of_gzip() -> (SocketAddr, mpsc::UnboundedReceiver<ResourceSpans>) {
    let takes = |service: Service| service.accept_compressed(CompressionEncoding::Gzip);
    serve(Server::builder(), takes).await
}

type Service = TraceServiceServer<Collector>;

async fn serve(
    mut server: Server,
    set: impl FnOnce(Service) -> Service,
) -> (SocketAddr, mpsc::UnboundedReceiver<ResourceSpans>) {
    let (tell, told) = mpsc::unbounded_channel();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = server
        .add_service(set(TraceServiceServer::new(Collector(tell))))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    (addr, told)
}
