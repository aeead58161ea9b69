//! Writes generated files: all or nothing, and only what has changed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::GeneratedFile;
use crate::error::{Diagnostic, Error};

/// How many files there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// New, or with new content.
    pub(crate) changed: usize,
    /// Left alone, so that their time stamps stay.
    pub(crate) unchanged: usize,
}

/// Writes `files` into `dir`, which is made when it doesn't exist.
///
/// Everything is first written beside its place, and renamed when all of it is on disk: a full
/// disk leaves the old files as they were.
pub(crate) fn write(dir: &Path, files: &[GeneratedFile]) -> Result<Written, Error> {
    check_names(files)?;
    fs::create_dir_all(dir).map_err(|error| io_error("making the directory", dir, error))?;
    let changed: Vec<&GeneratedFile> = files
        .iter()
        .filter(|file| !is_current(&dir.join(&file.name), &file.content))
        .collect();
    let mut staged = Staged::default();
    for file in &changed {
        staged.add(&dir.join(&file.name), &file.content)?;
    }
    staged.commit()?;
    Ok(Written {
        changed: changed.len(),
        unchanged: files.len() - changed.len(),
    })
}

/// Whether `path` holds `content` already.
pub(crate) fn is_current(path: &Path, content: &str) -> bool {
    fs::read(path).is_ok_and(|found| found == content.as_bytes())
}

/// Refuses two files of one name, of which only the last would be seen.
pub(crate) fn check_names(files: &[GeneratedFile]) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    for file in files {
        // File systems that ignore case would lose one of two files that differ in it.
        if !names.insert(file.name.to_lowercase()) {
            return Err(Error::parameter(vec![
                Diagnostic::new(format!("two generated files are called `{}`", file.name)).help(
                    "choose another include_file, or other package names: a package's files are \
                     named after it",
                ),
            ]));
        }
    }
    Ok(())
}

/// Files written beside their places, removed again unless they are committed.
#[derive(Default)]
struct Staged {
    files: Vec<(PathBuf, PathBuf)>,
}

impl Staged {
    fn add(&mut self, path: &Path, content: &str) -> Result<(), Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // The process id keeps two runs into one directory apart.
        let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        self.files.push((beside.clone(), path.to_owned()));
        fs::write(&beside, content).map_err(|error| io_error("writing", path, error))
    }

    fn commit(mut self) -> Result<(), Error> {
        for (beside, path) in &self.files {
            fs::rename(beside, path).map_err(|error| io_error("replacing", path, error))?;
        }
        self.files.clear();
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        for (beside, _) in &self.files {
            // One that is not there was never written, or is in place; for others nothing more can
            // be done.
            drop(fs::remove_file(beside));
        }
    }
}

fn io_error(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("{doing} {}", path.display()), error)
}
