//! [`Peer`]: a server that writes its frames by hand, so that it can stop between any two of them.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::{Connecting, Connector, IoStream, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::sleep;

use super::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, fields,
    frame,
};
use super::{Fault, Last, Point, Reset};
use crate::common;

/// Between what a server sends and what befalls the call then, where that is not at once.
const PAUSE: Duration = Duration::from_millis(5);

/// A server of calls of one kind, over a network in memory. Clones are the same.
#[derive(Clone)]
pub(crate) struct Peer(Arc<Shared>);

struct Shared {
    kind: Kind,
    /// What befalls the next call.
    next: watch::Sender<Option<Plan>>,
    seen: Mutex<Seen>,
}

#[derive(Clone, Copy)]
struct Plan {
    point: Point,
    fault: Fault,
    pause: bool,
}

/// What it has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    /// On which connection each call came whose head was read.
    pub(crate) calls: Vec<usize>,
    /// How many of them it has acted upon.
    pub(crate) acted: usize,
}

/// The last call on a connection.
#[derive(Default)]
struct Call {
    stream: u32,
    plan: Option<Plan>,
    acted: bool,
    /// Nothing more is done about it.
    ended: bool,
}

/// Whether the connection and the call on it go on.
enum Then {
    GoesOn,
    CallEnds,
    ConnectionEnds,
}

impl Peer {
    pub(crate) fn new(kind: Kind) -> Self {
        Self(Arc::new(Shared {
            kind,
            next: watch::channel(None).0,
            seen: Mutex::default(),
        }))
    }

    /// The next call meets `fault` at `point`: right behind what came before, or after a pause.
    pub(crate) fn arm(&self, point: Point, fault: Fault, pause: bool) {
        let plan = Plan {
            point,
            fault,
            pause,
        };
        self.0.next.send_replace(Some(plan));
    }

    /// What it has seen since it was last asked.
    pub(crate) fn take_seen(&self) -> Seen {
        let mut seen = self.0.seen.lock().unwrap();
        let connections = seen.connections;
        std::mem::replace(
            &mut seen,
            Seen {
                connections,
                ..Seen::default()
            },
        )
    }

    async fn serve(self, mut io: DuplexStream) -> io::Result<()> {
        let number = {
            let mut seen = self.0.seen.lock().unwrap();
            seen.connections += 1;
            seen.connections
        };
        let mut armed = self.0.next.subscribe();
        io.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
        io.read_exact(&mut [0; 24]).await?;
        let mut call = Call::default();
        loop {
            let read = tokio::select! {
                biased;
                Ok(()) = armed.changed() => None,
                read = Frame::read(&mut io) => Some(read?),
            };
            let then = match read {
                None => self.before_head(&mut call, &mut io).await?,
                Some(read) => self.heed(read, number, &mut call, &mut io).await?,
            };
            match then {
                Then::GoesOn => {}
                Then::CallEnds => call.ended = true,
                Then::ConnectionEnds => return Ok(()),
            }
        }
    }

    /// Nothing is read until the next call must have come.
    async fn before_head(&self, call: &mut Call, io: &mut DuplexStream) -> io::Result<Then> {
        let is_now = |plan: &Option<Plan>| plan.is_some_and(|plan| plan.point == Point::BeforeHead);
        if !is_now(&self.0.next.borrow()) {
            return Ok(Then::GoesOn);
        }
        *call = Call {
            stream: call.stream + 2,
            plan: self.0.next.send_replace(None),
            ..Call::default()
        };
        sleep(PAUSE).await;
        self.reach(call, Point::BeforeHead, io).await
    }

    async fn heed(
        &self,
        read: Frame,
        connection: usize,
        call: &mut Call,
        io: &mut DuplexStream,
    ) -> io::Result<Then> {
        match read.kind {
            SETTINGS if !read.has(ACK) => io.write_all(&frame(SETTINGS, ACK, 0, &[])).await?,
            PING if !read.has(ACK) => io.write_all(&frame(PING, ACK, 0, &read.payload)).await?,
            HEADERS => {
                self.0.seen.lock().unwrap().calls.push(connection);
                // Unless something has befallen it already.
                if read.stream != call.stream {
                    *call = Call {
                        stream: read.stream,
                        plan: self.0.next.send_replace(None),
                        ..Call::default()
                    };
                }
                return self.reach(call, Point::AfterHead, io).await;
            }
            _ if read.stream != call.stream || call.ended => {}
            DATA if read.has(END_STREAM) => match self.reach(call, Point::AfterUpload, io).await? {
                Then::GoesOn => return self.answer(call, io).await,
                then => return Ok(then),
            },
            DATA if call.is_to_meet(Point::AfterEarlyTrailers) => {
                return self.answer(call, io).await;
            }
            DATA => {
                return self.reach(call, Point::MidUpload, io).await;
            }
            _ => {}
        }
        Ok(Then::GoesOn)
    }

    async fn answer(&self, call: &mut Call, io: &mut DuplexStream) -> io::Result<Then> {
        self.act(call);
        let stream = call.stream;
        let data = |bytes: &[u8]| frame(DATA, 0, stream, bytes);
        let [first, second] = [1, 2].map(|number| common::frame(&common::reply(number, "reply")));
        let (before, rest) = match self.0.kind {
            Kind::Unary | Kind::ClientStream => first.split_at(5),
            Kind::ServerStream | Kind::Bidi => (&first[..], &second[..]),
        };
        let (some, rest) = rest.split_at(rest.len() / 2);
        let mut head = vec![0x88];
        head.extend(fields(&[("content-type", "application/grpc")]));
        let status = fields(&[("grpc-status", "0")]);
        let mut parts = vec![
            (Point::Answered, frame(HEADERS, END_HEADERS, stream, &head)),
            (Point::BetweenData, data(before)),
            (Point::MidMessage, data(some)),
            (Point::AfterLast, data(rest)),
            (
                Point::AfterTrailers,
                frame(HEADERS, END_HEADERS | END_STREAM, stream, &status),
            ),
            (Point::AfterEarlyTrailers, Vec::new()),
        ];
        if call.plan.is_some_and(|plan| plan.fault == Fault::Closed) {
            // Not even the frame is whole.
            let whole = data(&[some, rest].concat());
            let cut = whole.len() - rest.len();
            parts[2].1 = whole[..cut].to_vec();
            parts[3].1 = whole[cut..].to_vec();
        }
        for (point, bytes) in parts {
            io.write_all(&bytes).await?;
            match self.reach(call, point, io).await? {
                Then::GoesOn => {}
                then => return Ok(then),
            }
        }
        Ok(Then::CallEnds)
    }

    fn act(&self, call: &mut Call) {
        if !std::mem::replace(&mut call.acted, true) {
            self.0.seen.lock().unwrap().acted += 1;
        }
    }

    /// The call has come to `point`: does what is to befall it there.
    async fn reach(
        &self,
        call: &mut Call,
        point: Point,
        io: &mut DuplexStream,
    ) -> io::Result<Then> {
        if !call.is_to_meet(point) {
            return Ok(Then::GoesOn);
        }
        let Some(Plan { fault, pause, .. }) = call.plan.take() else {
            return Ok(Then::GoesOn);
        };
        if pause {
            sleep(PAUSE).await;
        }
        if point != Point::BeforeHead && !fault.says_unprocessed() {
            self.act(call);
        }
        let stream = call.stream;
        let written = match fault {
            Fault::Closed => return Ok(Then::ConnectionEnds),
            Fault::Reset(reset) => frame(RST_STREAM, 0, stream, &reset.code().to_be_bytes()),
            Fault::Goodbye { last, .. } => {
                let last: u32 = match last {
                    Last::Below => stream - 2,
                    Last::At => stream,
                    Last::Above => u32::MAX >> 1,
                };
                let no_error = 0_u32;
                let payload = [last.to_be_bytes(), no_error.to_be_bytes()].concat();
                frame(GOAWAY, 0, 0, &payload)
            }
        };
        io.write_all(&written).await?;
        Ok(match fault {
            _ if fault.closes() => Then::ConnectionEnds,
            Fault::Goodbye {
                last: Last::At | Last::Above,
                ..
            } => Then::GoesOn,
            _ => Then::CallEnds,
        })
    }
}

impl Call {
    fn is_to_meet(&self, point: Point) -> bool {
        self.plan.is_some_and(|plan| plan.point == point)
    }
}

impl Reset {
    /// RFC 9113, 7.
    fn code(self) -> u32 {
        match self {
            Self::NoError => 0,
            Self::InternalError => 2,
            Self::Refused => 7,
            Self::Cancel => 8,
        }
    }
}

impl Connector for Peer {
    fn connect<'a>(&'a self, _: &'a str) -> Connecting<'a> {
        let (ours, theirs) = duplex(1 << 20);
        // Who is spoken to may have closed.
        let serving = self.clone();
        tokio::spawn(async move { drop(serving.serve(theirs).await) });
        Box::pin(async { Ok(Box::new(ours) as Box<dyn IoStream>) })
    }
}
