//! Handshakes over a pipe, with certificates of our own making.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::tls::{PeerCertificate, provider};

struct Authority(CertifiedIssuer<'static, KeyPair>);

#[derive(Clone)]
struct Issued {
    chain: String,
    key: String,
}

/// A server: its certificate, the CA that its clients have to be of, and what it speaks.
#[derive(Clone)]
struct Peer {
    own: Issued,
    clients: Option<String>,
    alpn: Vec<Vec<u8>>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, name: &str, with: impl FnOnce(&mut CertificateParams)) -> Issued {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        with(&mut params);
        let key = KeyPair::generate().unwrap();
        Issued {
            chain: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// A server at this name.
    fn server(&self, name: &str) -> Peer {
        Peer::new(self.issue(name, |_| {}))
    }
}

impl Peer {
    fn new(own: Issued) -> Self {
        Self {
            own,
            clients: None,
            alpn: vec![b"h2".to_vec()],
        }
    }

    fn config(&self) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match &self.clients {
            Some(ca) => {
                let mut roots = RootCertStore::empty();
                roots.add(der(ca)).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::from_pem_slice(self.own.key.as_bytes()).unwrap();
        let mut config = builder
            .with_single_cert(vec![der(&self.own.chain)], key)
            .unwrap();
        config.alpn_protocols.clone_from(&self.alpn);
        Arc::new(config)
    }

    /// Takes one connection, and says who the client is: what comes back as its first words.
    fn take(&self) -> DuplexStream {
        let (ours, theirs) = duplex(64 * 1024);
        let acceptor = TlsAcceptor::from(self.config());
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(theirs).await else {
                return;
            };
            let shown = stream.get_ref().1.peer_certificates();
            let shown = shown.and_then(|shown| PeerCertificate::read(&shown[0]));
            let who = shown.map_or("nobody".to_owned(), |who| who.dns_names().join(","));
            stream.write_all(who.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        });
        ours
    }
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// What a server says over a connection that is made so, or what went wrong.
async fn ask(handshakes: &Handshakes, host: &str, peer: &Peer) -> Result<String, String> {
    let talk = async {
        let mut stream = handshakes.handshake(host, peer.take()).await?;
        let mut said = String::new();
        stream.read_to_string(&mut said).await?;
        Ok::<_, std::io::Error>(said)
    };
    let talk = timeout(Duration::from_secs(20), talk).await.unwrap();
    talk.map_err(|error| error.to_string())
}

async fn refused(tls: ClientTls, host: &str, peer: &Peer) -> String {
    ask(&Handshakes::new(tls), host, peer).await.unwrap_err()
}

/// A folder that is gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("apibase-client-tls-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_server_of_the_ca_is_trusted_by_its_name_or_address() {
    let authority = Authority::new("root");
    let tls = Handshakes::new(ClientTls::new().ca_pem(authority.pem()));
    for (name, host) in [
        ("items", "items"),
        ("*.shop.svc", "items.shop.svc"),
        ("10.0.0.7", "10.0.0.7"),
        ("::1", "::1"),
        ("::1", "[::1]"),
    ] {
        let said = ask(&tls, host, &authority.server(name)).await;
        assert_eq!(said.as_deref(), Ok("nobody"), "{name} at {host}");
    }
}

#[tokio::test]
async fn a_server_of_another_ca_is_refused() {
    let authority = Authority::new("root");
    let folder = Folder::new();
    let ca = folder.write("ca.crt", &authority.pem());
    let tls = ClientTls::new().ca_file(&ca);
    for (name, and) in [
        ("other", ""),
        (
            "root",
            ": one of the same name has signed it with another key",
        ),
    ] {
        let peer = Authority::new(name).server("items");
        let error = refused(tls.clone(), "items", &peer).await;
        let start = "the server's certificate is not signed by a CA that is trusted here";
        assert_eq!(error, format!("{start}, {ca:?}{and}"));
    }
}

#[tokio::test]
async fn without_a_ca_of_its_own_a_client_trusts_the_systems() {
    let peer = Authority::new("root").server("items");
    let error = refused(ClientTls::new(), "items", &peer).await;
    let unknown = "the server's certificate is not signed by a CA of this system";
    let none = "TLS: the system has no CA certificates";
    assert!(
        error.starts_with(unknown) || error.starts_with(none),
        "{error}"
    );
    assert!(error.contains("ClientTls::ca_file"), "{error}");
}

#[tokio::test]
async fn a_server_of_another_name_is_refused_unless_that_is_meant() {
    let authority = Authority::new("root");
    let tls = ClientTls::new().ca_pem(authority.pem());
    let peer = authority.server("orders");
    let error = refused(tls.clone(), "items", &peer).await;
    for part in ["is not for `items`", "orders", "server_name"] {
        assert!(error.contains(part), "{error}");
    }
    let named = Handshakes::new(tls.clone().server_name("orders"));
    assert_eq!(ask(&named, "items", &peer).await.as_deref(), Ok("nobody"));
    let error = refused(tls, "no name", &peer).await;
    assert!(error.contains("`no name` is not a name"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_now_is_refused() {
    let authority = Authority::new("root");
    for (from, until, why) in [
        (2000, 2001, "has expired"),
        (2200, 2201, "is not valid yet"),
    ] {
        let own = authority.issue("items", |params| {
            params.not_before = date_time_ymd(from, 1, 1);
            params.not_after = date_time_ymd(until, 1, 1);
        });
        let tls = ClientTls::new().ca_pem(authority.pem());
        let error = refused(tls, "items", &Peer::new(own)).await;
        assert_eq!(error, format!("the server's certificate {why}"));
    }
}

#[tokio::test]
async fn a_server_without_http_2_is_refused() {
    let authority = Authority::new("root");
    let mut peer = authority.server("items");
    for alpn in [vec![], vec![b"http/1.1".to_vec()]] {
        peer.alpn = alpn;
        let tls = ClientTls::new().ca_pem(authority.pem());
        let error = refused(tls, "items", &peer).await;
        let why = "the server doesn't speak HTTP/2: it takes none of the ALPN protocols";
        let other_why = "the server doesn't speak HTTP/2: it took none of the ALPN protocols";
        assert!(
            error.starts_with(why) || error.starts_with(other_why),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused_and_so_is_one_that_closes() {
    let tls = Handshakes::new(ClientTls::new().ca_pem(Authority::new("root").pem()));
    for (says, why) in [
        ("\0\0\0\u{4}\0\0\0\0\0", "what the server says is not TLS"),
        ("", "the server closed the connection in the TLS handshake"),
    ] {
        let (ours, mut theirs) = duplex(1024);
        theirs.write_all(says.as_bytes()).await.unwrap();
        theirs.shutdown().await.unwrap();
        let error = tls.handshake("items", ours).await.unwrap_err().to_string();
        assert!(error.starts_with(why), "{error}");
    }
}

#[tokio::test]
async fn a_client_shows_its_certificate_where_it_is_asked_for() {
    let authority = Authority::new("root");
    let mut peer = authority.server("items");
    peer.clients = Some(authority.pem());
    let own = authority.issue("orders", |_| {});
    let tls = ClientTls::new().ca_pem(authority.pem());
    let shown = Handshakes::new(tls.clone().identity_pem(own.chain, own.key));
    assert_eq!(ask(&shown, "items", &peer).await.as_deref(), Ok("orders"));

    let error = refused(tls.clone(), "items", &peer).await;
    assert!(
        error.contains("wants a certificate of the client"),
        "{error}"
    );
    for name in ["other", "root"] {
        let alien = Authority::new(name).issue("orders", |_| {});
        let alien = tls.clone().identity_pem(alien.chain, alien.key);
        let error = refused(alien, "items", &peer).await;
        let start = "the server doesn't take the client's certificate: ";
        assert!(error.starts_with(start), "{error}");
    }
}

#[tokio::test]
async fn what_is_new_in_the_files_counts_for_the_next_connection() {
    let authority = Authority::new("root");
    let mut peer = authority.server("items");
    peer.clients = Some(authority.pem());
    let folder = Folder::new();
    let write = |own: &Issued| {
        let chain = folder.write("tls.crt", &own.chain);
        (chain, folder.write("tls.key", &own.key))
    };
    let (chain, key) = write(&authority.issue("first", |_| {}));
    let ca = folder.write("ca.crt", &authority.pem());
    let tls = ClientTls::new().ca_file(&ca).identity_files(&chain, &key);
    let patient = Handshakes::new(tls.clone());
    let keen = Handshakes::new(tls.reload_interval(Duration::ZERO));
    for tls in [&patient, &keen] {
        assert_eq!(ask(tls, "items", &peer).await.as_deref(), Ok("first"));
    }
    write(&authority.issue("second", |_| {}));
    assert_eq!(ask(&keen, "items", &peer).await.as_deref(), Ok("second"));
    assert_eq!(
        ask(&patient, "items", &peer).await.as_deref(),
        Ok("first"),
        "it is not time"
    );

    // What is broken, or half there, is not used.
    folder.write("tls.key", &authority.issue("third", |_| {}).key);
    assert_eq!(ask(&keen, "items", &peer).await.as_deref(), Ok("second"));
    folder.write("ca.crt", "nothing");
    assert_eq!(ask(&keen, "items", &peer).await.as_deref(), Ok("second"));

    // The CA is another one now, of server and client.
    let authority = Authority::new("root");
    let mut peer = authority.server("items");
    peer.clients = Some(authority.pem());
    write(&authority.issue("fourth", |_| {}));
    folder.write("ca.crt", &authority.pem());
    assert_eq!(ask(&keen, "items", &peer).await.as_deref(), Ok("fourth"));
    // A handshake that failed is a reason to look, whatever the time.
    assert!(ask(&patient, "items", &peer).await.is_err());
    assert_eq!(ask(&patient, "items", &peer).await.as_deref(), Ok("fourth"));
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_until_it_can() {
    let authority = Authority::new("root");
    let own = authority.issue("orders", |_| {});
    let folder = Folder::new();
    let (chain, key) = (folder.0.join("tls.crt"), folder.0.join("tls.key"));
    let tls = ClientTls::new()
        .ca_pem(authority.pem())
        .identity_files(&chain, &key);
    let tls = Handshakes::new(tls);
    let peer = authority.server("items");
    let fails = async |says: &[String]| {
        let error = ask(&tls, "items", &peer).await.unwrap_err();
        assert!(says.iter().all(|part| error.contains(part)), "{error}");
    };
    fails(&[format!("the certificate {chain:?}: it can't be read")]).await;
    folder.write("tls.crt", &own.chain);
    fails(&[format!("the private key {key:?}: it can't be read")]).await;
    folder.write("tls.key", &own.chain);
    fails(&[format!("the private key {key:?}"), "swapped".to_owned()]).await;
    folder.write("tls.key", &authority.issue("other", |_| {}).key);
    fails(&[format!(
        "the private key {key:?}: it is not that of the certificate"
    )])
    .await;
    folder.write("tls.key", &own.key);
    assert!(ask(&tls, "items", &peer).await.is_ok());
}

#[test]
fn nothing_of_a_key_is_shown() {
    let own = Authority::new("root").issue("orders", |_| {});
    let secret = own.key.lines().nth(1).unwrap().to_owned();
    let tls = ClientTls::new().identity_pem(own.chain, own.key);
    let shown = format!("{tls:?} {tls:#?}");
    assert!(
        !shown.contains(&secret) && !shown.contains("BEGIN"),
        "{shown}"
    );
}
