//! Settings of auth that can't be: each is an error that says so, all at once, and none shows a secret.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod tokens;

use std::time::Duration;

use apibase::{Auth, AuthBuilder};
use tokens::{AUDIENCE, Clock, ISSUER, Issuer, Signer};

const SECRET: &[u8] = b"a secret of a test, which is long enough";

fn auth() -> AuthBuilder {
    let auth = Auth::jwt().hs256(SECRET).issuer(ISSUER).audience(AUDIENCE);
    auth.clock(Clock::default().read())
}

#[test]
fn an_exclusion_that_is_no_whole_name_is_an_error() {
    for odd in [
        "",
        "/",
        "/*",
        "*",
        "/*/*",
        "/echo.EchoService",
        "/echo.EchoService/",
        "echo.EchoService/Echo",
        "/echo.EchoService/Ec*",
        "/echo.*/Echo",
        "/echo.EchoService/Echo/",
        "//Echo",
        "/a..b/C",
        "/echo.EchoService/Echo?x",
        "/echo.EchoService/%45cho",
        "/echo.EchoService/Echo ",
        "/a.b/c/d",
    ] {
        let error = auth().exclude(odd).build().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("is excluded, and is neither a method"),
            "{odd}: {error}"
        );
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let error = Auth::jwt()
        .kid("early")
        .hs256("short")
        .rs256_pem("no key")
        .es256_pem(Signer::eddsa("1").pem())
        .jwks_url("ftp://keys")
        .jwks_url("https://id.example.com/keys")
        .jwks_refresh(Duration::from_secs(1))
        .audience("")
        .leeway(Duration::from_secs(301))
        .exclude("/Echo*")
        .cache(usize::MAX)
        .build()
        .unwrap_err();
    let problems: Vec<_> = error.problems().collect();
    assert_eq!(problems.len(), 10, "{error}");
    for part in [
        "before any key",
        "32 at least",
        "no public key; PEM",
        "no public key for ES256",
        "several sources",
        "30 seconds to a day",
        "is empty",
        "the leeway is 301s",
        "`/Echo*`",
        "cache",
    ] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn keys_that_can_not_be_used_are_errors() {
    let says = |auth: AuthBuilder, part: &str| {
        let error = auth.build().unwrap_err();
        assert!(error.to_string().contains(part), "{part}: {error}");
        assert_eq!(error.problems().count(), 1, "{error}");
    };
    let (one, two) = (Signer::es256("1"), Signer::es256("2"));
    says(Auth::jwt(), "there is no key");
    says(
        Auth::jwt().es256_pem(one.pem()).es256_pem(two.pem()),
        "one has no name",
    );
    let twice = Auth::jwt()
        .es256_pem(one.pem())
        .kid("1")
        .es256_pem(two.pem())
        .kid("1");
    says(twice, "two keys have the kid `1`");
    says(
        Auth::jwt().es256_pem(one.pem()).keys_from(Issuer::new(&[])),
        "one has no name",
    );
    says(Auth::jwt().rs256_pem(one.pem()), "no public key for RS256");
    says(
        Auth::jwt().es256_pem("-----BEGIN PRIVATE KEY-----"),
        "it is a private key",
    );
    says(
        Auth::jwt().es256_pem("-----BEGIN CERTIFICATE-----"),
        "it is a certificate",
    );
    says(Auth::jwt().hs256(one.pem()), "it is PEM");
    for elsewhere in ["id.example.com", "localhost.example.com", "10.0.0.1:80"] {
        let url = format!("http://{elsewhere}/keys");
        says(Auth::jwt().jwks_url(&*url), "is plaintext");
        assert!(
            Auth::jwt()
                .jwks_url(url)
                .allow_plaintext_jwks()
                .build()
                .is_ok()
        );
    }
    for here in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.1.2.3:1",
        "[::1]:1",
    ] {
        assert!(
            Auth::jwt()
                .jwks_url(format!("http://{here}/"))
                .build()
                .is_ok(),
            "{here}"
        );
    }
    says(Auth::jwt().jwks_url("keys"), "is neither `https://`");
    says(
        Auth::jwt().jwks_url("https://a:b@id.example.com/keys"),
        "a user or a password",
    );
    says(
        Auth::jwt().jwks_url("http://localhost").jwks_ca_pem("x"),
        "is not `https://`",
    );
    says(
        Auth::jwt().jwks_url("https://localhost").jwks_ca_pem("x"),
        "has no certificate",
    );
    says(Auth::jwt().hs256(SECRET).jwks_ca_pem("x"), "no such URL");
}

#[test]
fn an_issuer_that_has_keys_of_its_own_has_no_others() {
    let says = |auth: AuthBuilder, part: &str| {
        let error = auth.build().unwrap_err();
        assert!(error.to_string().contains(part), "{part}: {error}");
        assert_eq!(error.problems().count(), 1, "{error}");
    };
    let own = || Auth::jwt().hs256(SECRET).kid("1").issued_by("a");
    let all = || own().keys_from(Issuer::new(&[]));
    says(
        Auth::jwt().issued_by("a").hs256(SECRET),
        "stands before any key",
    );
    says(
        own().issuer("a"),
        "has a key of its own, and is named for all",
    );
    says(all().issuer("b").issuer("a"), "is named for all");
    says(all(), "the other keys are for any issuer");
    says(
        own().es256_pem(Signer::es256("2").pem()).kid("2"),
        "for any issuer",
    );
    says(Auth::jwt().hs256(SECRET).issued_by(""), "is empty");
    assert!(own().build().is_ok() && all().issuer("b").build().is_ok());
}

#[test]
fn a_wrong_url_is_not_shown_with_what_is_secret_in_it() {
    for url in [
        "https://a:hunter2@id.example.com/keys",
        "https://a:hunter2@id.example.com:x/keys",
        "ftp://id.example.com/keys?code=hunter2",
        "http://id.example.com/keys?code=hunter2#hunter2",
        "a:hunter2@id.example.com/keys",
    ] {
        let error = Auth::jwt().jwks_url(url).build().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn nothing_shows_a_key() {
    let builder = auth()
        .hs256("hunter2 hunter2 hunter2 hunter2 hunter2")
        .kid("1");
    let shown = format!("{builder:?} {:?}", auth().build().unwrap());
    assert!(
        !shown.contains("hunter2") && !shown.contains("a secret"),
        "{shown}"
    );
}
