//! Why a handshake failed, in the words of who has to do something about it.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use super::ClientTls;

/// What rustls says of a handshake with the server at `host`.
pub(super) fn explained(error: io::Error, tls: &ClientTls, host: &str) -> io::Error {
    let why = match cause(&error) {
        Some(Error::InvalidCertificate(wrong)) => certificate(wrong, tls, host),
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "what the server says is not TLS: it may be set to plaintext, which is `http://` here"
                .to_owned()
        }
        Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
            "the server doesn't speak HTTP/2: it takes none of the ALPN protocols, which is `h2`"
                .to_owned()
        }
        Some(Error::AlertReceived(_)) => return refused(error),
        _ if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed the connection in the TLS handshake; does it speak TLS?".to_owned()
        }
        _ => return error,
    };
    io::Error::new(error.kind(), why)
}

/// What a server says that doesn't take the client's certificate, or the lack of one.
pub(super) fn refused(error: io::Error) -> io::Error {
    let Some(Error::AlertReceived(alert)) = cause(&error) else {
        return error;
    };
    let why = match alert {
        AlertDescription::CertificateRequired => {
            "the server wants a certificate of the client; give one by `ClientTls::identity_files`".to_owned()
        }
        AlertDescription::UnknownCA => {
            "the server doesn't take the client's certificate: it trusts none of the CAs that signed it"
                .to_owned()
        }
        AlertDescription::CertificateExpired => {
            "the server doesn't take the client's certificate: it has expired".to_owned()
        }
        AlertDescription::DecryptError => {
            "the server doesn't take the client's certificate: its signature is not that of the CA of \
             this name that the server trusts"
                .to_owned()
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => {
            format!("the server doesn't take the client's certificate: {alert:?}")
        }
        alert => format!("the server refuses the connection: TLS alert {alert:?}"),
    };
    io::Error::new(error.kind(), why)
}

fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|cause| cause.downcast_ref())
}

/// What is wrong with the server's certificate.
fn certificate(wrong: &CertificateError, tls: &ClientTls, host: &str) -> String {
    match wrong {
        CertificateError::UnknownIssuer => not_signed(tls),
        // A CA that was made anew under its old name: all who make their own do that once.
        CertificateError::BadSignature => format!(
            "{}: one of the same name has signed it with another key",
            not_signed(tls)
        ),
        CertificateError::NotValidForName => format!(
            "the server's certificate is not for `{host}`; where it should be for another name, set that \
             by `ClientTls::server_name`"
        ),
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "the server's certificate is not for `{host}`, but for {}; where that is right, set the name \
             by `ClientTls::server_name`",
            names(presented)
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet".to_owned()
        }
        wrong => format!("the server's certificate can't be used: {wrong}"),
    }
}

fn not_signed(tls: &ClientTls) -> String {
    let trusted = match &tls.ca {
        Some(ca) => format!("a CA that is trusted here, {ca}"),
        None => "a CA of this system; one of your own is given by `ClientTls::ca_file`".to_owned(),
    };
    format!("the server's certificate is not signed by {trusted}")
}

fn names(presented: &[String]) -> String {
    // A certificate may be for a hundred names.
    let shown = presented.iter().take(3).map(String::as_str);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match presented.len() {
        0 => "no name".to_owned(),
        1..=3 => shown,
        _ => format!("{shown} and others"),
    }
}
