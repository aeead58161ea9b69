//! Keys by HTTP, from a small server over plain sockets, with and without TLS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod authority;
mod common;
mod tokens;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use apibase::{Auth, AuthBuilder, Code, Interceptors, TowerService};
use authority::Authority;
use common::{EchoServiceServer, Scripted};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokens::{Clock, Issuer, Signer, bearer, call, claims};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const ECHO: &str = "/echo.EchoService/Echo";

/// A server that gives each request this answer and closes; and the requests.
async fn http(answer: String, tls: Option<TlsAcceptor>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            match &tls {
                None => serve(stream, &answer, &told).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, &answer, &told).await;
                    }
                }
            }
        }
    });
    (addr, requests)
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &str,
    told: &Mutex<Vec<String>>,
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut some = [0; 1024];
        match stream.read(&mut some).await {
            Ok(0) | Err(_) => return,
            Ok(length) => request.extend_from_slice(&some[..length]),
        }
    }
    told.lock()
        .unwrap()
        .push(String::from_utf8(request).unwrap());
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn code(auth: AuthBuilder, signer: &Signer) -> Code {
    let auth = auth.clock(Clock::default().read()).build().unwrap();
    let chain = Interceptors::none().with_auth(auth);
    let service: TowerService<_> = EchoServiceServer::new(Scripted::new())
        .into_service(chain)
        .unwrap();
    let token = [bearer(&signer.token(&claims()))];
    call(&service, ECHO, &token).await.code()
}

#[tokio::test]
async fn keys_come_by_http() {
    let one = Signer::es256("1");
    let set = Issuer::set(&[&one]).to_string();
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{set}\r\n0\r\n\r\n",
        set.len()
    );
    for answer in [ok(&set), chunked, format!("HTTP/1.0 200 OK\r\n\r\n{set}")] {
        let (addr, requests) = http(answer, None).await;
        let auth = Auth::jwt().jwks_url(format!("http://{addr}/realms/a/keys?of=x"));
        assert_eq!(code(auth, &one).await, Code::Ok);
        let requests = requests.lock().unwrap();
        let request = requests.join("").to_ascii_lowercase();
        assert!(
            request.starts_with("get /realms/a/keys?of=x http/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains(&format!("host: {addr}\r\n")), "{request}");
        assert_eq!(requests.len(), 1);
    }
}

#[tokio::test]
async fn what_is_no_answer_with_keys_is_none() {
    let one = Signer::es256("1");
    let set = Issuer::set(&[&one]).to_string();
    let (good, _) = http(ok(&set), None).await;
    for (fact, answer) in [
        (
            "an error",
            format!(
                "HTTP/1.1 500 No\r\ncontent-length: {}\r\n\r\n{set}",
                set.len()
            ),
        ),
        (
            "a redirection",
            format!("HTTP/1.1 302 No\r\nlocation: http://{good}/\r\ncontent-length: 0\r\n\r\n"),
        ),
        ("too much", ok(&format!("{set}{}", " ".repeat(300 * 1024)))),
        (
            "half of it",
            format!("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{set}"),
        ),
        ("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n".to_owned()),
        ("nothing", String::new()),
    ] {
        let (addr, _) = http(answer, None).await;
        let auth = Auth::jwt().jwks_url(format!("http://{addr}/"));
        assert_eq!(code(auth, &one).await, Code::Unavailable, "{fact}");
    }
    // Nobody listens.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let auth = Auth::jwt().jwks_url(format!("http://{addr}/"));
    assert_eq!(code(auth, &one).await, Code::Unavailable);
}

#[tokio::test]
async fn keys_come_by_https_from_who_is_meant() {
    let one = Signer::es256("1");
    let set = Issuer::set(&[&one]).to_string();
    let (ca, other) = (Authority::new("ours"), Authority::new("another"));
    let issued = ca.server();
    let certificate = CertificateDer::from_pem_slice(issued.chain.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (addr, requests) = http(ok(&set), Some(acceptor)).await;
    let at = |host: &str| Auth::jwt().jwks_url(format!("https://{host}:{}/keys", addr.port()));
    let well = at("localhost").jwks_ca_pem(ca.pem());
    assert_eq!(code(well, &one).await, Code::Ok);
    assert_eq!(requests.lock().unwrap().len(), 1);
    for (fact, auth) in [
        ("another CA", at("localhost").jwks_ca_pem(other.pem())),
        ("the system's CAs", at("localhost")),
        ("another name", at("127.0.0.1").jwks_ca_pem(ca.pem())),
    ] {
        assert_eq!(code(auth, &one).await, Code::Unavailable, "{fact}");
    }
    assert_eq!(requests.lock().unwrap().len(), 1, "nobody else was asked");
}
