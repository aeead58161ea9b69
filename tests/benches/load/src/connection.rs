//! A connection with its socket.

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Poll, Token};

use crate::calls::Request;
use crate::peer::{Ended, Peer};

/// What a read is given. One that doesn't fill it has left nothing.
pub(crate) const BUFFER: usize = 256 * 1024;

pub(crate) struct Connection<P> {
    socket: TcpStream,
    pub(crate) peer: P,
    /// What has come in and is not yet whole.
    rest: Vec<u8>,
    out: Vec<u8>,
}

impl<P: Peer> Connection<P> {
    /// A connection of which `poll` tells by this token. What it opens with goes out at once: where many are
    /// opened, a server may close those that are silent until all are there.
    pub(crate) fn open(
        poll: &Poll,
        token: Token,
        address: SocketAddr,
        request: Request,
        streams: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let mut socket = std::net::TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        let mut out = Vec::new();
        let peer = P::open(request, streams, &mut out);
        socket.write_all(&out)?;
        out.clear();
        socket.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(socket);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut socket, token, interest)?;
        Ok(Self {
            socket,
            peer,
            rest: Vec::new(),
            out,
        })
    }

    /// Starts a call.
    pub(crate) fn start(&mut self, now: Instant) {
        self.peer.start(now, &mut self.out);
    }

    /// Reads once, and says how much; nothing where there is nothing.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        ended: &mut Vec<Ended>,
    ) -> Result<usize, Box<dyn Error>> {
        let read = match self.socket.read(buffer) {
            Ok(0) => return Err("the server closed a connection".into()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let new = buffer.get(..read).unwrap_or_default();
        let (out, peer) = (&mut self.out, &mut self.peer);
        if self.rest.is_empty() {
            let used = peer.receive(new, out, ended)?;
            self.rest
                .extend_from_slice(new.get(used..).unwrap_or_default());
        } else {
            self.rest.extend_from_slice(new);
            let used = peer.receive(&self.rest, out, ended)?;
            self.rest.drain(..used);
        }
        Ok(read)
    }

    /// Writes what the socket takes.
    pub(crate) fn write(&mut self) -> Result<(), Box<dyn Error>> {
        while !self.out.is_empty() {
            match self.socket.write(&self.out) {
                Ok(written) if written == self.out.len() => self.out.clear(),
                Ok(written) => drop(self.out.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
