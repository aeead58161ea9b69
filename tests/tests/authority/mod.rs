//! Certificates of our own making, and clients that show them.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::common::{RawClient, soon};

/// A CA.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) chain: String,
    pub(crate) key: String,
}

/// A certificate that nobody but itself has signed.
pub(crate) fn self_signed(with: impl FnOnce(&mut CertificateParams)) -> Issued {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    with(&mut params);
    let key = KeyPair::generate().unwrap();
    Issued {
        chain: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a server at `localhost`.
    pub(crate) fn server(&self) -> Issued {
        self.issue(|_| {})
    }

    /// A certificate with what `with` changes.
    pub(crate) fn issue(&self, with: impl FnOnce(&mut CertificateParams)) -> Issued {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.distinguished_name = named("server");
        with(&mut params);
        let key = KeyPair::generate().unwrap();
        Issued {
            chain: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// A client that trusts this CA, and speaks HTTP/2.
    pub(crate) fn client(&self) -> Client {
        Client {
            ca: self.pem(),
            own: None,
            alpn: vec![b"h2".to_vec()],
            version: &version::TLS13,
        }
    }
}

pub(crate) fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

impl Issued {
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.chain.as_bytes()).unwrap()
    }
}

/// A client, as it is set.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) ca: String,
    pub(crate) own: Option<Issued>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) version: &'static SupportedProtocolVersion,
}

impl Client {
    pub(crate) fn showing(mut self, own: &Issued) -> Self {
        self.own = Some(own.clone());
        self
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(self.ca.as_bytes()).unwrap();
        roots.add(ca).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match &self.own {
            Some(own) => {
                let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![own.der()], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&self.alpn);
        Arc::new(config)
    }

    /// Makes a handshake.
    pub(crate) async fn connect(&self, addr: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        connect(self.config(), addr).await
    }

    /// Makes a handshake, and speaks HTTP/2.
    pub(crate) async fn raw(&self, addr: SocketAddr) -> RawClient {
        RawClient::over(self.connect(addr).await.unwrap()).await
    }

    /// The certificate that the server shows.
    pub(crate) async fn shown(&self, addr: SocketAddr) -> CertificateDer<'static> {
        let stream = self.connect(addr).await.unwrap();
        let certificates = stream.get_ref().1.peer_certificates().unwrap();
        certificates[0].clone()
    }

    /// How the server refuses it: what the client reads in place of HTTP/2. With TLS 1.3 a client has
    /// ended its handshake before the server has seen its certificate.
    pub(crate) async fn refused(&self, addr: SocketAddr) -> String {
        let mut stream = match self.connect(addr).await {
            Ok(stream) => stream,
            Err(error) => return error.to_string(),
        };
        let _ = stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        let mut read = [0; 1];
        match soon(stream.read(&mut read)).await {
            Ok(0) => "closed".to_owned(),
            Ok(_) => panic!("the server speaks HTTP/2"),
            Err(error) => error.to_string(),
        }
    }
}

pub(crate) async fn connect(
    config: Arc<ClientConfig>,
    addr: SocketAddr,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(config).connect(name, stream)).await
}

/// Files as Kubernetes mounts them: each a link into a folder, which is swapped as a whole.
pub(crate) struct Mounted {
    folder: TempDir,
    swapped: u32,
}

impl Mounted {
    pub(crate) fn new(own: &Issued) -> Self {
        let mut mounted = Self {
            folder: tempfile::tempdir().unwrap(),
            swapped: 0,
        };
        mounted.swap(&[("tls.crt", &own.chain), ("tls.key", &own.key)]);
        mounted
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Has these files in place of those that were there.
    #[cfg(unix)]
    pub(crate) fn swap(&mut self, files: &[(&str, &str)]) {
        use std::os::unix::fs::symlink;

        self.swapped += 1;
        let version = format!("..{}", self.swapped);
        std::fs::create_dir(self.path(&version)).unwrap();
        for (name, text) in files {
            std::fs::write(self.path(&version).join(name), text).unwrap();
            if !is_link(&self.path(name)) {
                symlink(Path::new("..data").join(name), self.path(name)).unwrap();
            }
        }
        symlink(&version, self.path("..new")).unwrap();
        std::fs::rename(self.path("..new"), self.path("..data")).unwrap();
    }

    /// Has this in place of one of the files.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        // Nobody sees it half written.
        std::fs::write(self.path("new"), text).unwrap();
        std::fs::rename(self.path("new"), self.path(name)).unwrap();
    }
}

fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}
