//! Connections: who gets one, for how long, and over what.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use apibase::{Address, Server};
use common::{
    EchoServiceServer, RawClient, Running, Scripted, ask, frame, journal, post, reply, soon,
};
use h2::client::SendRequest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// Passes soon, and is longer than an honest peer takes on a busy machine.
const SHORT: Duration = Duration::from_millis(500);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Waits until the server has closed the connection, whatever it sent before that.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await;
}

/// Connects until the server answers: what was closed frees its place a moment later.
async fn connected(addr: SocketAddr) -> RawClient {
    let connecting = async {
        loop {
            let stream = TcpStream::connect(addr).await.unwrap();
            if let Some(client) = RawClient::try_over(stream).await {
                return client;
            }
        }
    };
    soon(connecting).await
}

#[tokio::test]
async fn who_says_nothing_is_closed_after_the_handshake_timeout() {
    let server = Running::with(Scripted::new(), |server| server.handshake_timeout(SHORT)).await;
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    let mut half = TcpStream::connect(server.addr).await.unwrap();
    half.write_all(&PREFACE[..10]).await.unwrap();
    closed(&mut silent).await;
    closed(&mut half).await;
    server.raw().await.lives().await;
}

#[tokio::test]
async fn what_is_not_http_2_is_closed_at_its_first_byte() {
    let server = Running::with(Scripted::new(), |server| server.handshake_timeout(LONG)).await;
    for first in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01", b"X"] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream.write_all(first).await.unwrap();
        closed(&mut stream).await;
    }
    server.raw().await.lives().await;
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_its_place_is_free_again() {
    let server = Running::with(Scripted::new(), |server| server.max_connections(2)).await;
    let mut first = server.raw().await;
    let mut second = server.raw().await;
    first.lives().await;
    second.lives().await;
    closed(&mut TcpStream::connect(server.addr).await.unwrap()).await;
    first.lives().await;
    drop(second);
    connected(server.addr).await.lives().await;
}

#[tokio::test]
async fn one_peer_has_no_more_than_its_own_places() {
    let server = Running::with(Scripted::new(), |server| server.max_connections_per_peer(1)).await;
    let mut first = server.raw().await;
    first.lives().await;
    closed(&mut TcpStream::connect(server.addr).await.unwrap()).await;
    drop(first);
    connected(server.addr).await.lives().await;
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_closed() {
    let server = Running::with(Scripted::new(), |server| server.keepalive(SHORT / 5, SHORT)).await;
    let mut dead = TcpStream::connect(server.addr).await.unwrap();
    // The preface and empty SETTINGS, and nothing more for ever.
    dead.write_all(PREFACE).await.unwrap();
    dead.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    closed(&mut dead).await;
    server.raw().await.lives().await;
}

/// Waits until a connection takes no more calls.
async fn goes_away(requests: SendRequest<bytes::Bytes>) {
    let gone = async {
        while requests.clone().ready().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(gone).await;
}

#[tokio::test]
async fn an_old_connection_ends_and_its_calls_with_it_only_after_the_grace() {
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_echo(move |_, request| {
        journal.write("in");
        async move {
            if request.payload == b"slow" {
                tokio::time::sleep(SHORT * 3 / 2).await;
            } else if request.payload == b"hangs" {
                pending::<()>().await;
            }
            Ok(reply(7, ""))
        }
    });
    let server = Running::with(scripted, |server| {
        server.max_connection_age(SHORT, SHORT * 3)
    })
    .await;

    let mut client = server.raw().await;
    let slow = client.call(post("Echo"), [frame(&ask("slow"))]).await;
    assert_eq!(slow.code(), apibase::Code::Ok, "{slow:?}");
    goes_away(client.requests()).await;

    let mut client = server.raw().await;
    let _ = soon(entries.next()).await;
    let (response, mut body) = client.open(post("Echo"), false).await;
    body.send_data(frame(&ask("hangs")), true).unwrap();
    assert_eq!(soon(entries.next()).await, "in");
    soon(response).await.unwrap_err();
}

#[tokio::test]
async fn a_listener_that_is_handed_in_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = Server::new()
        .add_servicer(EchoServiceServer::new(Scripted::new()))
        .listener(listener);
    let bound = server.bind().await.unwrap();
    assert_eq!(*bound.address(), Address::Tcp(addr));
    let serving = tokio::spawn(bound.serve_until(pending()));
    RawClient::connect(addr).await.lives().await;
    serving.abort();
}

#[cfg(unix)]
mod unix {
    use tokio::net::UnixStream;
    use tokio::sync::oneshot;

    use super::*;

    fn server() -> Server {
        Server::new().add_servicer(EchoServiceServer::new(Scripted::new()))
    }

    #[tokio::test]
    async fn a_unix_socket_is_served_and_its_file_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("echo.sock");
        let bound = server().unix_socket(&path).bind().await.unwrap();
        assert_eq!(*bound.address(), Address::Unix(path.clone()));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(bound.serve_until(async { drop(stopped.await) }));
        let stream = UnixStream::connect(&path).await.unwrap();
        RawClient::over(stream).await.lives().await;
        drop(stop);
        soon(serving).await.unwrap();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_that_nobody_listens_at_is_replaced_and_another_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("echo.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a killed process leaves it behind");
        let first = server().unix_socket(&path).bind().await.unwrap();
        let error = server().unix_socket(&path).bind().await.unwrap_err();
        assert!(error.is_bind());
        assert!(error.to_string().contains("echo.sock"), "{error}");
        drop(first);

        std::fs::write(&path, "somebody's").unwrap();
        assert!(server().unix_socket(&path).bind().await.is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's");
    }
}
