//! An open loop: calls come as they come, whether those before them have ended or not.

use std::collections::VecDeque;
use std::error::Error;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::calls::Call;
use crate::connection::{BUFFER, Connection};
use crate::h2::H2;
use crate::hpack::Code;
use crate::latency::Latencies;
use crate::peer::Ended;

/// Calls that come at a steady rate, over some connections.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    /// What is called.
    pub call: Call,
    /// How often in a second.
    pub rate: f64,
    /// Over how many connections.
    pub connections: usize,
}

/// What became of the calls of one [`Offered`].
#[derive(Debug)]
pub struct Outcome {
    /// Calls that went well.
    pub served: Ending,
    /// Calls that were refused by `RESOURCE_EXHAUSTED`.
    pub refused: Ending,
    /// Calls that ended otherwise.
    pub failed: u64,
    /// Calls that hadn't ended when the time was over.
    pub open: u64,
}

/// Of calls that ended one way, how many there were and how long they took.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// How many.
    pub calls: u64,
    /// Microseconds that half of them, 90%, 99% and all took at most, from when they should have been
    /// sent.
    pub latencies: [f64; 4],
}

/// Offers all of these to one server for this time, and says what became of each.
///
/// # Errors
///
/// When a connection breaks.
pub fn offer(
    address: SocketAddr,
    offered: &[Offered],
    time: Duration,
) -> Result<Vec<Outcome>, Box<dyn Error>> {
    let mut poll = Poll::new()?;
    let (mut flows, mut connections) = (Vec::new(), Vec::new());
    for (number, flow) in offered.iter().enumerate() {
        let first = connections.len();
        for _ in 0..flow.connections {
            let token = Token(connections.len());
            let connection =
                Connection::<H2>::open(&poll, token, address, flow.call.into(), STREAMS)?;
            connections.push((number, connection));
        }
        let own = (first..connections.len()).collect();
        flows.push(Flow::new(own, flow.rate));
    }
    let mut events = Events::with_capacity(connections.len());
    let mut buffer = vec![0; BUFFER];
    let mut ended = Vec::new();
    let end = Instant::now() + time;
    loop {
        let mut now = Instant::now();
        if now >= end {
            return Ok(flows.into_iter().map(Flow::outcome).collect());
        }
        for flow in &mut flows {
            flow.start(now, &mut connections)?;
        }
        let next = flows.iter().map(|flow| flow.next).min().unwrap_or(end);
        match poll.poll(&mut events, Some(next.saturating_duration_since(now))) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            polled => polled?,
        }
        for event in events.iter() {
            let Some((number, connection)) = connections.get_mut(event.token().0) else {
                continue;
            };
            while connection.read(&mut buffer, &mut ended)? == buffer.len() {}
            now = Instant::now();
            connection.write()?;
            if let Some(flow) = flows.get_mut(*number) {
                ended.drain(..).for_each(|call| flow.end(&call, now));
            }
        }
    }
}

/// What a server must allow at once on a connection.
const STREAMS: usize = 100;

/// What is offered of one kind.
struct Flow {
    /// Its connections, the one that is next in front.
    connections: VecDeque<usize>,
    /// Between two calls.
    pause: Duration,
    next: Instant,
    started: u64,
    served: Latencies,
    refused: Latencies,
    failed: u64,
}

impl Flow {
    fn new(connections: VecDeque<usize>, rate: f64) -> Self {
        Self {
            connections,
            pause: Duration::from_secs_f64(1.0 / rate),
            next: Instant::now(),
            started: 0,
            served: Latencies::new(),
            refused: Latencies::new(),
            failed: 0,
        }
    }

    /// Starts what is due. Its time counts from when it was due.
    fn start(
        &mut self,
        now: Instant,
        connections: &mut [(usize, Connection<H2>)],
    ) -> Result<(), Box<dyn Error>> {
        while self.next <= now {
            self.connections.rotate_left(1);
            let place = self.connections.front().copied().unwrap_or_default();
            if let Some((_, connection)) = connections.get_mut(place) {
                connection.start(self.next);
                connection.write()?;
            }
            self.started += 1;
            self.next += self.pause;
        }
        Ok(())
    }

    fn end(&mut self, call: &Ended, now: Instant) {
        match call.code {
            Code::Ok => self.served.add(now - call.started),
            Code::Exhausted => self.refused.add(now - call.started),
            Code::Other => self.failed += 1,
        }
    }

    fn outcome(self) -> Outcome {
        let (served, refused) = (ending(&self.served), ending(&self.refused));
        Outcome {
            open: self.started - served.calls - refused.calls - self.failed,
            served,
            refused,
            failed: self.failed,
        }
    }
}

fn ending(latencies: &Latencies) -> Ending {
    Ending {
        calls: latencies.count(),
        latencies: [0.5, 0.9, 0.99, 1.0].map(|share| latencies.quantile(share)),
    }
}
