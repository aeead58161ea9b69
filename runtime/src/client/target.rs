//! [`Target`]: where a client connects to.

use std::error::Error;
use std::fmt;
#[cfg(feature = "client")]
use std::io;

#[cfg(feature = "client")]
use http::Uri;
#[cfg(feature = "client")]
use http::uri::{Authority, Scheme};

/// Where a client connects to.
///
/// `http://host:port` is plaintext. `https://host:port` and a bare `host:port` are TLS, unless the
/// target is made [`insecure`](Self::insecure).
///
/// ```
/// use apibase::Target;
///
/// let plaintext = Target::from("http://items:50051");
/// let also_plaintext = Target::new("items:50051").insecure();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    text: String,
    insecure: bool,
}

/// Where to connect to, once a target's text is understood.
#[derive(Clone, Debug)]
#[cfg(feature = "client")]
pub(super) struct Resolved {
    pub(super) authority: Authority,
    pub(super) host: String,
    pub(super) port: u16,
}

/// Why a client can't connect.
#[derive(Debug)]
pub struct ConnectError(Kind);

#[derive(Debug)]
enum Kind {
    Target {
        target: String,
        problem: String,
    },
    #[cfg(feature = "client")]
    Connect {
        target: String,
        source: io::Error,
    },
}

impl Target {
    /// The target that `text` names. Whether it is valid shows when it is connected to.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            insecure: false,
        }
    }

    /// The same target in plaintext, where its text doesn't say `https://`.
    #[must_use]
    pub fn insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    #[cfg(feature = "client")]
    pub(super) fn resolve(&self) -> Result<Resolved, ConnectError> {
        let wrong = |problem: &str| ConnectError::target(&self.text, problem);
        let bare = !self.text.contains("://");
        let uri: Uri = if bare {
            format!("http://{}", self.text).parse()
        } else {
            self.text.parse()
        }
        .map_err(|error: http::uri::InvalidUri| wrong(&error.to_string()))?;

        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(wrong("it names no host; write `http://host:port`"));
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong(
                "it has a path, and a gRPC service has none; write `http://host:port`",
            ));
        }
        let secure = *scheme == Scheme::HTTPS || (bare && !self.insecure);
        if secure {
            return Err(wrong(
                "it asks for TLS, which takes the feature `tls` of the crate apibase; for plaintext \
                 write `http://host:port` or `Target::insecure()`",
            ));
        }
        if *scheme != Scheme::HTTP {
            return Err(wrong(
                "its scheme is unknown; there are `http://` and `https://`",
            ));
        }
        let port = uri
            .port_u16()
            .ok_or_else(|| wrong("it has no port; write `http://host:port`"))?;
        // An IPv6 host stands in brackets, which are the URI's and not the address's.
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        Ok(Resolved {
            authority: authority.clone(),
            host,
            port,
        })
    }
}

impl From<&str> for Target {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Target {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&String> for Target {
    fn from(text: &String) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl ConnectError {
    fn target(target: &str, problem: &str) -> Self {
        Self(Kind::Target {
            target: target.to_owned(),
            problem: problem.to_owned(),
        })
    }

    #[cfg(not(feature = "client"))]
    pub(super) fn off(target: &Target) -> Self {
        let problem = "the feature `client` of the crate apibase is off, and with it connecting";
        Self::target(&target.text, problem)
    }

    #[cfg(feature = "client")]
    pub(super) fn connect(target: &Target, source: io::Error) -> Self {
        Self(Kind::Connect {
            target: target.text.clone(),
            source,
        })
    }

    /// Whether the target itself is wrong, so that trying again is of no use.
    #[must_use]
    pub fn is_target(&self) -> bool {
        matches!(self.0, Kind::Target { .. })
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Target { target, problem } => {
                write!(f, "`{target}` can't be connected to: {problem}")
            }
            #[cfg(feature = "client")]
            Kind::Connect { target, source } => write!(f, "cannot connect to `{target}`: {source}"),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Target { .. } => None,
            #[cfg(feature = "client")]
            Kind::Connect { source, .. } => Some(source),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "client")]
mod tests {
    use super::*;

    #[test]
    fn plaintext_is_http_or_what_is_said_to_be() {
        for target in [
            Target::new("http://[::1]:50051"),
            Target::new("[::1]:50051").insecure(),
        ] {
            let resolved = target.resolve().unwrap();
            assert_eq!((resolved.host.as_str(), resolved.port), ("::1", 50051));
            assert_eq!(resolved.authority, "[::1]:50051");
        }
    }

    #[test]
    fn what_asks_for_tls_names_the_feature() {
        for text in ["https://items:1", "items:1"] {
            let error = Target::new(text).resolve().unwrap_err();
            assert!(error.to_string().contains("feature `tls`"), "{error}");
            assert!(error.is_target());
        }
    }

    #[test]
    fn a_wrong_target_says_what_to_write() {
        for text in [
            "http://items",
            "http://items:1/path",
            "ftp://items:1",
            "",
            "http://",
            "a b:1",
        ] {
            let error = Target::new(text).insecure().resolve().unwrap_err();
            assert!(error.is_target(), "{error}");
        }
    }
}
