//! A client that keeps to HTTP/2 and to nothing else.

use std::net::SocketAddr;

use apibase::Code;
use apibase::prost::Message;
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::{EchoReply, ask, soon};

/// What a connection goes over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// One HTTP/2 connection.
pub(crate) struct RawClient {
    requests: SendRequest<Bytes>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

/// The head of a gRPC request to a method of the echo service.
pub(crate) fn post(method: &str) -> http::request::Builder {
    post_to(&format!("/echo.EchoService/{method}"))
}

/// The head of a gRPC request to this path.
pub(crate) fn post_to(path: &str) -> http::request::Builder {
    Request::post(format!("http://localhost{path}"))
        .header("te", "trailers")
        .header("content-type", "application/grpc")
}

/// `message` as one frame.
pub(crate) fn frame(message: &impl Message) -> Bytes {
    let payload = message.encode_to_vec();
    frame_of(0, u32::try_from(payload.len()).unwrap(), &payload)
}

/// A frame with these flags, that says that it has this length, and this payload.
pub(crate) fn frame_of(flags: u8, length: u32, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(flags);
    frame.put_u32(length);
    frame.put_slice(payload);
    frame.freeze()
}

impl RawClient {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream).await
    }

    /// Speaks over `stream`.
    pub(crate) async fn over(stream: impl Stream) -> Self {
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self { requests }
    }

    /// The same, where the server may close it at once.
    pub(crate) async fn try_over(stream: impl Stream) -> Option<Self> {
        let (requests, connection) = h2::client::handshake(stream).await.ok()?;
        tokio::spawn(connection);
        let mut client = Self { requests };
        let head = post("Echo").body(()).unwrap();
        let (response, mut body) = client.requests.send_request(head, false).ok()?;
        body.send_data(frame(&ask("")), true).ok()?;
        soon(response).await.ok()?;
        Some(client)
    }

    /// What sends requests on this connection.
    pub(crate) fn requests(&self) -> SendRequest<Bytes> {
        self.requests.clone()
    }

    /// Sends the head of a request.
    pub(crate) async fn open(
        &mut self,
        head: http::request::Builder,
        end: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let mut ready = soon(self.requests.clone().ready()).await.unwrap();
        ready.send_request(head.body(()).unwrap(), end).unwrap()
    }

    /// Sends a request whose body are these DATA frames, and reads the answer.
    pub(crate) async fn call(
        &mut self,
        head: http::request::Builder,
        body: impl IntoIterator<Item = Bytes>,
    ) -> Answer {
        let (response, mut stream) = self.open(head, false).await;
        for data in body {
            // The server may have answered already, and want no more.
            let _ = stream.send_data(data, false);
        }
        let _ = stream.send_data(Bytes::new(), true);
        Answer::read(soon(response).await.unwrap()).await
    }

    /// Calls `Echo` as one should, on this connection, and gets what one should.
    pub(crate) async fn lives(&mut self) {
        let answer = self.call(post("Echo"), [frame(&ask("alive"))]).await;
        assert_eq!(answer.code(), Code::Ok, "{answer:?}");
        let [reply] = &answer.messages::<EchoReply>()[..] else {
            panic!("not one reply: {answer:?}");
        };
        assert_eq!(reply.payload, b"alive");
    }
}

impl Answer {
    pub(crate) async fn read(response: Response<RecvStream>) -> Self {
        let (head, mut stream) = response.into_parts();
        let mut body = BytesMut::new();
        while let Some(data) = soon(stream.data()).await {
            let data = data.unwrap();
            stream.flow_control().release_capacity(data.len()).unwrap();
            body.put(data);
        }
        Self {
            status: head.status,
            headers: head.headers,
            body: body.freeze(),
            trailers: soon(stream.trailers()).await.unwrap(),
        }
    }

    /// The one `grpc-status`, which stands in the headers or in the trailers.
    pub(crate) fn code(&self) -> Code {
        let trailers = self.trailers.as_ref();
        let status: Vec<_> = [Some(&self.headers), trailers]
            .into_iter()
            .flatten()
            .flat_map(|map| map.get_all("grpc-status"))
            .collect();
        let [status] = status[..] else {
            panic!("not one grpc-status: {self:?}");
        };
        Code::from_bytes(status.as_bytes())
    }

    /// The messages of the body.
    pub(crate) fn messages<M: Message + Default>(&self) -> Vec<M> {
        let mut messages = Vec::new();
        let mut rest = &*self.body;
        while let Some((prefix, after)) = rest.split_first_chunk::<5>() {
            let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
            let (message, after) = after.split_at(usize::try_from(length).unwrap());
            messages.push(M::decode(message).unwrap());
            rest = after;
        }
        messages
    }
}
