//! HTTP/1.1 with keep-alive, one request at a time.

use std::time::Instant;

use crate::calls::{Request, json_request};
use crate::hpack::Code;
use crate::peer::{Ended, Length, Peer};

/// One connection over HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Http1 {
    request: Vec<u8>,
    started: Option<Instant>,
    length: Length,
    kept: Option<Vec<u8>>,
}

impl Peer for Http1 {
    fn open(_: Request, _: usize, _: &mut Vec<u8>) -> Self {
        Self {
            request: json_request(),
            started: None,
            length: Length::default(),
            kept: None,
        }
    }

    fn start(&mut self, now: Instant, out: &mut Vec<u8>) {
        self.started = Some(now);
        out.extend_from_slice(&self.request);
    }

    fn receive(
        &mut self,
        input: &[u8],
        _: &mut Vec<u8>,
        ended: &mut Vec<Ended>,
    ) -> Result<usize, String> {
        let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(0);
        };
        let (head, body) = input.split_at(end + 4);
        if !head.starts_with(b"HTTP/1.1 200 ") {
            return Err(format!("not a 200: {}", String::from_utf8_lossy(head)));
        }
        let length = content_length(head).ok_or("an answer without a length")?;
        let Some(body) = body.get(..length) else {
            return Ok(0);
        };
        self.length.check(length)?;
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(body);
        }
        ended.push(Ended {
            started: self.started.take().ok_or("an answer to no request")?,
            code: Code::Ok,
        });
        Ok(head.len() + length)
    }

    fn kept(&mut self) -> Option<Vec<u8>> {
        self.kept.take()
    }

    fn keep(&mut self) {
        self.kept = Some(Vec::new());
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head.split(|&byte| byte == b'\n').find(|line| {
        line.get(..NAME.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(NAME))
    })?;
    let value = line.get(NAME.len()..)?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}
