//! A side: a binary, by name.

use std::path::{Path, PathBuf};

/// A client or a server that is compared.
#[derive(Debug)]
pub struct Side {
    /// What the tables call it.
    pub name: String,
    /// What runs it.
    pub binary: PathBuf,
}

impl Side {
    /// `NAME`, which is a binary in the folder, or `NAME=BINARY`.
    pub(super) fn new(text: &str, kind: &str, folder: &Path) -> Self {
        let (name, binary) = match text.split_once('=') {
            Some((name, binary)) => (name, binary.into()),
            None => (text, folder.join(format!("bench-{kind}-{text}"))),
        };
        Self {
            name: name.to_owned(),
            binary,
        }
    }

    /// The build of it that counts its allocations.
    #[must_use]
    pub fn counting(&self) -> PathBuf {
        let mut binary = self.binary.clone().into_os_string();
        binary.push("-counted");
        binary.into()
    }
}
