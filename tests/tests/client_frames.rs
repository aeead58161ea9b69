//! The client against servers that write HTTP/2 frame by frame.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "attacks/wire.rs"]
#[allow(dead_code, reason = "the attackers use the rest")]
mod wire;

mod common;

use std::sync::Arc;

use apibase::{CallOptions, Code, Context};
use apibase_tests::tonic_echo::echo::EchoReply;
use common::{EchoServiceClient, ask, reply, soon};
use futures_util::future::join_all;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use wire::{ACK, CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, SETTINGS};

/// A server of one connection: who dials again finds nobody.
struct Server {
    stream: TcpStream,
}

impl Server {
    /// Takes the connection of the client that is handed out, and does with it what `serve` says.
    async fn client<F>(serve: impl FnOnce(Self) -> F + Send + 'static) -> EchoServiceClient
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            drop(listener);
            stream.read_exact(&mut [0; PREFACE.len()]).await.unwrap();
            let mut server = Self { stream };
            server.write(&wire::settings(&[])).await;
            serve(server).await;
        });
        soon(EchoServiceClient::connect(target)).await.unwrap()
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The kind and the stream of the next frame; `None` when the client has closed.
    async fn next(&mut self) -> Option<(u8, u32)> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]).try_into().unwrap();
        self.stream.read_exact(&mut vec![0; length]).await.ok()?;
        if kind == SETTINGS && flags & ACK == 0 {
            self.write(&wire::settings_ack()).await;
        }
        Some((kind, u32::from_be_bytes(id)))
    }
}

/// Fields of an answer, after its status of 200.
fn head(flags: u8, stream: u32, fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = vec![0x88];
    block.extend(wire::literal(b"content-type", b"application/grpc"));
    for (name, value) in fields {
        block.extend(wire::literal(name, value));
    }
    wire::frame(HEADERS, flags, stream, &block)
}

/// What a server says whose deadline has passed too.
fn too_late(stream: u32) -> Vec<u8> {
    head(END_HEADERS | END_STREAM, stream, &[(b"grpc-status", b"4")])
}

fn answer(stream: u32, reply: &EchoReply) -> Vec<u8> {
    let mut answer = head(END_HEADERS, stream, &[]);
    answer.extend(wire::data(
        stream,
        false,
        &wire::grpc(&reply.encode_to_vec()),
    ));
    let status = wire::literal(b"grpc-status", b"0");
    answer.extend(wire::frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        stream,
        &status,
    ));
    answer
}

#[tokio::test]
async fn answers_to_calls_that_were_given_up_do_not_wear_a_connection_out() {
    // h2 remembers 50 of the streams that it has reset, and by default bears 1,024 answers to others.
    const GIVEN_UP: usize = 1200;
    let all_have_come = Arc::new(Notify::new());
    let have_come = Arc::clone(&all_have_come);
    let client = Server::client(async move |mut server| {
        let mut open = Vec::new();
        let mut reset = Vec::new();
        while let Some((kind, stream)) = server.next().await {
            match kind {
                HEADERS => open.push(stream),
                RST_STREAM if reset.len() < GIVEN_UP => {
                    open.retain(|open| *open != stream);
                    reset.push(stream);
                    if reset.len() == GIVEN_UP {
                        let late: Vec<u8> = reset.iter().copied().flat_map(too_late).collect();
                        server.write(&late).await;
                    }
                }
                _ => {}
            }
            if open.len() == GIVEN_UP {
                have_come.notify_one();
            }
            if reset.len() == GIVEN_UP {
                // After the late answers: whoever reads this has read those.
                for stream in open.drain(..) {
                    server.write(&answer(stream, &reply(7, ""))).await;
                }
            }
        }
    })
    .await;
    let ctx = Context::background();
    let calls = join_all((0..GIVEN_UP).map(|_| client.echo(&ctx, ask(""))));
    tokio::select! {
        outcomes = calls => panic!("nothing was answered: {:?}", outcomes.first()),
        () = soon(all_have_come.notified()) => {}
    }
    let reply = soon(client.echo(&ctx, ask(""))).await.unwrap();
    assert_eq!(reply.number, 7);
}

#[tokio::test]
async fn what_our_own_http2_gives_up_is_unavailable_and_no_word_of_the_server() {
    // The first stream of a client is 1.
    let length = |length| head(END_HEADERS, 1, &[(b"content-length", length)]);
    let continuations = wire::frame(CONTINUATION, 0, 1, &[]).repeat(1000);
    for (wrong, bytes, message) in [
        (
            "CONTINUATION after CONTINUATION",
            [head(0, 1, &[]), continuations].concat(),
            "the connection broke: connection error detected: detected excessive load",
        ),
        (
            "DATA of no stream",
            wire::data(0, false, b"a"),
            "the connection broke: connection error detected: unspecific protocol error",
        ),
        (
            "a length that is none",
            length(b"a"),
            "the stream broke: stream error detected: unspecific protocol error",
        ),
        (
            "more than the length",
            [length(b"1"), wire::data(1, true, &wire::grpc(b""))].concat(),
            "the stream broke: stream error detected: unspecific protocol error",
        ),
    ] {
        let client = Server::client(async move |mut server| {
            while let Some((kind, _)) = server.next().await {
                if kind == HEADERS {
                    server.write(&bytes).await;
                }
            }
        });
        let client = client.await.with(CallOptions::new().no_retry());
        let error = soon(client.echo(&Context::background(), ask(""))).await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{wrong}: {error}");
        assert!(error.to_string().contains(message), "{wrong}: {error}");
        assert!(error.is_transport(), "{wrong}: {error:?}");
        assert!(
            !error.is_not_processed(),
            "{wrong}: the server may have acted"
        );
    }
}
