//! TLS: who gets a connection, and how long it may take.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authority;
mod common;

use std::time::Duration;

use apibase::{Server, Tls};
use authority::{Authority, Client, Issued};
use common::{
    Answer, EchoReply, EchoServiceServer, Log, RawClient, Running, Scripted, ask, frame,
    log_of_all, post, soon,
};
use rustls::{ProtocolVersion, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any test takes: what ends sooner didn't wait for it.
const LONG: Duration = Duration::from_secs(3600);

/// Passes soon, and is longer than an honest peer takes on a busy machine.
const SHORT: Duration = Duration::from_millis(500);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// The start of a `ClientHello`: a record of 512 bytes, of which none come.
const HALF_A_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00";

/// A server with a certificate, and a client that trusts it.
async fn secured(settings: impl FnOnce(Server) -> Server) -> (Running, Client) {
    let authority = Authority::new("CA");
    let Issued { chain, key } = authority.server();
    let server = Running::with(Scripted::new(), |server| {
        settings(server.tls(Tls::from_pem(chain, key)))
    });
    (server.await, authority.client())
}

/// Waits until the server has closed the connection, whatever it sent before that.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn a_call_over_tls_is_answered() {
    let (server, client) = secured(|server| server).await;
    let stream = client.connect(server.addr).await.unwrap();
    let (_, connection) = stream.get_ref();
    assert_eq!(connection.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(
        connection.protocol_version(),
        Some(ProtocolVersion::TLSv1_3)
    );
    RawClient::over(stream).await.lives().await;
}

#[tokio::test]
async fn a_large_message_goes_both_ways() {
    let (server, client) = secured(|server| server).await;
    let mut raw = client.raw(server.addr).await;
    let (response, mut body) = raw.open(post("Echo"), false).await;
    body.send_data(frame(&ask(vec![7; 1 << 20])), true).unwrap();
    let answer = Answer::read(soon(response).await.unwrap()).await;
    assert_eq!(answer.messages::<EchoReply>()[0].payload, vec![7; 1 << 20]);
}

#[tokio::test]
async fn tls_1_2_is_taken_too() {
    let (server, mut client) = secured(|server| server).await;
    client.version = &version::TLS12;
    let stream = client.connect(server.addr).await.unwrap();
    let version = stream.get_ref().1.protocol_version();
    assert_eq!(version, Some(ProtocolVersion::TLSv1_2));
    RawClient::over(stream).await.lives().await;
}

#[tokio::test]
#[cfg(unix)]
async fn a_unix_socket_is_encrypted_too() {
    let authority = Authority::new("CA");
    let Issued { chain, key } = authority.server();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.sock");
    let server = Server::new().add_servicer(EchoServiceServer::new(Scripted::new()));
    let server = server.unix_socket(&path).tls(Tls::from_pem(chain, key));
    let bound = server.bind().await.unwrap();
    let serving = tokio::spawn(bound.serve_until(std::future::pending()));
    let stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(authority.client().config());
    let name = "localhost".try_into().unwrap();
    let stream = soon(connector.connect(name, stream)).await.unwrap();
    RawClient::over(stream).await.lives().await;
    serving.abort();
}

#[tokio::test]
async fn a_client_that_trusts_somebody_else_goes_away() {
    let log = log_of_all();
    let (server, client) = secured(|server| server).await;
    let other = Authority::new("other CA").client();
    let error = other.connect(server.addr).await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    client.raw(server.addr).await.lives().await;
    is_told_quietly(&log, "a connection was closed").await;
}

#[tokio::test]
async fn who_offers_another_protocol_gets_the_alert() {
    let (server, mut client) = secured(|server| server).await;
    client.alpn = vec![b"http/1.1".to_vec()];
    for version in [&version::TLS13, &version::TLS12] {
        client.version = version;
        let error = client.connect(server.addr).await.unwrap_err();
        let alert =
            "received fatal alert: the peer does not support any known application protocol";
        let told = error.to_string().to_lowercase();
        assert!(
            told.contains("noapplicationprotocol") || told.contains(alert),
            "{told}"
        );
    }
}

#[tokio::test]
async fn who_offers_no_protocol_is_closed() {
    let log = log_of_all();
    let (server, mut client) = secured(|server| server.handshake_timeout(LONG)).await;
    client.alpn.clear();
    assert_eq!(client.refused(server.addr).await, "closed");
    is_told_quietly(&log, "its ALPN lacks `h2`").await;
}

#[tokio::test]
async fn a_plaintext_client_is_closed() {
    let log = log_of_all();
    let (server, client) = secured(|server| server.handshake_timeout(LONG)).await;
    let stream = TcpStream::connect(server.addr).await.unwrap();
    assert!(soon(RawClient::try_over(stream)).await.is_none());
    client.raw(server.addr).await.lives().await;
    is_told_quietly(&log, "what came is not TLS").await;
}

/// What a peer does wrong is told, and nobody is woken up by it.
async fn is_told_quietly(log: &Log, what: &str) {
    let telling = async {
        loop {
            let lines = log.own_lines();
            if let Some(told) = lines.iter().find(|line| line.contains(what)) {
                return told.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let told = soon(telling).await;
    assert!(told.contains("DEBUG"), "{told}");
    let lines = log.own_lines();
    assert!(
        !lines.iter().any(|line| line.contains(" WARN ")),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_hello_that_stalls_is_cut_off_after_the_handshake_timeout() {
    let (server, client) = secured(|server| server.handshake_timeout(SHORT)).await;
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    let mut half = TcpStream::connect(server.addr).await.unwrap();
    half.write_all(HALF_A_HELLO).await.unwrap();
    closed(&mut silent).await;
    closed(&mut half).await;
    client.raw(server.addr).await.lives().await;
}

#[tokio::test]
async fn who_is_silent_after_the_handshake_is_cut_off_too() {
    let (server, client) = secured(|server| server.handshake_timeout(SHORT)).await;
    let mut stream = client.connect(server.addr).await.unwrap();
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn the_handshake_and_the_preface_have_one_time_together() {
    let (server, client) = secured(|server| server.handshake_timeout(SHORT * 4)).await;
    let start = std::time::Instant::now();
    let stream = TcpStream::connect(server.addr).await.unwrap();
    tokio::time::sleep(SHORT * 3).await;
    let connector = tokio_rustls::TlsConnector::from(client.config());
    let name = "localhost".try_into().unwrap();
    // On a busy machine its time may be over already.
    if let Ok(mut stream) = soon(connector.connect(name, stream)).await {
        let _ = soon(stream.read_to_end(&mut Vec::new())).await;
    }
    let took = start.elapsed();
    assert!(
        took < SHORT * 6,
        "the preface got a time of its own: {took:?}"
    );
}

#[tokio::test]
async fn a_hello_that_stalls_does_not_hold_up_the_end() {
    let (server, _client) = secured(|server| server.handshake_timeout(LONG).grace(LONG)).await;
    let mut half = TcpStream::connect(server.addr).await.unwrap();
    half.write_all(HALF_A_HELLO).await.unwrap();
    // So that the server has taken it in.
    tokio::time::sleep(SHORT / 5).await;
    soon(server.stop()).await.unwrap();
}

/// A frame of PING, as what answers it.
const PONG: [u8; 9] = [0, 0, 8, 6, 1, 0, 0, 0, 0];

#[tokio::test]
async fn the_end_of_a_connection_is_told_by_tls_too() {
    let (server, client) = secured(|server| server.grace(LONG)).await;
    let mut stream = client.connect(server.addr).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&EMPTY_SETTINGS).await.unwrap();
    let mut stopping = Some(server);
    let mut head = [0; 9];
    // Without the `close_notify` of the server the end would be an error: it looks like an attack.
    while soon(stream.read(&mut head[..1])).await.unwrap() > 0 {
        stream.read_exact(&mut head[1..]).await.unwrap();
        let mut payload = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
        stream.read_exact(&mut payload).await.unwrap();
        if let Some(server) = stopping.take() {
            drop(server.stop());
        }
        if (head[3], head[4]) == (PONG[3], 0) {
            stream
                .write_all(&[&PONG[..], &payload].concat())
                .await
                .unwrap();
        }
    }
    assert!(stopping.is_none());
}

#[tokio::test]
async fn nothing_shows_the_key() {
    let log = log_of_all();
    let authority = Authority::new("CA");
    let own = authority.server();
    let tls = Tls::from_pem(own.chain.as_str(), own.key.as_str()).client_ca_pem(authority.pem());
    let server = Server::new().tls(tls.clone());
    let shown = format!(
        "{tls:?} {server:?} {} {:?}",
        server.describe(),
        server.describe()
    );
    let running = Running::with(Scripted::new(), |server| server.tls(tls)).await;
    let client = authority.client().showing(&own);
    client.raw(running.addr).await.lives().await;
    let told = log.lines().join("\n");
    assert!(told.contains("serving over TLS"), "{told}");
    for line in own.key.lines().filter(|line| line.len() > 16) {
        assert!(
            line.contains("PRIVATE KEY") || !shown.contains(line),
            "{shown}"
        );
        assert!(!told.contains(line), "{told}");
    }
    assert!(!shown.contains("PRIVATE"), "{shown}");
}
