//! The options file that this version brings.

use std::path::Path;

use protox::file::{File, FileResolver};

/// The name by which protos import our options.
pub(crate) const OPTIONS_FILE: &str = "apibase/v1/options.proto";

/// All of that file, in this version.
pub(crate) const OPTIONS_SOURCE: &str = include_str!("../../../protos/apibase/v1/options.proto");

/// Has the one file, for protox.
#[derive(Debug)]
pub(crate) struct EmbeddedOptions;

impl FileResolver for EmbeddedOptions {
    fn resolve_path(&self, _path: &Path) -> Option<String> {
        // It has no path on disk.
        None
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == OPTIONS_FILE {
            File::from_source(name, OPTIONS_SOURCE)
        } else {
            Err(protox::Error::file_not_found(name))
        }
    }
}
