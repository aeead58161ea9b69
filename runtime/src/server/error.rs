//! [`ServerError`]: why a server does not start.

use std::error::Error;
use std::fmt;
use std::io;

use super::address::Address;
use crate::Method;
use crate::interceptors::ChainError;
#[cfg(feature = "reflection")]
use crate::reflection::ReflectionError;
#[cfg(feature = "tls")]
use crate::tls::Broken;

/// Why a server does not start. Its `Debug` is its `Display`: it is what a `main` that returns it prints.
pub struct ServerError(Kind);

#[derive(Debug)]
enum Kind {
    Bind {
        addr: Address,
        source: io::Error,
    },
    #[cfg(feature = "admin")]
    Admin {
        addr: Address,
        source: io::Error,
    },
    Duplicate {
        service: &'static str,
    },
    UnknownError {
        error: String,
    },
    UnknownMethod {
        path: String,
        near: Option<&'static str>,
    },
    RateLimit {
        method: &'static Method,
        problem: &'static str,
    },
    Runtime {
        source: io::Error,
    },
    #[cfg(feature = "reflection")]
    Reflection(ReflectionError),
    #[cfg(feature = "tls")]
    Tls(Broken),
    Chain(ChainError),
}

impl ServerError {
    pub(super) fn bind(addr: Address, source: io::Error) -> Self {
        Self(Kind::Bind { addr, source })
    }

    /// The admin port's.
    #[cfg(feature = "admin")]
    pub(super) fn admin(addr: Address, source: io::Error) -> Self {
        Self(Kind::Admin { addr, source })
    }

    pub(super) fn duplicate(service: &'static str) -> Self {
        Self(Kind::Duplicate { service })
    }

    pub(super) fn unknown_error(error: String) -> Self {
        Self(Kind::UnknownError { error })
    }

    /// `near` is what may have been meant.
    pub(super) fn unknown_method(path: &str, near: Option<&'static str>) -> Self {
        let path = path.to_owned();
        Self(Kind::UnknownMethod { path, near })
    }

    /// `problem` completes "it", the limit.
    pub(super) fn rate_limit(method: &'static Method, problem: &'static str) -> Self {
        Self(Kind::RateLimit { method, problem })
    }

    pub(super) fn runtime(source: io::Error) -> Self {
        Self(Kind::Runtime { source })
    }

    #[cfg(feature = "reflection")]
    pub(super) fn reflection(error: ReflectionError) -> Self {
        Self(Kind::Reflection(error))
    }

    #[cfg(feature = "tls")]
    pub(super) fn tls(broken: Broken) -> Self {
        Self(Kind::Tls(broken))
    }

    /// Whether its address could not be listened on, or that of its admin port.
    #[must_use]
    pub fn is_bind(&self) -> bool {
        #[cfg(feature = "admin")]
        if matches!(self.0, Kind::Admin { .. }) {
            return true;
        }
        matches!(self.0, Kind::Bind { .. })
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Bind { addr, source } => {
                write!(f, "cannot listen on {addr}: {source}")?;
                match source.kind() {
                    io::ErrorKind::AddrInUse => f.write_str(
                        "; another process has this port: set GRPC__SERVER__PORT, or 0 for a free one",
                    ),
                    _ => Ok(()),
                }
            }
            #[cfg(feature = "admin")]
            Kind::Admin { addr, source } => {
                write!(f, "cannot listen on {addr} for the admin port: {source}")?;
                match source.kind() {
                    io::ErrorKind::AddrInUse => f.write_str(
                        "; another process has this port, or the server itself: set \
                         GRPC__SERVER__ADMIN_PORT to another one, or 0 for a free one",
                    ),
                    _ => Ok(()),
                }
            }
            Kind::Duplicate { service } => write!(
                f,
                "`{service}` was added twice; a server has each service once"
            ),
            Kind::UnknownError { error } => write!(
                f,
                "the error policy changes `{error}`, and no service here has this error; give the \
                 domain and the reason as the catalogue has them"
            ),
            Kind::UnknownMethod { path, near } => {
                write!(
                    f,
                    "a limit is set for `{path}`, and no service here has this method"
                )?;
                match near {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => f.write_str("; give its path as `/package.Service/Method`"),
                }
            }
            Kind::RateLimit { method, problem } => {
                write!(f, "the rate limit of `{method}` {problem}")
            }
            Kind::Runtime { source } => write!(f, "cannot start the threads that serve: {source}"),
            #[cfg(feature = "reflection")]
            Kind::Reflection(error) => write!(
                f,
                "reflection can't be served: {error}; `GRPC__SERVER__REFLECTION_ENABLED=false` turns \
                 it off"
            ),
            #[cfg(feature = "tls")]
            Kind::Tls(broken) => write!(f, "cannot serve over TLS: {broken}"),
            Kind::Chain(error) => error.fmt(f),
        }
    }
}

impl Error for ServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Bind { source, .. } | Kind::Runtime { source } => Some(source),
            #[cfg(feature = "admin")]
            Kind::Admin { source, .. } => Some(source),
            #[cfg(feature = "reflection")]
            Kind::Reflection(error) => Some(error),
            Kind::Duplicate { .. }
            | Kind::UnknownError { .. }
            | Kind::UnknownMethod { .. }
            | Kind::RateLimit { .. } => None,
            #[cfg(feature = "tls")]
            Kind::Tls(broken) => Some(broken),
            Kind::Chain(error) => Some(error),
        }
    }
}

impl From<ChainError> for ServerError {
    fn from(error: ChainError) -> Self {
        Self(Kind::Chain(error))
    }
}
