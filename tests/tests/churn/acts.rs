//! What peers do.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use apibase::{CallOptions, Code, Context};
use apibase_tests::protos::grpc::health::v1::HealthCheckRequest;
use apibase_tests::protos::grpc::health::v1::api::HealthClient;
use bytes::Bytes;
use fastrand::Rng;
use futures_util::{StreamExt, stream};
use h2::Reason;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::servicer::{ENDLESS, HANG, SLOW};
use crate::common::{
    CountRequest, EchoRequest, EchoServiceClient, RawClient, Running, ask, frame, once, post,
    post_to, soon,
};

/// What they do, by name, to count it.
const ACTS: [&str; 11] = [
    "came without a word",
    "called over a connection of their own",
    "called over one that lasts",
    "cancelled a call",
    "ran out of time",
    "left half an upload",
    "left a stream",
    "left a conversation",
    "reset streams",
    "watched the health",
    "were wrong",
];

/// How often what was done.
#[derive(Default)]
pub(crate) struct Acts([AtomicU64; ACTS.len()]);

impl fmt::Display for Acts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("peers")?;
        for (name, count) in ACTS.iter().zip(&self.0) {
            write!(f, "\n  {name}: {}", count.load(Ordering::Relaxed))?;
        }
        Ok(())
    }
}

/// All that peers share.
pub(crate) struct Peers {
    addr: SocketAddr,
    echo: EchoServiceClient,
    health: HealthClient,
    acts: Arc<Acts>,
}

impl Peers {
    pub(crate) async fn of(server: &Running, acts: &Arc<Acts>) -> Self {
        let channel = soon(once().connect(server.target())).await.unwrap();
        Self {
            addr: server.addr,
            echo: EchoServiceClient::new(channel.clone()),
            health: HealthClient::new(channel),
            acts: Arc::clone(acts),
        }
    }

    /// Does something.
    pub(crate) async fn act(&self, random: &mut Rng) {
        let act = random.usize(..ACTS.len());
        self.acts.0[act].fetch_add(1, Ordering::Relaxed);
        match act {
            0 => self.come_without_a_word(random).await,
            1 => self.call_over_an_own_connection(random).await,
            2 => self.call(random).await,
            3 => self.cancel(random).await,
            4 => self.run_out_of_time(random).await,
            5 => self.leave_half_an_upload(random).await,
            6 => self.leave_a_stream(random).await,
            7 => self.leave_a_conversation(random).await,
            8 => self.reset_streams(random).await,
            9 => self.watch(random).await,
            _ => self.be_wrong(random).await,
        }
    }

    /// A connection that goes at once, or after a part of the preface; politely or not.
    async fn come_without_a_word(&self, random: &mut Rng) {
        let mut stream = self.connect(random).await;
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let part = &preface[..random.usize(..=preface.len())];
        stream.write_all(part).await.unwrap();
        wait(random).await;
    }

    async fn call_over_an_own_connection(&self, random: &mut Rng) {
        let mut raw = self.raw(random).await;
        for _ in 0..random.usize(..5) {
            raw.lives().await;
        }
        // A call that nobody waits for goes with its connection.
        if random.bool() {
            let (_answer, mut body) = raw.open(post("Echo"), false).await;
            let _ = body.send_data(frame(&told(HANG)), true);
            wait(random).await;
        }
    }

    async fn call(&self, random: &mut Rng) {
        let size = random.usize(..20_000);
        let payload = vec![1; size];
        let echoed = soon(self.echo.echo(&Context::background(), ask(payload))).await;
        assert_eq!(echoed.unwrap().payload.len(), size);
        let many = soon(self.echo.count(&Context::background(), count(50, ""))).await;
        assert_eq!(soon(many.unwrap().count()).await, 50);
    }

    async fn cancel(&self, random: &mut Rng) {
        let word = if random.bool() { HANG } else { SLOW };
        let ctx = Context::background();
        let call = self.echo.echo(&ctx, told(word));
        let _ = timeout(moment(random), call).await;
    }

    async fn run_out_of_time(&self, random: &mut Rng) {
        let options = CallOptions::new().deadline(moment(random));
        let client = self.echo.with(options);
        let error = soon(client.echo(&Context::background(), told(HANG))).await;
        assert_eq!(error.unwrap_err().code(), Code::DeadlineExceeded);
    }

    async fn leave_half_an_upload(&self, random: &mut Rng) {
        let mut raw = self.raw(random).await;
        let (answer, mut body) = raw.open(post("Collect"), false).await;
        for _ in 0..random.usize(..20) {
            let _ = body.send_data(frame(&ask(vec![2; 1_000])), false);
        }
        // Half a message.
        let _ = body.send_data(Bytes::from_static(&[0, 0, 0, 1, 0, 7]), false);
        wait(random).await;
        match random.u8(..3) {
            0 => body.send_reset(Reason::CANCEL),
            1 => drop(answer),
            _ => {}
        }
        wait(random).await;
    }

    async fn leave_a_stream(&self, random: &mut Rng) {
        let ctx = Context::background();
        let call = self.echo.count(&ctx, count(0, ENDLESS));
        let replies = soon(call).await.unwrap();
        let some = replies.take(random.usize(..200)).count();
        soon(some).await;
    }

    async fn leave_a_conversation(&self, random: &mut Rng) {
        let said = stream::iter(0..20).then(|_| async {
            sleep(Duration::from_micros(100)).await;
            ask("said")
        });
        let ctx = Context::background();
        let call = self.echo.chat(&ctx, said);
        let replies = soon(call).await.unwrap();
        soon(replies.take(random.usize(..25)).count()).await;
    }

    async fn reset_streams(&self, random: &mut Rng) {
        let mut raw = self.raw(random).await;
        for _ in 0..random.usize(1..10) {
            let (answer, mut body) = raw.open(post("Echo"), false).await;
            let _ = body.send_data(frame(&told(HANG)), random.bool());
            if random.bool() {
                wait(random).await;
            }
            body.send_reset(Reason::CANCEL);
            drop(answer);
        }
    }

    async fn watch(&self, random: &mut Rng) {
        let request = HealthCheckRequest::default();
        let ctx = Context::background();
        let watched = self.health.watch(&ctx, request);
        let mut changes = soon(watched).await.unwrap();
        let first = soon(changes.next()).await;
        first.unwrap().unwrap();
        // The next one doesn't come.
        let _ = timeout(moment(random), changes.next()).await;
    }

    async fn be_wrong(&self, random: &mut Rng) {
        let mut raw = self.raw(random).await;
        let garbage: Vec<u8> = (0..random.usize(1..100)).map(|_| random.u8(..)).collect();
        let head = if random.bool() {
            post("Echo")
        } else {
            post_to("/no.Service/Method")
        };
        let answer = raw.call(head, [Bytes::from(garbage)]).await;
        assert_ne!(answer.code(), Code::Ok);
        raw.lives().await;
    }

    /// A socket that says goodbye when it is closed, or doesn't.
    async fn connect(&self, random: &mut Rng) -> TcpStream {
        let stream = soon(TcpStream::connect(self.addr)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        if random.bool() {
            stream.set_zero_linger().unwrap();
        }
        stream
    }

    async fn raw(&self, random: &mut Rng) -> RawClient {
        RawClient::over(self.connect(random).await).await
    }
}

fn told(behaviour: &str) -> EchoRequest {
    EchoRequest {
        payload: vec![3; 100],
        behaviour: behaviour.to_owned(),
    }
}

fn count(count: u64, behaviour: &str) -> CountRequest {
    CountRequest {
        count,
        behaviour: behaviour.to_owned(),
        ..CountRequest::default()
    }
}

/// None at all, or up to 5 ms.
fn moment(random: &mut Rng) -> Duration {
    Duration::from_micros(random.u64(..5_000))
}

async fn wait(random: &mut Rng) {
    if random.bool() {
        sleep(moment(random)).await;
    }
}
