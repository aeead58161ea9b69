//! Compressed messages: which encodings there are, and which of them two sides agree on
//! (gRPC's `compression.md`).
//!
//! Each message is compressed by itself: nothing that one says helps to guess another one, but for
//! what stands in the same message.

#[cfg(any(feature = "gzip", feature = "zstd"))]
mod codecs;
#[cfg(any(feature = "gzip", feature = "zstd"))]
mod grow;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(not(any(feature = "gzip", feature = "zstd")))]
mod nothing;
#[cfg(feature = "zstd")]
mod zstandard;

use std::fmt;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};

#[cfg(any(feature = "gzip", feature = "zstd"))]
pub(crate) use self::codecs::{decompress, pack};
#[cfg(not(any(feature = "gzip", feature = "zstd")))]
pub(crate) use self::nothing::{decompress, pack};
use super::headers::{GRPC_ACCEPT_ENCODING, GRPC_ENCODING, IDENTITY};

/// How messages are compressed.
///
/// Both work at their fastest level: a reply that waits for a better ratio is later, not sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// gzip (RFC 1952), which all gRPC libraries know. Takes the feature `gzip`.
    #[cfg(feature = "gzip")]
    Gzip,
    /// Zstandard (RFC 8878): faster, and known to fewer. Takes the feature `zstd`.
    #[cfg(feature = "zstd")]
    Zstd,
}

/// How many encodings there are at most.
const MOST: usize = 2;

/// The messages below this size go as they are, in bytes: there is little to win, and a small one is
/// in one packet anyhow.
pub(crate) const WORTH: usize = 1024;

/// Encodings in the order in which they are preferred, none of them twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encodings {
    list: [Option<Compression>; MOST],
    /// They, as a peer is told of them.
    header: HeaderValue,
}

/// Why a message can't be decompressed.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(
    not(any(feature = "gzip", feature = "zstd")),
    allow(dead_code, reason = "nothing is decompressed then")
)]
pub(crate) enum Broken {
    /// It would be larger than is read.
    TooLarge,
    /// It isn't what it says that it is.
    Corrupt(&'static str),
}

impl Compression {
    /// All that are built in.
    const ALL: &[Self] = &[
        #[cfg(feature = "gzip")]
        Self::Gzip,
        #[cfg(feature = "zstd")]
        Self::Zstd,
    ];

    /// Its name on the wire and in settings: `gzip`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            #[cfg(feature = "gzip")]
            Self::Gzip => "gzip",
            #[cfg(feature = "zstd")]
            Self::Zstd => "zstd",
        }
    }

    /// The one of this name, if it is built in.
    #[cfg(feature = "server")]
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|encoding| encoding.as_str() == name)
    }

    /// It, as a message's sender names it.
    pub(crate) const fn header(self) -> HeaderValue {
        HeaderValue::from_static(self.as_str())
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Encodings {
    pub(crate) const fn none() -> Self {
        Self {
            list: [None; MOST],
            header: IDENTITY,
        }
    }

    pub(crate) fn new(encodings: impl IntoIterator<Item = Compression>) -> Self {
        let mut list = [None; MOST];
        for encoding in encodings {
            let place = list
                .iter_mut()
                .find(|place| place.is_none_or(|known| known == encoding));
            // There are as many places as encodings.
            if let Some(place) = place {
                *place = Some(encoding);
            }
        }
        let mut names: Vec<_> = list.iter().flatten().map(|known| known.as_str()).collect();
        names.push("identity");
        let header = HeaderValue::from_str(&names.join(",")).unwrap_or(IDENTITY);
        Self { list, header }
    }

    /// All that are built in: a client reads what a server is set to.
    pub(crate) fn all() -> &'static Self {
        static ALL: LazyLock<Encodings> =
            LazyLock::new(|| Encodings::new(Compression::ALL.iter().copied()));
        &ALL
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Compression> {
        self.list.iter().copied().flatten()
    }

    /// What a peer is told: these and `identity`.
    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// How the messages that come with `headers` are compressed; the name of an encoding that is
    /// none of these is an error.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Result<Option<Compression>, String> {
        let Some(name) = headers.get(GRPC_ENCODING).filter(|name| **name != IDENTITY) else {
            return Ok(None);
        };
        match self.iter().find(|known| *name == known.as_str()) {
            Some(known) => Ok(Some(known)),
            None => Err(String::from_utf8_lossy(name.as_bytes()).into_owned()),
        }
    }

    /// The first of these that the sender of `headers` takes.
    pub(crate) fn agreed(&self, headers: &HeaderMap) -> Option<Compression> {
        let is_taken = |ours: &Compression| {
            headers
                .get_all(GRPC_ACCEPT_ENCODING)
                .iter()
                .flat_map(|names| names.as_bytes().split(|byte| *byte == b','))
                .any(|name| name.trim_ascii() == ours.as_str().as_bytes())
        };
        self.iter().find(is_taken)
    }
}

impl Default for Encodings {
    fn default() -> Self {
        Self::none()
    }
}

#[cfg(all(test, feature = "gzip", feature = "zstd"))]
mod tests;
