//! Servers with an admin port, and somebody who looks at it: HTTP/1.1 by hand.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use apibase::{Admin, Server, ServerHandle};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::common::{EchoServiceServer, RawClient, Scripted, once, soon};

/// A server that runs, and its admin port.
pub(crate) struct Watched {
    pub(crate) addr: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) handle: ServerHandle,
    pub(crate) serving: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

/// What the admin port has answered.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Watched {
    /// Serves `scripted` with what `settings` sets, and looks.
    pub(crate) async fn with(scripted: Scripted, settings: impl FnOnce(Server) -> Server) -> Self {
        let server = Server::new()
            .admin(Admin::new().port(0))
            .add_servicer(EchoServiceServer::new(scripted));
        Self::of(settings(server)).await
    }

    pub(crate) async fn of(server: Server) -> Self {
        let bound = server
            .host(Ipv4Addr::LOCALHOST)
            .port(0)
            .bind()
            .await
            .unwrap();
        let (stop, stopped) = oneshot::channel();
        let (addr, admin, handle) = (bound.local_addr(), bound.admin_addr(), bound.handle());
        let serving = tokio::spawn(bound.serve_until(async move {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        Self {
            addr,
            admin: admin.unwrap(),
            handle,
            serving,
            stop,
        }
    }

    pub(crate) async fn raw(&self) -> RawClient {
        RawClient::connect(self.addr).await
    }

    pub(crate) async fn client(&self) -> crate::common::EchoServiceClient {
        let channel = soon(once().connect(format!("http://{}", self.addr))).await;
        crate::common::EchoServiceClient::new(channel.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        get(self.admin, path).await
    }

    pub(crate) async fn json(&self) -> Value {
        let seen = self.get("/status.json").await;
        assert_eq!(seen.status, StatusCode::OK);
        assert_eq!(seen.header("content-type"), "application/json");
        serde_json::from_str(&seen.body).unwrap()
    }

    /// The status once this holds of it.
    pub(crate) async fn until(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                let status = self.json().await;
                if holds(&status) {
                    return status;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        match timeout(Duration::from_secs(20), waiting).await {
            Ok(status) => status,
            Err(_) => panic!("it never held: {:#}", self.json().await),
        }
    }

    /// Tells it to stop; what it gives back ends when it has.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        let _ = self.stop.send(());
        self.serving
    }
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    fn read(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        Self {
            status: status.parse().unwrap(),
            headers: headers
                .map(|(name, value)| -> (HeaderName, HeaderValue) {
                    (name.parse().unwrap(), value.parse().unwrap())
                })
                .collect(),
            body: body.to_owned(),
        }
    }
}

pub(crate) async fn get(admin: SocketAddr, path: &str) -> Seen {
    send(
        admin,
        &format!("GET {path} HTTP/1.1\r\nhost: {admin}\r\n\r\n"),
    )
    .await
}

/// The answer to a request that is sent as it is.
pub(crate) async fn send(admin: SocketAddr, request: &str) -> Seen {
    let answering = async {
        let mut stream = TcpStream::connect(admin).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    Seen::read(&soon(answering).await)
}
