//! Channels over sockets: lists of servers, Unix sockets, and servers that rotate their connections.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::Duration;

use apibase::{CallOptions, Code, Context, Server, Target};
use common::{
    EchoServiceClient, EchoServiceServer, Nobody, RawServer, Running, Scripted, ask, frame,
    grpc_head, reply, soon, trailers,
};
use futures_util::future::join_all;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// The servers at these addresses, in plaintext.
fn list(addresses: &[std::net::SocketAddr]) -> EchoServiceClient {
    let texts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    EchoServiceClient::connect_lazy(Target::new(texts.join(",")).insecure()).unwrap()
}

#[tokio::test]
async fn rule_24_one_live_and_one_refused_server_fail_no_call() {
    let live = Running::start(Scripted::new()).await;
    let nobody = Nobody::new();
    for addresses in [[live.addr, nobody.addr], [nobody.addr, live.addr]] {
        let client = list(&addresses);
        for _ in 0..400 {
            soon(client.echo(&Context::background(), ask("")))
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn rule_24_each_of_three_servers_is_called_in_turn() {
    let numbered = |number| {
        RawServer::start(move |_, mut response| async move {
            let mut stream = response.send_response(grpc_head(), false).unwrap();
            stream.send_data(frame(&reply(number, "")), false).unwrap();
            let ok = trailers(&[("grpc-status", "0")]);
            stream.send_trailers(ok).unwrap();
        })
    };
    let servers = [numbered(0).await, numbered(1).await, numbered(2).await];
    let client = list(&servers.map(|server| server.addr));
    let ctx = Context::background();
    // Until all are connected to.
    let mut last = Vec::new();
    let met = async {
        while last.len() < 3 {
            let number = client.echo(&ctx, ask("")).await.unwrap().number;
            if !last.contains(&number) {
                last.push(number);
            }
        }
    };
    soon(met).await;
    let calls = (0..300).map(|_| client.echo(&ctx, ask("")));
    let mut count = [0; 3];
    for reply in join_all(calls).await {
        count[usize::try_from(reply.unwrap().number).unwrap()] += 1;
    }
    assert_eq!(count, [100; 3]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_a_target() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.sock");
    let server = Server::new()
        .add_servicer(EchoServiceServer::new(Scripted::new()))
        .unix_socket(&path);
    let bound = server.bind().await.unwrap();
    let serving = tokio::spawn(bound.serve_until(std::future::pending()));
    for target in [
        format!("unix:{}", path.display()),
        format!("unix://{}", path.display()),
    ] {
        let client = soon(EchoServiceClient::connect(target)).await.unwrap();
        let ctx = Context::background();
        soon(client.echo(&ctx, ask(""))).await.unwrap();
    }
    serving.abort();
    let gone = EchoServiceClient::connect(format!("unix:{}", folder.path().join("no").display()));
    assert!(!soon(gone).await.unwrap_err().is_target());
}

#[tokio::test]
async fn rule_27_a_server_that_rotates_its_connections_fails_no_call() {
    let server = Server::new()
        .add_servicer(EchoServiceServer::new(Scripted::new()))
        .max_connection_age(Duration::from_millis(150), Duration::from_secs(5));
    let server = Running::of(server).await;
    let client = server.client().await;
    let ctx = Context::background();
    let started = Instant::now();
    let callers = (0..8).map(|_| async {
        let mut calls = 0;
        while started.elapsed() < Duration::from_secs(3) {
            // One whose request crosses the server's last word is sent again.
            soon(client.echo(&ctx, ask(""))).await.unwrap();
            calls += 1;
        }
        calls
    });
    let calls: usize = join_all(callers).await.into_iter().sum();
    assert!(calls > 100, "{calls}");
}

#[tokio::test]
async fn a_client_that_is_dropped_closes_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let client = tokio::spawn(async move {
        let client = EchoServiceClient::connect(target).await.unwrap();
        let clone = client.clone();
        drop(client);
        sleep(Duration::from_millis(500)).await;
        drop(clone);
    });
    let (stream, _) = listener.accept().await.unwrap();
    let mut connection = h2::server::handshake(stream).await.unwrap();
    assert!(soon(connection.accept()).await.is_none());
    soon(client).await.unwrap();
}

#[tokio::test]
async fn rule_25_a_server_that_takes_connections_and_drops_them_is_not_dialled_without_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let client = EchoServiceClient::connect_lazy(target).unwrap();
    let client = client.with(CallOptions::new().no_retry());
    let dropping = tokio::spawn(async move {
        let mut taken = 0;
        loop {
            let accepted = tokio::time::timeout(Duration::from_secs(2), listener.accept());
            let Ok(accepted) = accepted.await else {
                return taken;
            };
            let (mut stream, _) = accepted.unwrap();
            // What was sent is read first, so that the end isn't a reset.
            stream.read_exact(&mut [0; 24]).await.unwrap();
            taken += 1;
        }
    });
    let started = Instant::now();
    let mut calls = 0;
    while started.elapsed() < Duration::from_secs(4) {
        let error = soon(client.echo(&Context::background(), ask(""))).await;
        assert_eq!(error.unwrap_err().code(), Code::Unavailable);
        calls += 1;
        tokio::task::yield_now().await;
    }
    drop(client);
    let dials = soon(dropping).await.unwrap();
    assert!(
        (1..=5).contains(&dials) && calls > 100,
        "{dials} of {calls}"
    );
}
