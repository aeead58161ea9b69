//! What the tests of redaction share: errors and panics with secrets in all their places.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::error::Error;
use std::fmt;
use std::panic::panic_any;
use std::sync::Arc;

use apibase::{Code, DomainError, MetadataMap, Status};
use tonic::metadata::BinaryMetadataValue;

use super::common::{ParcelError, Secrets, any, error_info, rich};

/// Makes something with secrets in it.
type Plant<T> = fn(&mut Secrets) -> T;

type Panics = Box<dyn Fn() + Send + Sync>;

/// An error, maybe with another behind it.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) text: String,
    pub(crate) source: Option<Box<Cause>>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_deref()?)
    }
}

/// Three errors, one behind the other.
pub(crate) fn causes(secrets: &mut Secrets) -> Cause {
    let mut cause = |place, source| Cause {
        text: secrets.logged(place),
        source,
    };
    let first = cause("first cause", None);
    let second = cause("cause of the cause", Some(Box::new(first)));
    cause("cause", Some(Box::new(second)))
}

/// Metadata and details of a status.
pub(crate) fn raw(code: Code, secrets: &mut Secrets) -> Status {
    let mut metadata = MetadataMap::new();
    let said = secrets.silent("metadata of a raw status");
    metadata.insert("x-said", said.parse().unwrap());
    let said = secrets
        .silent("binary metadata of a raw status")
        .into_bytes();
    metadata.insert_bin("x-said-bin", BinaryMetadataValue::from_bytes(&said));
    let details = [("why", secrets.silent("details of a raw status"))];
    let details = details.each_ref().map(|(key, text)| (*key, text.as_str()));
    let info = error_info("apibase", "NOT_FOUND", &details);
    let details = rich(code, "", vec![any(&info)]).details().to_vec();
    let message = secrets.logged("message");
    Status::with_details_and_metadata(code, message, details.into(), metadata)
}

/// What fails so that its caller is told nothing, by a name.
#[rustfmt::skip]
pub(crate) const FAILURES: [(&str, Plant<ParcelError>); 8] = [
    ("one of the nine", |secrets| {
        let error = DomainError::database(secrets.logged("message"))
            .with_violation(secrets.logged("field"), secrets.logged("description"))
            .with_source(causes(secrets));
        error.into()
    }),
    ("one of a catalogue", |secrets| ParcelError::VanBroken {
        plate: secrets.logged("metadata"),
    }),
    ("a raw INTERNAL", |secrets| raw(Code::Internal, secrets).into()),
    ("a raw UNKNOWN", |secrets| raw(Code::Unknown, secrets).into()),
    ("a raw status with causes", |secrets| {
        let mut status = raw(Code::Internal, secrets);
        status.set_source(Arc::new(causes(secrets)));
        status.into()
    }),
    ("a raw status as a cause", |secrets| {
        let message = secrets.logged("message of the error");
        DomainError::database(message).with_source(raw(Code::NotFound, secrets)).into()
    }),
    ("a raw INTERNAL with a cause that was added", |secrets| {
        DomainError::from(raw(Code::Internal, secrets)).with_source(causes(secrets)).into()
    }),
    ("a source that is a text", |secrets| {
        DomainError::database("").with_source(secrets.logged("cause")).into()
    }),
];

/// What panics, by a name.
#[rustfmt::skip]
pub(crate) const PANICS: [(&str, Plant<Panics>); 3] = [
    ("a panic with a text", |secrets| {
        let text = secrets.logged("text of a panic");
        Box::new(move || panic!("{text}"))
    }),
    ("a panic with a static text", |secrets| {
        let text: &'static str = secrets.logged("static text of a panic").leak();
        Box::new(move || panic_any(text))
    }),
    ("a panic with no text", |secrets| {
        let text = secrets.silent("payload of a panic");
        Box::new(move || panic_any(Cause { text: text.clone(), source: None }))
    }),
];

/// A request's head, with secrets of its caller's.
pub(crate) fn with_secrets(
    head: http::request::Builder,
    secrets: &mut Secrets,
) -> http::request::Builder {
    let token = secrets.silent("incoming token");
    head.header("authorization", format!("Bearer {token}"))
        .header("x-api-key", secrets.silent("incoming key"))
        .header("x-key-bin", secrets.silent("incoming binary key"))
        .header("x-correlation-id", "call-7")
}
