//! Where to listen, and where files are.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::{Form, Takes};

/// An address of the machine. Names would have to be resolved, and a server that listens somewhere
/// else after the DNS has changed surprises everybody; `localhost` alone is always the same.
pub(crate) struct Host;

impl Takes for Host {
    type Value = IpAddr;
    const FORM: Form = Form::Text;

    fn takes() -> Cow<'static, str> {
        "an IP address such as `0.0.0.0`, `127.0.0.1` or `[::]`, or `localhost`".into()
    }

    fn read(text: &str) -> Option<IpAddr> {
        if text.eq_ignore_ascii_case("localhost") {
            return Some(Ipv4Addr::LOCALHOST.into());
        }
        let bracketed = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        match bracketed {
            Some(text) => text.parse().ok().map(IpAddr::V6),
            None => text.parse().ok(),
        }
    }

    fn show(value: &IpAddr) -> Option<String> {
        Some(value.to_string())
    }
}

/// Names of hosts, in lower case.
pub(crate) struct HostNames;

/// The bytes of a name (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 253;

impl Takes for HostNames {
    type Value = Vec<String>;
    const FORM: Form = Form::Text;

    fn takes() -> Cow<'static, str> {
        "names of hosts without ports, with commas between them, such as `items-admin.internal`"
            .into()
    }

    fn read(text: &str) -> Option<Vec<String>> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_name =
            |name: &str| (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_part);
        let names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
        let names: Vec<_> = names.collect();
        names.iter().all(|name| is_name(name)).then_some(names)
    }

    fn show(value: &Vec<String>) -> Option<String> {
        Some(value.join(","))
    }
}

/// The path of a Unix socket. A relative one would depend on where the program is started.
pub(crate) struct SocketPath;

/// What fits `sun_path` of Linux with its closing zero.
const MAX_PATH: usize = 107;

impl Takes for SocketPath {
    type Value = PathBuf;
    const FORM: Form = Form::Text;

    fn takes() -> Cow<'static, str> {
        "an absolute path of at most 107 bytes".into()
    }

    fn read(text: &str) -> Option<PathBuf> {
        let fits = text.starts_with('/') && text.len() <= MAX_PATH && !text.contains('\0');
        fits.then(|| PathBuf::from(text))
    }

    fn show(value: &PathBuf) -> Option<String> {
        Some(value.to_string_lossy().into_owned())
    }
}

/// The path of a file that has to be there; a relative one starts where the process does.
pub(crate) struct FilePath;

impl Takes for FilePath {
    type Value = PathBuf;
    const FORM: Form = Form::Text;

    fn takes() -> Cow<'static, str> {
        "the path of a file".into()
    }

    fn read(text: &str) -> Option<PathBuf> {
        let is_path = !text.is_empty() && !text.contains('\0');
        is_path.then(|| PathBuf::from(text))
    }

    fn show(value: &PathBuf) -> Option<String> {
        Some(value.to_string_lossy().into_owned())
    }
}
