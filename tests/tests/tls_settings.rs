//! What TLS is set to, and what is said where that is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

mod authority;
mod common;

use apibase::{ClientCertificates, Server, SettingOrigin, Tls};
use authority::{Authority, Mounted};
use common::{EchoServiceServer, Running, Scripted, log};

const CERT: &str = "GRPC__SERVER__TLS_CERT_FILE";
const KEY: &str = "GRPC__SERVER__TLS_KEY_FILE";
const CA: &str = "GRPC__SERVER__TLS_CLIENT_CA_FILE";
const AUTH: &str = "GRPC__SERVER__TLS_CLIENT_AUTH";

fn refusal(variables: &[(&str, &str)]) -> String {
    let error = Server::from_variables(variables.iter().copied()).unwrap_err();
    error.to_string()
}

#[test]
fn a_setting_without_the_one_that_it_needs_is_refused() {
    let lacks = |what, whose| format!("{what}: it is not set, and `{whose}` needs it");
    assert_eq!(refusal(&[(CERT, "/a")]), lacks(KEY, CERT));
    assert_eq!(refusal(&[(KEY, "/a")]), lacks(CERT, KEY));
    assert_eq!(refusal(&[(CA, "/a")]), lacks(CERT, CA));
    let pair = [(CERT, "/a"), (KEY, "/b")];
    let with_auth = [&pair[..], &[(AUTH, "optional")]].concat();
    assert_eq!(refusal(&with_auth), lacks(CA, AUTH));
    let wrong = [&pair[..], &[(AUTH, "always")]].concat();
    let problem = format!("{AUTH}: `always` is not `required` or `optional`");
    assert_eq!(refusal(&wrong), problem);
}

#[tokio::test]
async fn a_server_is_set_by_the_environment() {
    let log = log();
    let authority = Authority::new("CA");
    let own = authority.server();
    let mut files = Mounted::new(&own);
    files.swap(&[
        ("tls.crt", &own.chain),
        ("tls.key", &own.key),
        ("ca.crt", &authority.pem()),
    ]);
    let path = |name: &str| files.path(name).to_str().unwrap().to_owned();
    let mut variables = vec![
        (CERT, path("tls.crt")),
        (KEY, path("tls.key")),
        (CA, path("ca.crt")),
    ];
    for (auth, lets_in) in [
        (None, false),
        (Some("required"), false),
        (Some("optional"), true),
    ] {
        variables.truncate(3);
        variables.extend(auth.map(|auth| (AUTH, auth.to_owned())));
        let server = Server::from_variables(variables.clone()).unwrap();
        let described = server.describe();
        let setting = described.get("tls_key_file").unwrap();
        let origin = SettingOrigin::Env;
        assert_eq!(
            (setting.value(), setting.origin()),
            (Some(&*variables[1].1), origin)
        );
        assert_eq!(described.get("tls_client_auth").unwrap().value(), auth);
        let server = server.add_servicer(EchoServiceServer::new(Scripted::new()));
        let running = Running::of(server).await;
        let client = authority.client();
        let known = client.clone().showing(&own);
        known.raw(running.addr).await.lives().await;
        match lets_in {
            true => client.raw(running.addr).await.lives().await,
            false => drop(client.refused(running.addr).await),
        }
    }
    let lines = log.own_lines();
    let told = |how| {
        let how = format!("client_certificates=\"{how}\"");
        lines.iter().filter(|line| line.contains(&how)).count()
    };
    assert_eq!((told("required"), told("optional")), (2, 1), "{lines:#?}");
}

#[test]
fn code_goes_before_the_environment_as_a_whole() {
    let variables = [(CERT, "/env.crt"), (KEY, "/env.key"), (CA, "/env.ca")];
    let server = Server::from_variables(variables).unwrap();
    let described = server.tls(Tls::from_files("/a.crt", "/a.key")).describe();
    let of = |name| {
        let setting = described.get(name).unwrap();
        (setting.value().map(str::to_owned), setting.origin())
    };
    let set = |value: &str| (Some(value.to_owned()), SettingOrigin::Code);
    assert_eq!(of("tls_cert_file"), set("/a.crt"));
    assert_eq!(of("tls_key_file"), set("/a.key"));
    assert_eq!(of("tls_client_ca_file"), (None, SettingOrigin::Code));
    let tls = Tls::from_files("/a.crt", "/a.key")
        .client_ca_file("/a.ca")
        .client_certificates(ClientCertificates::Optional);
    let described = Server::new().tls(tls).describe().to_string();
    for line in [
        "tls_client_ca_file = \"/a.ca\"",
        "tls_client_auth = \"optional\"",
    ] {
        assert!(described.contains(line), "{described}");
    }
}

/// What a server that can't start says.
async fn error(tls: Tls) -> String {
    let server = Server::new().host([127, 0, 0, 1]).port(0).tls(tls);
    let error = server.bind().await.unwrap_err();
    assert!(!error.is_bind());
    error.to_string()
}

#[tokio::test]
async fn what_is_broken_at_the_start_is_named() {
    let authority = Authority::new("CA");
    let (own, other) = (authority.server(), authority.server());
    let mut files = Mounted::new(&own);
    files.swap(&[
        ("tls.crt", &own.chain),
        ("tls.key", &own.key),
        ("other.key", &other.key),
    ]);
    let path = |name| files.path(name);
    let (chain, key) = (path("tls.crt"), path("tls.key"));

    let nowhere = error(Tls::from_files(path("nowhere.crt"), &key)).await;
    let expected = format!(
        "cannot serve over TLS: the certificate {:?}: it can't be read: No such file or directory \
         (os error 2)",
        path("nowhere.crt")
    );
    assert_eq!(nowhere, expected);
    let misfit = error(Tls::from_files(&chain, path("other.key"))).await;
    let expected = format!(
        "cannot serve over TLS: the private key {:?}: it is not that of the certificate {chain:?}",
        path("other.key")
    );
    assert_eq!(misfit, expected);
    let swapped = error(Tls::from_files(&key, &chain)).await;
    assert!(swapped.contains("are the two swapped?"), "{swapped}");
    let pair = Tls::from_files(&chain, &key);
    let no_ca = error(pair.clone().client_ca_pem("")).await;
    assert!(no_ca.contains("the CA of client certificates from memory: it has no certificate"));
    let wanted = pair.client_certificates(ClientCertificates::Required);
    let without = error(wanted).await;
    assert!(
        without.ends_with("no CA is given that they are of"),
        "{without}"
    );
    let memory = error(Tls::from_pem(own.chain, "not a key")).await;
    assert!(
        memory.contains("the private key from memory: it has no private key"),
        "{memory}"
    );
}
