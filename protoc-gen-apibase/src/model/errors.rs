//! Error catalogues with all their Rust names, as plain data.

use std::time::Duration;

use super::policy::Code;

/// An error catalogue: an enum with `(apibase.v1.errors)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Catalogue {
    /// `examples.ItemError`
    pub(crate) full_name: String,
    /// The file it is in.
    pub(crate) source: String,
    /// The domain of `google.rpc.ErrorInfo`.
    pub(crate) domain: String,
    /// The lines of its rustdoc.
    pub(crate) docs: Vec<String>,
    /// The enum of errors: `ItemError`.
    pub(crate) ty: String,
    /// The constant with their rows: `ITEM_ERROR_TABLE`.
    pub(crate) table: String,
    /// The trait that makes another service's errors of them: `FromItemError`.
    pub(crate) translator: String,
    /// Its function that does so: `from_item_error`.
    pub(crate) translate: String,
    /// In the order of the proto, without the value 0.
    pub(crate) errors: Vec<CatalogueError>,
}

/// An error of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CatalogueError {
    /// As in the proto: `ITEM_ERROR_ITEM_NOT_FOUND`.
    pub(crate) value: String,
    /// The reason on the wire: `ITEM_NOT_FOUND`.
    pub(crate) reason: String,
    /// The variant: `ItemNotFound`.
    pub(crate) variant: String,
    /// The translator's function: `item_not_found`.
    pub(crate) function: String,
    /// The lines of its rustdoc.
    pub(crate) docs: Vec<String>,
    /// Whether the proto says so.
    pub(crate) deprecated: bool,
    /// The code on the wire.
    pub(crate) code: Code,
    /// The message; never empty.
    pub(crate) message: Vec<Piece>,
    /// What it carries.
    pub(crate) metadata: Vec<Metadata>,
    /// Whether the same call may succeed later.
    pub(crate) retryable: bool,
    /// How long to wait until then.
    pub(crate) retry_delay: Option<Duration>,
    /// What callers are told.
    pub(crate) public: Public,
    /// The HTTP status, where the code's own won't do; from 400 to 599.
    pub(crate) http: Option<u16>,
}

/// A text that an error carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// On the wire: `type`.
    pub(crate) key: String,
    /// The field of the variant: `r#type`.
    pub(crate) field: String,
    /// What the generated code calls its value, where a raw name or that of another value won't do:
    /// `type_`.
    pub(crate) binding: String,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// As it is.
    Text(String),
    /// The value of this.
    Value(Metadata),
}

/// What callers are told of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Public {
    /// Its message.
    Own,
    /// This message.
    Other(Vec<Piece>),
    /// That something failed.
    Redacted,
}

impl CatalogueError {
    /// The most keys of metadata that don't make a `Result` large: each is a `String` of 24 bytes,
    /// and clippy's `result_large_err` warns from 128 bytes on.
    pub(crate) const MOST_KEYS: usize = 5;

    /// The most arguments that clippy's `too_many_arguments` lets a function have.
    const MOST_ARGUMENTS: usize = 7;

    /// Whether it is larger than others.
    pub(crate) fn is_large(&self) -> bool {
        self.metadata.len() > Self::MOST_KEYS
    }

    /// Whether a function for it has more arguments than clippy likes.
    pub(crate) fn has_many_values(&self) -> bool {
        self.metadata.len() > Self::MOST_ARGUMENTS
    }
}
