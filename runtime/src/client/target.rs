//! [`Target`]: where a client connects to.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
#[cfg(feature = "client")]
use std::io;

#[cfg(feature = "client")]
use http::uri::{Authority, Scheme};

#[cfg(feature = "client")]
use super::resolve::{EndpointAddress, Host, Named};
use crate::ConfigError;

/// Where a client connects to.
///
/// | text | what it is |
/// |---|---|
/// | `http://items:50051` | plaintext, to all addresses of the name |
/// | `https://items:50051` | the same by TLS |
/// | `items:50051`, `dns:///items:50051` | by TLS, unless the target is made [`insecure`](Self::insecure) |
/// | `10.0.0.1:50051,10.0.0.2:50051` | these servers; also after `http://`, `https://`, `ipv4:`, `ipv6:` |
/// | `unix:/run/items.sock`, `unix:///run/items.sock` | a Unix socket, in plaintext |
///
/// Each server of a list is called by its own host: that is the `:authority` of the calls to it, and the
/// name that its certificate must be for.
///
/// ```
/// use apibase::Target;
///
/// let plaintext = Target::from("http://items:50051");
/// let also_plaintext = Target::new("items:50051").insecure();
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    text: String,
    insecure: bool,
}

/// Where to connect to, once a target's text is understood.
#[derive(Clone, Debug)]
#[cfg(feature = "client")]
pub(super) struct Resolved {
    pub(super) secure: bool,
    /// Each by its own name: a list may have servers with certificates of their own.
    pub(super) hosts: Vec<Named<Host>>,
}

/// What the text before the hosts says.
#[cfg(feature = "client")]
struct Form<'a> {
    hosts: &'a str,
    /// None where it doesn't say.
    secure: Option<bool>,
    /// What to write.
    example: &'static str,
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
    #[cfg(feature = "client")]
    Settings {
        target: String,
        source: ConfigError,
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

    /// Where it is. What doesn't say whether it is TLS is so if `secure`, and none is if TLS can't be.
    #[cfg(feature = "client")]
    pub(super) fn resolve(&self, secure: bool, has_tls: bool) -> Result<Resolved, ConnectError> {
        let wrong = |problem: &str| ConnectError::target(&self.text, problem);
        if let Some(path) = self.text.strip_prefix("unix:") {
            return unix(path)
                .ok_or_else(|| wrong("it has no absolute path; write `unix:/path/to/the.sock`"));
        }
        let form = Form::of(&self.text).map_err(wrong)?;
        // Before its parts are looked at: a password may have a comma.
        if form.hosts.contains('@') {
            let example = form.example;
            let problem = format!("it has a user, and nobody asks for one; write `{example}`");
            return Err(wrong(&problem));
        }
        let hosts = form.hosts.split(',').map(|part| {
            host_and_port(part.trim())
                .map_err(|problem| wrong(&format!("{problem}; write `{}`", form.example)))
        });
        let hosts = hosts.collect::<Result<_, _>>()?;
        let secure = form.secure.unwrap_or(secure && !self.insecure);
        if secure && !has_tls {
            return Err(wrong(
                "it asks for TLS, which takes the feature `tls` of the crate apibase; for plaintext \
                 write `http://host:port` or `Target::insecure()`",
            ));
        }
        Ok(Resolved { secure, hosts })
    }
}

#[cfg(feature = "client")]
impl<'a> Form<'a> {
    fn of(text: &'a str) -> Result<Self, &'static str> {
        let form = |hosts, secure, example| {
            Ok(Form {
                hosts,
                secure,
                example,
            })
        };
        if let Some((scheme, hosts)) = text.split_once("://") {
            // An empty authority is the system's resolver; we know no other.
            if scheme == "dns" {
                let name = hosts.strip_prefix('/').ok_or(
                    "it names a DNS server, and the system's is asked; write `dns:///host:port`",
                )?;
                return form(name, None, "dns:///host:port");
            }
            let hosts = hosts.strip_suffix('/').unwrap_or(hosts);
            return match scheme {
                "http" => form(hosts, Some(false), "http://host:port"),
                "https" => form(hosts, Some(true), "https://host:port"),
                _ => Err(
                    "its scheme is unknown; there are `http://`, `https://`, `dns:///`, \
                          `ipv4:`, `ipv6:` and `unix:`",
                ),
            };
        }
        for (scheme, example) in [
            ("dns:", "dns:host:port"),
            ("ipv4:", "ipv4:10.0.0.1:50051,10.0.0.2:50051"),
            ("ipv6:", "ipv6:[fd00::1]:50051,[fd00::2]:50051"),
        ] {
            if let Some(hosts) = text.strip_prefix(scheme)
                // A host of that name, with a port.
                && hosts.contains(':')
            {
                return form(hosts, None, example);
            }
        }
        form(text, None, "host:port")
    }
}

#[cfg(feature = "client")]
impl Resolved {
    pub(super) fn scheme(&self) -> Scheme {
        match self.secure {
            true => Scheme::HTTPS,
            false => Scheme::HTTP,
        }
    }
}

/// A Unix socket at an absolute path; `//` before it is an empty authority.
#[cfg(feature = "client")]
fn unix(path: &str) -> Option<Resolved> {
    let path = path.strip_prefix("//").unwrap_or(path);
    let is_absolute = path.len() > 1 && path.starts_with('/');
    is_absolute.then(|| Resolved {
        // What is said stays on this machine.
        secure: false,
        hosts: vec![Named {
            it: Host::Fixed(EndpointAddress::Unix(path.into())),
            // What gRPC has for it: a path is no authority.
            authority: Authority::from_static("localhost"),
        }],
    })
}

/// `host:port`; an IPv6 host stands in brackets, which aren't its own.
#[cfg(feature = "client")]
fn host_and_port(text: &str) -> Result<Named<Host>, String> {
    if text.is_empty() {
        return Err("it names no host".to_owned());
    }
    if text.contains(['/', '?', '#']) {
        return Err("it has a path, and a gRPC service has none".to_owned());
    }
    let authority: Authority = text
        .parse()
        .map_err(|error| format!("`{text}` is no host: {error}"))?;
    let host = authority.host().trim_matches(['[', ']']);
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    let port = authority.port_u16().filter(|port| *port > 0);
    let port = port.ok_or_else(|| format!("`{text}` has no port"))?;
    let it = Host::new(host, port);
    Ok(Named { it, authority })
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
    /// Its text, without a user and a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.text))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("text", &shown(&self.text))
            .field("insecure", &self.insecure)
            .finish()
    }
}

/// What may be shown of a target's text: of `http://me:password@items:1` what follows the `@`.
fn shown(text: &str) -> Cow<'_, str> {
    match text.rsplit_once('@') {
        // A path may have one.
        Some((_, rest)) if !text.starts_with("unix:") => Cow::Owned(format!("…@{rest}")),
        _ => Cow::Borrowed(text),
    }
}

impl ConnectError {
    fn target(target: &str, problem: &str) -> Self {
        Self(Kind::Target {
            target: shown(target).into_owned(),
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
            target: target.to_string(),
            source,
        })
    }

    #[cfg(feature = "client")]
    pub(super) fn settings(target: &Target, source: ConfigError) -> Self {
        Self(Kind::Settings {
            target: target.to_string(),
            source,
        })
    }

    /// Whether the target itself is wrong, so that trying again is of no use.
    #[must_use]
    pub fn is_target(&self) -> bool {
        matches!(self.0, Kind::Target { .. })
    }

    /// What is wrong with the client's settings in the environment, if that is why.
    #[must_use]
    pub fn config_error(&self) -> Option<&ConfigError> {
        match &self.0 {
            #[cfg(feature = "client")]
            Kind::Settings { source, .. } => Some(source),
            _ => None,
        }
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
            #[cfg(feature = "client")]
            Kind::Settings { target, source } => {
                write!(f, "cannot connect to `{target}`: {source}")
            }
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Target { .. } => None,
            #[cfg(feature = "client")]
            Kind::Connect { source, .. } => Some(source),
            #[cfg(feature = "client")]
            Kind::Settings { source, .. } => Some(source),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "client")]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<Resolved, ConnectError> {
        Target::new(text).resolve(true, true)
    }

    fn names(resolved: &Resolved) -> Vec<String> {
        let name = |host: &Named<Host>| match &host.it {
            Host::Fixed(EndpointAddress::Ip(address)) => address.to_string(),
            Host::Fixed(EndpointAddress::Unix(path)) => path.display().to_string(),
            Host::Name { host, port } => format!("{host} at {port}"),
        };
        resolved.hosts.iter().map(name).collect()
    }

    #[test]
    fn plaintext_is_http_or_what_is_said_to_be() {
        for target in [
            Target::new("http://[::1]:50051"),
            Target::new("[::1]:50051").insecure(),
        ] {
            let resolved = target.resolve(true, false).unwrap();
            assert_eq!(names(&resolved), ["[::1]:50051"]);
            assert_eq!(resolved.hosts[0].authority, "[::1]:50051");
            assert_eq!(resolved.hosts[0].server_name(), "::1");
        }
        assert!(!Target::new("items:1").resolve(false, false).unwrap().secure);
        assert!(
            Target::new("https://items:1")
                .insecure()
                .resolve(false, true)
                .unwrap()
                .secure
        );
    }

    #[test]
    fn every_form_names_its_hosts() {
        for (text, secure, hosts) in [
            ("http://items:1/", false, &["items at 1"][..]),
            ("https://items:1", true, &["items at 1"]),
            ("items:1", true, &["items at 1"]),
            ("dns:1", true, &["dns at 1"]),
            ("dns:items:1", true, &["items at 1"]),
            ("dns:///items:1", true, &["items at 1"]),
            ("10.0.0.1:1,10.0.0.2:2", true, &["10.0.0.1:1", "10.0.0.2:2"]),
            ("http://10.0.0.1:1, b:2", false, &["10.0.0.1:1", "b at 2"]),
            (
                "ipv4:10.0.0.1:1,10.0.0.2:2",
                true,
                &["10.0.0.1:1", "10.0.0.2:2"],
            ),
            ("ipv6:[::1]:1", true, &["[::1]:1"]),
            ("unix:/run/a.sock", false, &["/run/a.sock"]),
            ("unix:///run/a.sock", false, &["/run/a.sock"]),
        ] {
            let resolved = resolve(text).unwrap();
            assert_eq!(
                (resolved.secure, &names(&resolved)[..]),
                (
                    secure,
                    &hosts.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn each_host_of_a_list_has_a_name_of_its_own() {
        let resolved = resolve("10.0.0.1:1, items:2,[fd00::1]:3").unwrap();
        let names = resolved.hosts.iter();
        let names = names.map(|host| (host.authority.as_str(), host.server_name()));
        assert_eq!(
            names.collect::<Vec<_>>(),
            [
                ("10.0.0.1:1", "10.0.0.1"),
                ("items:2", "items"),
                ("[fd00::1]:3", "fd00::1")
            ]
        );
        let socket = resolve("unix:/run/a.sock").unwrap();
        assert_eq!(socket.hosts[0].authority, "localhost");
    }

    #[test]
    fn what_asks_for_tls_names_the_feature() {
        for text in ["https://items:1", "items:1", "dns:///items:1"] {
            let error = Target::new(text).resolve(true, false).unwrap_err();
            assert!(error.to_string().contains("feature `tls`"), "{error}");
            assert!(error.is_target());
        }
    }

    #[test]
    fn no_word_of_a_password_is_said() {
        for text in [
            "http://me:hunter2@items:1",
            "me:hunter2@items:1",
            "http://me:hunter2,hunter2@items:1",
            "http://me:hunter2/hunter2@items:1",
            "http://a:1,me:hunter2@b:1",
            "ftp://me:hunter2@items:1",
            "dns://me:hunter2@8.8.8.8/items:1",
            "dns:me:hunter2@items:1",
        ] {
            let target = Target::new(text);
            let error = target.resolve(true, true).unwrap_err();
            let io = || io::Error::other("refused");
            for shown in [
                error.to_string(),
                format!("{error:?}"),
                format!("{target} {target:?}"),
                ConnectError::connect(&target, io()).to_string(),
            ] {
                assert!(!shown.contains("hunter2"), "{shown}");
                assert!(shown.contains(":1"), "{shown}");
            }
        }
        let socket = Target::new("unix:/run/me@home.sock");
        assert_eq!(socket.to_string(), "unix:/run/me@home.sock");
    }

    #[test]
    fn a_wrong_target_says_what_to_write() {
        for text in [
            "http://items",
            "http://items:0",
            "http://items:1/path",
            "http://items:1?query",
            "http://me@items:1",
            "ftp://items:1",
            "dns://8.8.8.8/items:1",
            "10.0.0.1:1,",
            "unix:relative.sock",
            "unix:",
            "",
            "http://",
            ":1",
            "a b:1",
        ] {
            let error = resolve(text).unwrap_err();
            assert!(error.is_target(), "{error}");
            let says = error.to_string().contains("write `") || text.starts_with("ftp");
            assert!(says, "{error}");
        }
    }
}
