//! What the clients of a comparison share: their `main`, which calls, times and counts.

use std::fmt;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bench_harness::counted;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::cpu;
use crate::latency::Latencies;
use crate::run::{Figures, WARM_UP};

/// Messages of a call that is a stream.
const MESSAGES: u32 = 1_000;
/// Calls before those that are counted, for what a client makes once.
const UNCOUNTED: u64 = 200;
/// Longer than any number of calls takes, under valgrind too.
const STUCK: Duration = Duration::from_secs(600);

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A client of the echo service (`client-server/protos/bench/echo.proto`). Each call says how many bytes
/// came back, or arrived there, in all messages.
pub trait Client: Clone + Send + Sync + Sized + 'static {
    /// Connects to one server or to several that are the same.
    fn connect(addresses: &[SocketAddr]) -> impl Future<Output = Result<Self, BoxError>> + Send;

    /// One message, which comes back.
    fn say(&self, data: Vec<u8>) -> impl Future<Output = Result<usize, BoxError>> + Send;

    /// So many messages of this size come back.
    fn list(
        &self,
        messages: u32,
        size: u32,
    ) -> impl Future<Output = Result<usize, BoxError>> + Send;

    /// Sends the message so often.
    fn upload(
        &self,
        messages: u32,
        data: Vec<u8>,
    ) -> impl Future<Output = Result<usize, BoxError>> + Send;

    /// Sends the message so often, and each comes back.
    fn chat(
        &self,
        messages: u32,
        data: Vec<u8>,
    ) -> impl Future<Output = Result<usize, BoxError>> + Send;
}

/// What a call is: `say-1024`, `list-100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    kind: Kind,
    size: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Say,
    List,
    Upload,
    Chat,
}

impl Work {
    /// Messages of one call, in each direction that streams.
    #[must_use]
    pub fn messages(self) -> u32 {
        match self.kind {
            Kind::Say => 1,
            Kind::List | Kind::Upload | Kind::Chat => MESSAGES,
        }
    }

    async fn call<C: Client>(self, client: &C) -> Result<(), BoxError> {
        let (size, messages) = (self.size, self.messages());
        let data = || vec![7; size as usize];
        let bytes = match self.kind {
            Kind::Say => client.say(data()).await?,
            Kind::List => client.list(messages, size).await?,
            Kind::Upload => client.upload(messages, data()).await?,
            Kind::Chat => client.chat(messages, data()).await?,
        };
        match messages as usize * size as usize {
            wanted if wanted == bytes => Ok(()),
            wanted => Err(format!("{self} came to {bytes} bytes, not {wanted}").into()),
        }
    }
}

/// The `main` of a client: `ADDRESSES WORK CALLERS`, and then `after SECONDS PIDS`, which prints
/// [`Figures`], or `calls CALLS`, which prints how many allocations they made and of how many bytes.
/// Addresses, and the processes of their servers, have commas between them.
///
/// It calls from tasks of tokio's usual runtime, with one worker.
#[must_use]
pub fn client<C: Client>() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run::<C>(&arguments) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run<C: Client>(arguments: &[&str]) -> Result<String, BoxError> {
    let [addresses, work, callers, how, rest @ ..] = arguments else {
        return Err("arguments: ADDRESSES WORK CALLERS after|calls …".into());
    };
    let (work, callers) = (work.parse()?, callers.parse()?);
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = C::connect(&list(addresses)?).await?;
        match (*how, rest) {
            ("after", [seconds, servers]) => {
                let time = Duration::try_from_secs_f64(seconds.parse()?)?;
                let figures = after(&client, work, callers, time, &list(servers)?).await?;
                Ok(figures.to_string())
            }
            ("calls", [calls]) => {
                some(&client, work, callers, UNCOUNTED).await?;
                let before = counted();
                some(&client, work, callers, calls.parse()?).await?;
                let counted = counted().since(before);
                Ok(format!("{} {}", counted.allocations, counted.bytes))
            }
            _ => Err("it is `after SECONDS PIDS` or `calls CALLS`".into()),
        }
    })
}

/// Calls for this time, after a quarter of it to warm up.
async fn after<C: Client>(
    client: &C,
    work: Work,
    callers: usize,
    time: Duration,
    servers: &[u32],
) -> Result<Figures, BoxError> {
    let latencies = Arc::new(Mutex::new(Latencies::new()));
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (client, latencies) = (client.clone(), Arc::clone(&latencies));
        tasks.spawn(async move {
            loop {
                let started = Instant::now();
                work.call(&client).await?;
                locked(&latencies).add(started.elapsed());
            }
        });
    }
    wait(&mut tasks, time.mul_f64(WARM_UP)).await?;
    locked(&latencies).clear();
    let (started, before) = (Instant::now(), taken(servers)?);
    wait(&mut tasks, time).await?;
    let elapsed = started.elapsed();
    let (servers, own) = taken(servers)?;
    let latencies = locked(&latencies);
    let taken = [servers.saturating_sub(before.0), own - before.1];
    Ok(Figures::of(latencies.count(), elapsed, taken, &latencies))
}

/// The callers don't end; one that does has failed.
async fn wait(tasks: &mut JoinSet<Result<(), BoxError>>, time: Duration) -> Result<(), BoxError> {
    match timeout(time, tasks.join_next()).await {
        Err(_) => Ok(()),
        Ok(ended) => ended.ok_or("there is no caller")??,
    }
}

/// The CPU that the servers have taken, and this process.
fn taken(servers: &[u32]) -> Result<(Duration, Duration), BoxError> {
    let mut sum = Duration::ZERO;
    for server in servers {
        sum += cpu::of(*server)?;
    }
    Ok((sum, cpu::of(std::process::id())?))
}

fn locked(latencies: &Mutex<Latencies>) -> MutexGuard<'_, Latencies> {
    latencies.lock().unwrap_or_else(PoisonError::into_inner)
}

/// So many calls.
async fn some<C: Client>(
    client: &C,
    work: Work,
    callers: usize,
    calls: u64,
) -> Result<(), BoxError> {
    let started = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::<Result<(), BoxError>>::new();
    for _ in 0..callers {
        let (client, started) = (client.clone(), Arc::clone(&started));
        tasks.spawn(async move {
            while started.fetch_add(1, Ordering::Relaxed) < calls {
                work.call(&client).await?;
            }
            Ok(())
        });
    }
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    };
    timeout(STUCK, all).await?
}

fn list<T: FromStr>(text: &str) -> Result<Vec<T>, BoxError> {
    let items: Result<Vec<T>, T::Err> = text.split(',').map(str::parse).collect();
    items.map_err(|_| format!("{text:?} is no list of what it should be").into())
}

impl FromStr for Work {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text} is no call, such as say-16, list-100, upload-100 or chat-100");
        let (kind, size) = text.split_once('-').ok_or_else(wrong)?;
        let kind = match kind {
            "say" => Kind::Say,
            "list" => Kind::List,
            "upload" => Kind::Upload,
            "chat" => Kind::Chat,
            _ => return Err(wrong()),
        };
        let size = size.parse().map_err(|_| wrong())?;
        Ok(Self { kind, size })
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Say => "say",
            Kind::List => "list",
            Kind::Upload => "upload",
            Kind::Chat => "chat",
        };
        write!(f, "{kind}-{}", self.size)
    }
}
