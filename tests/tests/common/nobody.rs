//! An address that nobody listens on.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port that is taken, so that no other test gets it, and that nobody listens on.
pub(crate) struct Nobody {
    pub(crate) addr: SocketAddr,
    _socket: TcpSocket,
}

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // A server that a test starts on this port later is let in.
        socket.set_reuseaddr(true).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self {
            addr: socket.local_addr().unwrap(),
            _socket: socket,
        }
    }

    pub(crate) fn target(&self) -> String {
        format!("http://{}", self.addr)
    }
}
