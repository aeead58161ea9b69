//! A server whose process has no descriptors left.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use apibase::{Context, Server};
use common::{EchoServiceClient, EchoServiceServer, Scripted, ask};

/// How many descriptors the server may have.
const DESCRIPTORS: usize = 40;

/// Says to the process that is started that it is the server.
const IS_SERVER: &str = "ATTACKED_WITHOUT_DESCRIPTORS";

/// The deadline of honest calls, and when all has to be back.
const SOON: Duration = Duration::from_secs(5);

/// A server in a process of its own, which ends with this.
struct Serving {
    process: Child,
    addr: SocketAddr,
}

impl Serving {
    /// This test binary again, with few descriptors; it runs `serves` below.
    fn start() -> Self {
        let limit = format!("ulimit -n {DESCRIPTORS}; exec \"$0\" \"$@\"");
        let mut process = Command::new("sh")
            .args(["-c", &limit])
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "serves",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(IS_SERVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = output.lines().map(Result::unwrap);
        let line = lines.find_map(|line| Some(line.strip_prefix("serving at ")?.to_owned()));
        let addr = line.expect("it doesn't serve").parse().unwrap();
        Self { process, addr }
    }

    fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.process.id());
        fs::read_dir(folder).unwrap().count()
    }

    /// How long it has computed, in ticks of which a second has a hundred.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        // What comes after the name, which may have spaces in it; there the 12th and 13th.
        let (_, rest) = stat.rsplit_once(')').unwrap();
        let ticks = rest.split_whitespace().skip(11).take(2);
        ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    async fn client(&self) -> EchoServiceClient {
        EchoServiceClient::connect(format!("http://{}", self.addr))
            .await
            .unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn is_served(client: &EchoServiceClient) {
    let ctx = Context::background().with_timeout(SOON);
    assert_eq!(
        client.echo(&ctx, ask("honest")).await.unwrap().payload,
        b"honest"
    );
}

#[tokio::test]
async fn without_descriptors_who_is_there_is_served_and_afterwards_all_are() {
    let serving = Serving::start();
    let standing = serving.client().await;
    is_served(&standing).await;
    let before = serving.descriptors();

    // Most of them wait in the kernel to be accepted.
    let connect = |_| TcpStream::connect(serving.addr).unwrap();
    let attackers: Vec<_> = (0..2 * DESCRIPTORS).map(connect).collect();
    let started = Instant::now();
    while serving.descriptors() < DESCRIPTORS {
        assert!(
            started.elapsed() < SOON,
            "{} are open",
            serving.descriptors()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let ticks = serving.ticks();
    for _ in 0..20 {
        is_served(&standing).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let ticks = serving.ticks() - ticks;
    assert!(ticks < 100, "it spins: {ticks} ticks in two seconds");

    drop(attackers);
    let started = Instant::now();
    let newcomer = tokio::time::timeout(SOON, serving.client())
        .await
        .expect("nobody is accepted");
    is_served(&newcomer).await;
    is_served(&standing).await;
    drop(newcomer);
    while serving.descriptors() > before {
        assert!(
            started.elapsed() < SOON,
            "{} are open",
            serving.descriptors()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
#[ignore = "it is the server of the test above, which starts it in a process of its own"]
fn serves() {
    if std::env::var_os(IS_SERVER).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = Server::new().add_servicer(EchoServiceServer::new(Scripted::new()));
        let bound = server
            .host(Ipv4Addr::LOCALHOST)
            .port(0)
            .bind()
            .await
            .unwrap();
        println!("\nserving at {}", bound.local_addr());
        std::io::stdout().flush().unwrap();
        bound.serve_until(the_end_of_input()).await;
    });
}

/// Who has started this process has ended.
async fn the_end_of_input() {
    let read = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    read.await.unwrap().unwrap();
}
