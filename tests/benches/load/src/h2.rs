//! HTTP/2 with canned requests (RFC 9113).

use std::time::Instant;

use crate::calls::Request;
use crate::hpack::{Code, Statuses};
use crate::peer::{Ended, Length, Peer};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// Of DATA and HEADERS, and of SETTINGS and PING.
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
/// Of DATA and HEADERS; of HEADERS alone.
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// What a server may send before it is told of more: per stream, which is more than any answer has,
/// and per connection, where it is told after half of it.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// What both are by default.
const DEFAULT_WINDOW: u32 = 65_535;
/// The least frame that everybody takes.
const MAX_FRAME: usize = 16_384;

/// One connection over HTTP/2.
#[derive(Debug)]
pub(crate) struct H2 {
    /// All frames of the first call and of a later one, but for the ids of their streams.
    first: Frames,
    later: Frames,
    next_id: u32,
    running: Vec<Running>,
    /// Calls that wait for the connection's window.
    waiting: Vec<Instant>,
    /// What may still be sent.
    window: i64,
    /// What was received and not yet said.
    unsaid: u32,
    statuses: Statuses,
    length: Length,
    kept: Option<Vec<u8>>,
}

/// The frames of a request.
#[derive(Debug)]
struct Frames {
    bytes: Vec<u8>,
    /// Where their streams' ids are.
    ids: Vec<usize>,
    /// How much of it counts for windows.
    data: i64,
}

impl Frames {
    fn of(block: &[u8], body: &[Vec<u8>]) -> Self {
        let mut frames = Self {
            bytes: Vec::new(),
            ids: Vec::new(),
            data: 0,
        };
        frames.push(HEADERS, END_HEADERS, block);
        for (number, message) in body.iter().enumerate() {
            let is_last = number + 1 == body.len();
            frames.push(DATA, if is_last { END_STREAM } else { 0 }, message);
            frames.data += message.len() as i64;
        }
        frames
    }

    fn push(&mut self, kind: u8, flags: u8, payload: &[u8]) {
        self.ids.push(self.bytes.len() + HEAD - 4);
        frame(&mut self.bytes, kind, flags, 0, payload);
    }

    fn write(&self, id: u32, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        for at in &self.ids {
            if let Some(place) = out.get_mut(start + at..start + at + 4) {
                place.copy_from_slice(&id.to_be_bytes());
            }
        }
    }
}

#[derive(Debug)]
struct Running {
    id: u32,
    started: Instant,
    data: usize,
}

/// A frame that came in.
struct Frame<'a> {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &'a [u8],
}

impl Peer for H2 {
    fn open(request: Request, streams: usize, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(PREFACE);
        let mut settings = Vec::new();
        // No push, and the window of a stream.
        for (id, value) in [(2_u16, 0_u32), (4, STREAM_WINDOW)] {
            settings.extend_from_slice(&id.to_be_bytes());
            settings.extend_from_slice(&value.to_be_bytes());
        }
        frame(out, SETTINGS, 0, 0, &settings);
        let more = CONNECTION_WINDOW - DEFAULT_WINDOW;
        frame(out, WINDOW_UPDATE, 0, 0, &more.to_be_bytes());
        let (first, later) = request.heads();
        let body = request.call.body();
        Self {
            first: Frames::of(&first, &body),
            later: Frames::of(&later, &body),
            next_id: 1,
            running: Vec::with_capacity(streams),
            waiting: Vec::with_capacity(streams),
            window: i64::from(DEFAULT_WINDOW),
            unsaid: 0,
            statuses: Statuses::default(),
            length: Length::default(),
            kept: None,
        }
    }

    fn start(&mut self, now: Instant, out: &mut Vec<u8>) {
        if self.window < self.later.data {
            self.waiting.push(now);
            return;
        }
        let id = self.next_id;
        let frames = if id == 1 { &self.first } else { &self.later };
        frames.write(id, out);
        self.window -= frames.data;
        self.next_id += 2;
        self.running.push(Running {
            id,
            started: now,
            data: 0,
        });
    }

    fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        ended: &mut Vec<Ended>,
    ) -> Result<usize, String> {
        let mut rest = input;
        while let Some((frame, tail)) = split(rest)? {
            self.frame(&frame, out, ended)?;
            rest = tail;
        }
        Ok(input.len() - rest.len())
    }

    fn kept(&mut self) -> Option<Vec<u8>> {
        self.kept.take()
    }

    fn keep(&mut self) {
        self.kept = Some(Vec::new());
    }
}

impl H2 {
    fn frame(
        &mut self,
        frame: &Frame<'_>,
        out: &mut Vec<u8>,
        ended: &mut Vec<Ended>,
    ) -> Result<(), String> {
        match frame.kind {
            DATA => self.data(frame, out),
            HEADERS => self.headers(frame, ended),
            SETTINGS if frame.flags & ACK == 0 => self.settings(frame.payload, out),
            PING if frame.flags & ACK == 0 => {
                self::frame(out, PING, ACK, 0, frame.payload);
                Ok(())
            }
            WINDOW_UPDATE if frame.stream == 0 => {
                self.window += i64::from(integer(frame.payload).ok_or("a short WINDOW_UPDATE")?);
                for started in std::mem::take(&mut self.waiting) {
                    self.start(started, out);
                }
                Ok(())
            }
            RST_STREAM => Err(format!("the server reset a stream: {:?}", frame.payload)),
            GOAWAY => Err(format!(
                "the server goes away: {}",
                String::from_utf8_lossy(frame.payload)
            )),
            CONTINUATION => Err("headers in more than one frame are not read".to_owned()),
            _ => Ok(()),
        }
    }

    fn data(&mut self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        if frame.flags & (END_STREAM | PADDED) != 0 {
            return Err("data that end a stream or are padded".to_owned());
        }
        let call = self.running.iter_mut().find(|call| call.id == frame.stream);
        let call = call.ok_or("data for no call")?;
        call.data += frame.payload.len();
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(frame.payload);
        }
        self.unsaid += frame.payload.len() as u32;
        if self.unsaid > CONNECTION_WINDOW / 2 {
            self::frame(out, WINDOW_UPDATE, 0, 0, &self.unsaid.to_be_bytes());
            self.unsaid = 0;
        }
        Ok(())
    }

    fn headers(&mut self, frame: &Frame<'_>, ended: &mut Vec<Ended>) -> Result<(), String> {
        if frame.flags & END_HEADERS == 0 || frame.flags & (PADDED | PRIORITY) != 0 {
            return Err("headers in more than one frame, or padded, are not read".to_owned());
        }
        let status = self.statuses.of(frame.payload)?;
        if frame.flags & END_STREAM == 0 {
            return Ok(());
        }
        let mut calls = self.running.iter();
        let at = calls.position(|call| call.id == frame.stream);
        let call = self.running.swap_remove(at.ok_or("headers for no call")?);
        let code = status.ok_or("a call ended without a status")?;
        if code == Code::Ok {
            self.length.check(call.data)?;
        }
        ended.push(Ended {
            started: call.started,
            code,
        });
        Ok(())
    }

    /// RFC 9113, 6.5.2. What would need more of a client than this one does is an error.
    fn settings(&self, mut rest: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        while let Some((&[a, b, value @ ..], tail)) = rest.split_first_chunk::<6>() {
            let value = u32::from_be_bytes(value);
            let wanted = match u16::from_be_bytes([a, b]) {
                1 => 4_096,
                3 => self.running.capacity() as u32,
                4 => self.later.data as u32,
                _ => 0,
            };
            if value < wanted {
                return Err(format!(
                    "the server's setting {b} is {value}, below {wanted}"
                ));
            }
            rest = tail;
        }
        frame(out, SETTINGS, ACK, 0, &[]);
        Ok(())
    }
}

/// Appends a frame.
fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = (payload.len() as u32).to_be_bytes();
    out.extend(length.into_iter().skip(1));
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// The first frame, when it is whole, and what follows it.
fn split(input: &[u8]) -> Result<Option<(Frame<'_>, &[u8])>, String> {
    let Some((&[a, b, c, kind, flags, stream @ ..], rest)) = input.split_first_chunk::<HEAD>()
    else {
        return Ok(None);
    };
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    if length > MAX_FRAME {
        return Err(format!("a frame of {length} bytes"));
    }
    let Some((payload, rest)) = rest.split_at_checked(length) else {
        return Ok(None);
    };
    let stream = u32::from_be_bytes(stream) & (u32::MAX >> 1);
    let frame = Frame {
        kind,
        flags,
        stream,
        payload,
    };
    Ok(Some((frame, rest)))
}

fn integer(payload: &[u8]) -> Option<u32> {
    let (bytes, _) = payload.split_first_chunk::<4>()?;
    Some(u32::from_be_bytes(*bytes))
}
