//! Whom a request is for: a web page that has its name point here must not read what is here.

use std::net::IpAddr;

use http::HeaderValue;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;

/// The longest part of a host that its answer repeats.
const MAX_SHOWN: usize = 80;

/// Why a request isn't answered: for whom it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misdirected(pub(super) String);

/// Whether a request is for us: for an IP address, `localhost` or one of `names`.
///
/// A page of another site that has its own name resolve to 127.0.0.1 is of the same origin as we are to
/// the browser, and could read all of this; but the browser sends the page's name. Who sends no name is
/// no browser.
pub(super) fn check(request: &Parts, names: &[String]) -> Result<(), Misdirected> {
    let mut hosts = request.headers.get_all(HOST).iter();
    let host = hosts.next().map(HeaderValue::as_bytes);
    if hosts.next().is_some() {
        return Err(Misdirected("two hosts".to_owned()));
    }
    let of_path = request
        .uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    for host in [of_path, host].into_iter().flatten() {
        let is_ours = Authority::try_from(host).is_ok_and(|host| is_ours(host.host(), names));
        if !is_ours {
            let host = String::from_utf8_lossy(host);
            return Err(Misdirected(host.chars().take(MAX_SHOWN).collect()));
        }
    }
    Ok(())
}

fn is_ours(host: &str, names: &[String]) -> bool {
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    if bracketed.unwrap_or(host).parse::<IpAddr>().is_ok() {
        return true;
    }
    // A name may end with the root's dot.
    let host = host.strip_suffix('.').unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || names.iter().any(|name| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn checked(target: &str, hosts: &[&str]) -> bool {
        let names = ["items-admin.internal".to_owned()];
        let request = Request::get(target);
        let request = hosts
            .iter()
            .fold(request, |all, host| all.header(HOST, *host));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, &names).is_ok()
    }

    #[test]
    fn addresses_localhost_and_the_names_are_ours() {
        for host in [
            "127.0.0.1:9090",
            "10.0.0.7",
            "[::1]:9090",
            "localhost",
            "LOCALHOST:1",
            "localhost.",
            "Items-Admin.internal:9090",
        ] {
            assert!(checked("/", &[host]), "{host}");
        }
        assert!(checked("/", &[]), "who sends none is no browser");
        assert!(checked("http://127.0.0.1:9090/", &["127.0.0.1:9090"]));
    }

    #[test]
    fn every_other_name_is_not() {
        for host in [
            "evil.example",
            "localhost.evil.example:9090",
            "127.0.0.1.evil.example",
            "items-admin.internal.evil.example",
            "user@evil.example",
            "",
            "a b",
        ] {
            assert!(!checked("/", &[host]), "{host}");
        }
        assert!(!checked("/", &["localhost", "localhost"]), "two of them");
        assert!(!checked("http://evil.example/", &["localhost"]));
        assert!(!checked("http://localhost/", &["evil.example"]));
    }
}
