//! Messages that have to wait for a server's window.

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{FlowControl, RecvStream};
use http::{Request, Response};
use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::{Attempt, Channel, ChannelOptions, Code, RequestStream, Transport};
use super::{channel, read, request, settle};
use crate::client::channel::{Connecting, Connector, IoStream};
use crate::wire::status;

/// Somebody to connect to, once.
struct Once(Mutex<Option<DuplexStream>>);

impl Connector for Once {
    fn connect<'a>(&'a self, _: &'a str) -> Connecting<'a> {
        let stream = self.0.lock().unwrap().take();
        Box::pin(async move {
            let stream = stream.ok_or(io::ErrorKind::ConnectionRefused)?;
            Ok(Box::new(stream) as Box<dyn IoStream>)
        })
    }
}

type Call = (Request<RecvStream>, SendResponse<Bytes>);

/// A channel that has called a server by hand, and knows its settings.
async fn connect(builder: &mut Builder) -> (Channel, Connection<DuplexStream, Bytes>) {
    let (ours, theirs) = duplex(1 << 20);
    let connector = Once(Mutex::new(Some(ours)));
    let options = ChannelOptions {
        connector: Some(Arc::new(connector)),
        ..ChannelOptions::default()
    };
    let channel = channel("a:1", options);
    let mut first = send(&channel, 5);
    let mut server = builder.handshake(theirs).await.unwrap();
    let (_, mut respond) = server.accept().await.unwrap().unwrap();
    respond.send_response(ok(), true).unwrap();
    tokio::select! {
        _ = server.accept() => panic!("there is no other call"),
        code = &mut first => assert_eq!(code.unwrap(), Code::Ok),
    }
    (channel, server)
}

/// Calls with a message of so many bytes.
fn send(channel: &Channel, bytes: usize) -> JoinHandle<Code> {
    let channel = channel.clone();
    tokio::spawn(async move {
        let message = RequestStream::message(Bytes::from(vec![0; bytes]));
        let mut attempt = Attempt::first();
        let answer = channel.send(request(message), &mut attempt).await;
        read(answer.unwrap()).await.unwrap()
    })
}

/// An answer without a message.
fn ok() -> Response<()> {
    let mut head = Response::new(());
    status::write_ok(head.headers_mut());
    head
}

/// Reads what comes, and gives nothing of the window back.
async fn arrive(mut body: RecvStream, number: usize, whole: Arc<Mutex<Vec<usize>>>) {
    while let Some(data) = body.data().await {
        data.unwrap();
    }
    whole.lock().unwrap().push(number);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_waits_for_the_window_is_not_passed_by_a_later_one() {
    const SIZE: usize = 40_000;
    let (channel, mut server) = connect(&mut Builder::new()).await;
    let whole = Arc::default();
    let (accepted, mut flows) = tokio::sync::mpsc::unbounded_channel::<FlowControl>();
    let serving = tokio::spawn({
        let whole = Arc::clone(&whole);
        async move {
            let mut held: Vec<SendResponse<Bytes>> = Vec::new();
            while let Some(Ok((request, respond))) = server.accept().await {
                let (number, mut body) = (held.len(), request.into_body());
                accepted.send(body.flow_control().clone()).unwrap();
                tokio::spawn(arrive(body, number, Arc::clone(&whole)));
                held.push(respond);
            }
        }
    });
    let mut calls = Vec::new();
    for _ in 0..4 {
        calls.push(send(&channel, SIZE));
        settle().await;
    }
    // The connection's window is 65,535 bytes: the first is whole, the second in part.
    assert_eq!(*whole.lock().unwrap(), [0]);
    let mut first = flows.recv().await.unwrap();
    let mut second = flows.recv().await.unwrap();
    first.release_capacity(SIZE / 2).unwrap();
    settle().await;
    assert_eq!(*whole.lock().unwrap(), [0, 1]);
    // The third has a part by now, and there is room for it and for half of the fourth.
    first.release_capacity(SIZE / 2).unwrap();
    second.release_capacity(SIZE).unwrap();
    settle().await;
    assert_eq!(*whole.lock().unwrap(), [0, 1, 2]);
    serving.abort();
    for call in calls {
        call.abort();
    }
}

/// Accepts a call, and drives the connection on.
async fn accept(mut server: Connection<DuplexStream, Bytes>) -> (Call, JoinHandle<()>) {
    let call = server.accept().await.unwrap().unwrap();
    let driving = tokio::spawn(async move { while server.accept().await.is_some() {} });
    (call, driving)
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_a_call_whose_message_has_no_room() {
    let (channel, server) = connect(Builder::new().initial_window_size(0)).await;
    let calling = send(&channel, 40_000);
    let ((_request, mut respond), driving) = accept(server).await;
    respond.send_response(ok(), true).unwrap();
    settle().await;
    assert!(calling.is_finished(), "the answer is there");
    assert_eq!(calling.await.unwrap(), Code::Ok);
    driving.abort();
}

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_when_there_is_room_for_it_after_the_head_of_the_answer() {
    let (channel, mut server) = connect(Builder::new().initial_window_size(0)).await;
    let calling = send(&channel, 40_000);
    let (request, mut respond) = server.accept().await.unwrap().unwrap();
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    let (opened, opening) = tokio::sync::oneshot::channel();
    let driving = tokio::spawn(async move {
        let mut opening = Some(opening);
        let accepting = std::future::poll_fn(|cx| {
            if let Some(signal) = &mut opening
                && std::pin::Pin::new(signal).poll(cx).is_ready()
            {
                opening = None;
                server.set_initial_window_size(65_535).unwrap();
            }
            server.poll_accept(cx).map(|_| ())
        });
        accepting.await;
    });
    settle().await;
    assert!(!calling.is_finished());
    opened.send(()).unwrap();
    let mut body = request.into_body();
    let mut bytes = 0;
    while let Some(data) = body.data().await {
        bytes += data.unwrap().len();
    }
    assert_eq!(bytes, 40_000);
    let (trailers, ()) = ok().into_parts();
    stream.send_trailers(trailers.headers).unwrap();
    assert_eq!(calling.await.unwrap(), Code::Ok);
    driving.abort();
}
