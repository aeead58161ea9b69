//! [`Pem`]: certificates and keys in PEM (RFC 7468), from a file or from memory.
//!
//! Nothing here shows what it reads. Where a private key has lost its line breaks, the whole key is in
//! the line that a parser would complain about.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

/// A file that is larger, in bytes, is none of ours: a device for example, which has no end. All the
/// roots of a system take 200 KiB.
const MAX_SIZE: u64 = 4 * 1024 * 1024;

/// Where something in PEM is.
#[derive(Clone)]
pub(crate) enum Pem {
    File(PathBuf),
    Memory(Arc<[u8]>),
}

/// What can't be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    place: String,
    why: String,
}

impl Pem {
    pub(crate) fn memory(pem: impl Into<Vec<u8>>) -> Self {
        Self::Memory(pem.into().into())
    }

    /// Its path, where it has one.
    #[cfg(feature = "server")]
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Memory(_) => None,
        }
    }

    /// The text, as it is now.
    pub(crate) fn read(&self, what: &str) -> Result<Vec<u8>, Broken> {
        match self {
            Self::File(path) => {
                read(path).map_err(|why| self.broken(what, format!("it can't be read: {why}")))
            }
            Self::Memory(pem) => Ok(pem.to_vec()),
        }
    }

    /// It is broken; `what` is what it should be, "the private key" for example.
    pub(crate) fn broken(&self, what: &str, why: impl Into<String>) -> Broken {
        Broken {
            place: format!("{what} {self}"),
            why: why.into(),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    // Opening a pipe would wait for somebody to write to it.
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(MAX_SIZE + 1).read_to_end(&mut text);
    if read.map_err(|error| error.to_string())? as u64 > MAX_SIZE {
        return Err("it is larger than 4 MiB".to_owned());
    }
    Ok(text)
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{path:?}"),
            Self::Memory(_) => f.write_str("from memory"),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Broken {
    /// What is wrong with none of the files alone.
    pub(crate) fn tls(why: impl Into<String>) -> Self {
        Self {
            place: "TLS".to_owned(),
            why: why.into(),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

/// The certificates of a text, at least one, each of them X.509.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| damage(&error).to_owned())?;
    if found.is_empty() {
        return Err(match private_key(pem) {
            Ok(_) => "it has a private key, and should have a certificate; are the two swapped?",
            Err(_) => "it has no certificate; PEM is wanted, with `-----BEGIN CERTIFICATE-----`",
        }
        .to_owned());
    }
    for (index, certificate) in found.iter().enumerate() {
        if !matches!(X509Certificate::from_der(certificate), Ok((rest, _)) if rest.is_empty()) {
            return Err(format!("its certificate {} is not X.509", index + 1));
        }
    }
    Ok(found)
}

/// The first private key of a text.
pub(crate) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, &'static str> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        Error::NoItemsFound if has(pem, b"ENCRYPTED PRIVATE KEY") => {
            "the key is encrypted; decrypt it, `openssl pkey` does"
        }
        Error::NoItemsFound if has(pem, b"BEGIN CERTIFICATE") => {
            "it has a certificate, and should have a private key; are the two swapped?"
        }
        Error::NoItemsFound => {
            "it has no private key; PEM is wanted, with `-----BEGIN PRIVATE KEY-----`"
        }
        error => damage(&error),
    })
}

fn has(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// What is wrong with the PEM, without a word of it.
fn damage(error: &Error) -> &'static str {
    match error {
        Error::MissingSectionEnd { .. } => {
            "it is cut off, or has lost its line breaks: a `-----END …-----` is missing"
        }
        Error::IllegalSectionStart { .. } => {
            "a line that starts with `-----BEGIN` doesn't end with `-----`; did it lose its line \
             breaks?"
        }
        Error::Base64Decode(_) => "what it has between BEGIN and END is not Base64",
        _ => "it is not PEM",
    }
}

impl std::error::Error for Broken {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_key_is_said_without_a_word_of_it() {
        let secret = "c2VjcmV0";
        for (pem, why) in [
            ("", "it has no private key"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "encrypted",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n",
                "swapped",
            ),
            (
                "-----BEGIN PRIVATE KEY-----c2VjcmV0-----END PRIVATE KEY-----x\n",
                "line breaks",
            ),
            ("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n", "cut off"),
            (
                "-----BEGIN PRIVATE KEY-----c2VjcmV0-----END PRIVATE KEY-----\n",
                "line breaks",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nc2VjcmV0!\n-----END PRIVATE KEY-----\n",
                "Base64",
            ),
        ] {
            let error = private_key(pem.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{pem:?}: {error}");
            assert!(!error.contains(secret), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_with_certificates_is_said() {
        for (pem, why) in [
            ("# nothing\n", "no certificate"),
            (
                "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
                "swapped",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n",
                "its certificate 1 is not X.509",
            ),
            ("-----BEGIN CERTIFICATE-----\nc2Vj", "cut off"),
        ] {
            let error = certificates(pem.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{pem:?}: {error}");
        }
    }

    #[test]
    fn only_files_are_read() {
        let folder = Pem::File(std::env::temp_dir());
        let error = folder.read("the certificate").unwrap_err().to_string();
        assert!(
            error.ends_with("it can't be read: it is not a file"),
            "{error}"
        );
        let nowhere = Pem::File("/nowhere/tls.crt".into());
        let error = nowhere.read("the certificate").unwrap_err().to_string();
        let start = "the certificate \"/nowhere/tls.crt\": it can't be read: No such file";
        assert!(error.starts_with(start), "{error}");
    }

    #[test]
    fn what_is_in_memory_is_not_shown() {
        let shown = format!("{:?}", Pem::memory("secret"));
        assert_eq!(shown, "from memory");
    }
}
