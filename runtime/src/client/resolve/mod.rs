//! [`Resolver`]: from the name of a target to the addresses of its servers.
//!
//! `dns.rs` is what asks the system; `resolution.rs` asks again and again, and tells what changes.

mod dns;
mod resolution;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Authority;

pub(crate) use self::dns::Dns;
pub(crate) use self::resolution::{Known, Names, resolution};

/// Finds the addresses of a target: ours asks the system's resolver (DNS and `/etc/hosts`), another may
/// ask a registry.
///
/// It is asked when the first call is made, at most every 30 seconds afterwards, and given up after 20
/// seconds. While it fails, the client goes on with the addresses that it named last.
///
/// ```
/// use std::net::SocketAddr;
/// use apibase::{Addresses, Resolver, Resolving};
///
/// struct Registry;
///
/// impl Resolver for Registry {
///     fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
///         Box::pin(async move {
///             # let _ = host;
///             let found = vec![SocketAddr::from(([10, 0, 0, 7], port))];
///             Ok(Addresses::new(found))
///         })
///     }
/// }
/// ```
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of the servers of `host`, at `port` unless the resolver knows better. No address is
    /// as good as an error. Of more than 1,000 the first are taken.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a>;
}

/// What a [`Resolver`] is doing.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Addresses>> + Send + 'a>>;

/// What a [`Resolver`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    found: Vec<SocketAddr>,
    ttl: Option<Duration>,
}

impl Addresses {
    /// These, the best ones first where one is better.
    #[must_use]
    pub fn new(found: impl Into<Vec<SocketAddr>>) -> Self {
        Self {
            found: found.into(),
            ttl: None,
        }
    }

    /// Good for this long, if no connection is lost: between 30 seconds and an hour counts. Default: 30
    /// seconds.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

/// Where one server of a target is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointAddress {
    /// An address and a TCP port.
    Ip(SocketAddr),
    /// A Unix socket at this path.
    Unix(PathBuf),
}

impl fmt::Display for EndpointAddress {
    /// As in [`Attempt::endpoint`](crate::Attempt::endpoint): `10.0.0.7:50051`, `unix:/run/items.sock`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A part of a target or one of its servers, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Named<T> {
    pub(crate) it: T,
    /// The `:authority` of the calls to it.
    pub(crate) authority: Authority,
}

impl<T> Named<T> {
    /// Whose certificate it must have.
    pub(crate) fn server_name(&self) -> &str {
        self.authority.host().trim_matches(['[', ']'])
    }

    /// Something else of that name.
    pub(crate) fn of<U>(&self, it: U) -> Named<U> {
        let authority = self.authority.clone();
        Named { it, authority }
    }
}

/// A part of a target: an address, or a name that has to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Fixed(EndpointAddress),
    Name { host: Arc<str>, port: u16 },
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
