//! The closed loop: the next call when one has ended.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::calls::{Call, Request};
use crate::connection::{self, Connection};
use crate::cpu;
use crate::h2::H2;
use crate::hpack::Code;
use crate::http1::Http1;
use crate::latency::Latencies;
use crate::peer::{Ended, Peer};

/// Longer than any call takes, under valgrind too.
const STUCK: Duration = Duration::from_secs(60);
/// The part of a timed run that doesn't count.
pub(crate) const WARM_UP: f64 = 0.25;

/// How much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Connections.
    pub connections: usize,
    /// Calls at once on each. HTTP/1.1, which has one, gets a connection for each.
    pub streams: usize,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (connections, streams) = text.split_once('x').unwrap_or((text, "1"));
        match (connections.parse(), streams.parse()) {
            (Ok(connections), Ok(streams)) if connections > 0 && streams > 0 => Ok(Self {
                connections,
                streams,
            }),
            _ => Err(format!("{text} is no shape, such as 8x64")),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.connections, self.streams)
    }
}

/// When it ends.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// After this time, beside a quarter of it to warm up. The server is the process of this id.
    After(Duration, u32),
    /// After so many calls.
    Calls(u64),
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Calls a second.
    pub rate: f64,
    /// Microseconds of CPU that the server took for a call.
    pub server_cpu: f64,
    /// The same of this generator.
    pub load_cpu: f64,
    /// Microseconds that half of the calls, 90% and 99% took at most.
    pub latencies: [f64; 3],
}

impl Figures {
    /// Of so many calls in this time, with what the server took for them, and this generator.
    pub(crate) fn of(
        calls: u64,
        time: Duration,
        [server, load]: [Duration; 2],
        latencies: &Latencies,
    ) -> Self {
        // Of none there is no cost of one: then the rate says it all.
        let microseconds = |time: Duration| time.as_secs_f64() * 1e6 / calls.max(1) as f64;
        Self {
            rate: calls as f64 / time.as_secs_f64(),
            server_cpu: microseconds(server),
            load_cpu: microseconds(load),
            latencies: [0.5, 0.9, 0.99].map(|share| latencies.quantile(share)),
        }
    }

    /// Whether no call has ended: somebody else had the machine all the while.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rate == 0.0
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p90, p99] = self.latencies;
        write!(f, "{} {} {} ", self.rate, self.server_cpu, self.load_cpu)?;
        write!(f, "{p50} {p90} {p99}")
    }
}

impl FromStr for Figures {
    type Err = Box<dyn Error>;

    fn from_str(text: &str) -> Result<Self, Box<dyn Error>> {
        let numbers: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
        match *numbers? {
            [rate, server_cpu, load_cpu, p50, p90, p99] => Ok(Self {
                rate,
                server_cpu,
                load_cpu,
                latencies: [p50, p90, p99],
            }),
            _ => Err(format!("these are no figures: {text}").into()),
        }
    }
}

/// Calls until the end.
///
/// # Errors
///
/// When a call fails, one is answered by another length than those before it, or a connection breaks.
pub fn run(
    address: SocketAddr,
    request: Request,
    shape: Shape,
    ending: Ending,
) -> Result<Figures, Box<dyn Error>> {
    match request.call {
        Call::Json => {
            let connections = shape.connections * shape.streams;
            let shape = Shape {
                connections,
                streams: 1,
            };
            Load::<Http1>::open(address, request, shape)?.run(ending)
        }
        _ => Load::<H2>::open(address, request, shape)?.run(ending),
    }
}

/// Makes one call and returns the bytes of its answer.
///
/// # Errors
///
/// As [`run`] has them.
pub fn once(address: SocketAddr, request: Request) -> Result<Vec<u8>, Box<dyn Error>> {
    let shape = Shape {
        connections: 1,
        streams: 1,
    };
    match request.call {
        Call::Json => Load::<Http1>::open(address, request, shape)?.once(),
        _ => Load::<H2>::open(address, request, shape)?.once(),
    }
}

/// Makes one call on each of so many connections; they stay open until what is returned is dropped.
///
/// # Errors
///
/// As [`run`] has them.
pub fn idle(
    address: SocketAddr,
    request: Request,
    connections: usize,
) -> Result<Box<dyn Send>, Box<dyn Error>> {
    let shape = Shape {
        connections,
        streams: 1,
    };
    let ending = Ending::Calls(connections as u64);
    Ok(match request.call {
        Call::Json => {
            let mut load = Load::<Http1>::open(address, request, shape)?;
            load.run(ending)?;
            Box::new(load)
        }
        _ => {
            let mut load = Load::<H2>::open(address, request, shape)?;
            load.run(ending)?;
            Box::new(load)
        }
    })
}

/// All connections, and what is counted.
struct Load<P> {
    poll: Poll,
    connections: Vec<Connection<P>>,
    streams: usize,
    buffer: Vec<u8>,
    ended: Vec<Ended>,
    latencies: Latencies,
    done: u64,
    /// Calls that may still be started.
    left: u64,
}

impl<P: Peer> Load<P> {
    fn open(address: SocketAddr, request: Request, shape: Shape) -> Result<Self, Box<dyn Error>> {
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(shape.connections);
        for number in 0..shape.connections {
            let token = Token(number);
            connections.push(Connection::open(
                &poll,
                token,
                address,
                request,
                shape.streams,
            )?);
        }
        Ok(Self {
            poll,
            connections,
            streams: shape.streams,
            buffer: vec![0; connection::BUFFER],
            ended: Vec::new(),
            latencies: Latencies::new(),
            done: 0,
            left: 0,
        })
    }

    fn once(mut self) -> Result<Vec<u8>, Box<dyn Error>> {
        self.connections
            .iter_mut()
            .for_each(|connection| connection.peer.keep());
        self.run(Ending::Calls(1))?;
        let mut connections = self.connections.iter_mut();
        let kept = connections.next().and_then(|first| first.peer.kept());
        Ok(kept.unwrap_or_default())
    }

    fn run(&mut self, ending: Ending) -> Result<Figures, Box<dyn Error>> {
        match ending {
            Ending::Calls(calls) => {
                self.left = calls;
                let started = Instant::now();
                self.start_all()?;
                while self.done < calls {
                    self.turn()?;
                }
                Ok(self.figures(started.elapsed(), Duration::ZERO, Duration::ZERO))
            }
            Ending::After(time, pid) => {
                self.left = u64::MAX;
                self.start_all()?;
                self.turn_until(Instant::now() + time.mul_f64(WARM_UP))?;
                self.latencies.clear();
                self.done = 0;
                let own = std::process::id();
                let before = (cpu::of(pid)?, cpu::of(own)?, Instant::now());
                self.turn_until(before.2 + time)?;
                let elapsed = before.2.elapsed();
                let (server, load) = (cpu::of(pid)? - before.0, cpu::of(own)? - before.1);
                Ok(self.figures(elapsed, server, load))
            }
        }
    }

    fn figures(&self, elapsed: Duration, server: Duration, load: Duration) -> Figures {
        Figures::of(self.done, elapsed, [server, load], &self.latencies)
    }

    fn start_all(&mut self) -> Result<(), Box<dyn Error>> {
        let now = Instant::now();
        for connection in &mut self.connections {
            for _ in 0..self.streams.min(self.left as usize) {
                self.left -= 1;
                connection.start(now);
            }
            connection.write()?;
        }
        Ok(())
    }

    fn turn_until(&mut self, end: Instant) -> Result<(), Box<dyn Error>> {
        let mut events = Events::with_capacity(self.connections.len());
        while self.turn_with(&mut events, end)? < end {}
        Ok(())
    }

    fn turn(&mut self) -> Result<(), Box<dyn Error>> {
        let mut events = Events::with_capacity(self.connections.len());
        let stuck = Instant::now() + STUCK;
        let before = self.done;
        if self.turn_with(&mut events, stuck)? >= stuck && self.done == before {
            return Err("no answer for a minute".into());
        }
        Ok(())
    }

    /// Reads and answers whatever is there, after at most the wait until `end`, and says what time it is.
    fn turn_with(&mut self, events: &mut Events, end: Instant) -> Result<Instant, Box<dyn Error>> {
        let wait = end.saturating_duration_since(Instant::now());
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            polled => polled?,
        }
        let mut now = Instant::now();
        for event in events.iter() {
            let Some(connection) = self.connections.get_mut(event.token().0) else {
                continue;
            };
            loop {
                let read = connection.read(&mut self.buffer, &mut self.ended)?;
                now = Instant::now();
                for ended in self.ended.drain(..) {
                    if ended.code != Code::Ok {
                        return Err(format!("a call failed: {:?}", ended.code).into());
                    }
                    self.done += 1;
                    self.latencies.add(now - ended.started);
                    if self.left > 0 {
                        self.left -= 1;
                        connection.start(now);
                    }
                }
                connection.write()?;
                // A read that didn't fill the buffer has left nothing.
                if read < self.buffer.len() {
                    break;
                }
            }
        }
        Ok(now)
    }
}
