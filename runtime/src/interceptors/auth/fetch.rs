//! [`JwksUrl`]: keys by HTTP. One GET over HTTP/1.1, with bounds on all of it.

use std::fmt;
use std::net::IpAddr;
use std::pin::{Pin, pin};

use http::{Request, StatusCode, Uri, header};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

#[cfg(feature = "tls")]
use super::secure::Secure;
use super::source::KeySource;
use crate::BoxError;

/// How large an answer is taken, in bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// Keys that an issuer publishes at a URL.
pub(super) struct JwksUrl {
    host: String,
    port: u16,
    /// What is asked for at the host.
    path: String,
    /// With its port, where that is not the scheme's.
    authority: String,
    #[cfg(feature = "tls")]
    secure: Option<Secure>,
}

impl JwksUrl {
    /// One at `url`; over TLS, `ca` are the only CAs that are trusted, if there are any.
    pub(super) fn new(url: &str, ca: Option<&[u8]>, in_plaintext: bool) -> Result<Self, String> {
        let wrong = |why: &str| format!("the JWKS URL `{}` {why}", shown(url));
        let uri: Uri = url.parse().map_err(|_| wrong("is no URL"))?;
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') {
            // It would have to be sent in a way that many logs keep.
            return Err(wrong(
                "has a user or a password in it; use a `KeySource` that keeps them",
            ));
        }
        let (is_secure, port) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            _ => return Err(wrong("is neither `https://` nor `http://`")),
        };
        if is_secure && cfg!(not(feature = "tls")) {
            return Err(wrong("takes apibase's feature `tls`"));
        }
        if ca.is_some() && !is_secure {
            return Err(wrong("is not `https://`, and has a CA"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if !is_secure && !in_plaintext && !is_here(&host) {
            return Err(wrong(
                "is plaintext: who stands between can put other keys in place of the issuer's, and sign \
                 tokens by those; take `https://`, or say `allow_plaintext_jwks`",
            ));
        }
        #[cfg(feature = "tls")]
        let secure = match is_secure {
            true => Some(Secure::new(&host, ca)?),
            false => None,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            port: authority.port_u16().unwrap_or(port),
            path: path.to_owned(),
            authority: authority.as_str().to_owned(),
            host,
            #[cfg(feature = "tls")]
            secure,
        })
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, BoxError> {
        let stream = TcpStream::connect((&*self.host, self.port)).await?;
        #[cfg(feature = "tls")]
        if let Some(secure) = &self.secure {
            return Ok(Box::new(secure.handshake(stream).await?));
        }
        Ok(Box::new(stream))
    }

    async fn get(&self) -> Result<Vec<u8>, BoxError> {
        let stream = TokioIo::new(self.connect().await?);
        let (mut sender, connection) = http1::handshake(stream).await?;
        let request = Request::get(&self.path)
            .header(header::HOST, &self.authority)
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .header(
                header::USER_AGENT,
                concat!("apibase/", env!("CARGO_PKG_VERSION")),
            )
            .body(tonic::body::Body::empty())?;
        let exchange = async move {
            let response = sender.send_request(request).await?;
            let status = response.status();
            if status != StatusCode::OK {
                // A redirection would be somebody else's choice of who says which keys are good.
                let why = format!("the answer is HTTP {status}, and redirections are not followed");
                return Err(why.into());
            }
            read(response.into_body()).await
        };
        // The connection moves what the exchange waits for, and says no more than it does.
        let moving = async move {
            let _ = connection.await;
            std::future::pending::<()>().await;
        };
        let (exchange, moving) = (pin!(exchange), pin!(moving));
        tokio::select! {
            answer = exchange => answer,
            () = moving => Err("the connection has ended".into()),
        }
    }
}

impl KeySource for JwksUrl {
    async fn fetch(&self) -> Result<Vec<u8>, BoxError> {
        let keys = self.get().await;
        keys.map_err(|error| format!("{self}: {}", causes(&*error)).into())
    }
}

impl fmt::Display for JwksUrl {
    /// Shows no query: what it holds can be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "`{}{path}`", self.authority)
    }
}

/// A URL, which may be none, without what can be secret in it: user, password and query.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let at = url.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = url.split_at(at);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}{host}{path}")
}

/// Whether it is on this machine, where nobody stands between.
fn is_here(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn read(mut body: Incoming) -> Result<Vec<u8>, BoxError> {
    let mut answer = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            if answer.len() + data.len() > MAX_ANSWER {
                return Err(format!("the answer is larger than {MAX_ANSWER} bytes").into());
            }
            answer.extend_from_slice(&data);
        }
    }
    Ok(answer)
}

/// An error with all its causes: what hyper says by itself is half a sentence.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
