//! The addresses of a target: those that it names, and those of its names, asked for again and again.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::backoff::Backoff;

/// How often a name is asked for.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(20);
/// Each address is a connection, a task and a place in every pick.
const MAX_ADDRESSES: usize = 1000;

/// Where one server of a target is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum EndpointAddress {
    Ip(SocketAddr),
    Unix(PathBuf),
}

/// A part of a target: an address, or a name that has to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Fixed(EndpointAddress),
    Name { host: Arc<str>, port: u16 },
}

/// What is known of the addresses of a target.
#[derive(Clone, Debug)]
pub(super) enum Known {
    Nothing,
    Failed { why: Arc<str>, until: Instant },
    Addresses(Arc<[EndpointAddress]>),
}

impl Host {
    /// What `host` is, which may be an IP address; an IPv6 one without its brackets.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        match host.parse::<IpAddr>() {
            Ok(ip) => Self::Fixed(EndpointAddress::Ip(SocketAddr::new(ip, port))),
            Err(_) => Self::Name {
                host: host.into(),
                port,
            },
        }
    }
}

/// Tells the addresses of `hosts` to `known`, until nobody wants to know.
pub(super) async fn resolve(hosts: Vec<Host>, known: watch::Sender<Known>) {
    let mut backoff = Backoff::default();
    while !known.is_closed() {
        let answer = timeout(TIMEOUT, ask(&hosts)).await;
        let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let pause = match answer {
            Ok(found) if !found.is_empty() => {
                backoff = Backoff::default();
                known.send_replace(Known::Addresses(found.into()));
                INTERVAL
            }
            answer => {
                let why = answer.err().map(|error| error.to_string());
                let pause = backoff.failed();
                let failed = Known::Failed {
                    why: why.as_deref().unwrap_or("the name has no address").into(),
                    until: Instant::now() + pause,
                };
                // The last good addresses are better than none.
                known.send_if_modified(|known| {
                    let is_news = !matches!(known, Known::Addresses(_));
                    if is_news {
                        *known = failed;
                    }
                    is_news
                });
                pause
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = known.closed() => {}
        }
    }
}

async fn ask(hosts: &[Host]) -> io::Result<Vec<EndpointAddress>> {
    let mut found = Vec::new();
    for host in hosts {
        match host {
            Host::Fixed(address) => found.push(address.clone()),
            Host::Name { host, port } => {
                let addresses = lookup_host((&**host, *port)).await?;
                found.extend(addresses.map(EndpointAddress::Ip));
            }
        }
    }
    found.truncate(MAX_ADDRESSES);
    Ok(found)
}
