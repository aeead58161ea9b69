//! `protoc-gen-apibase protos`: the options file, for those who run protoc or buf.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::args::Protos;
use crate::GeneratedFile;
use crate::builder::write;
use crate::descriptors::rules::{OPTIONS_FILE, OPTIONS_SOURCE};
use crate::error::Error;

/// Writes the file where it isn't there or is another version's, or says so.
pub(super) fn run(arguments: &Protos) -> Result<ExitCode, Error> {
    let path = arguments.out.join(OPTIONS_FILE);
    let shown = path.display();
    if is_current(&path) {
        eprintln!("{shown} is up to date");
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.check {
        let state = if path.exists() { "stale" } else { "missing" };
        eprintln!(
            "error: {shown} is {state}\n  help: run `protoc-gen-apibase protos --out {}` and commit \
             the result",
            arguments.out.display()
        );
        return Ok(ExitCode::FAILURE);
    }
    let dir = path.parent().unwrap_or(&arguments.out);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = GeneratedFile {
        name: name.into_owned(),
        content: OPTIONS_SOURCE.to_owned(),
    };
    write::write(dir, &[file])?;
    eprintln!("wrote {shown}");
    Ok(ExitCode::SUCCESS)
}

/// Whether the file is that of this version. Git may check text out with Windows line ends: no
/// difference that matters.
fn is_current(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|found| found.replace("\r\n", "\n") == OPTIONS_SOURCE)
}
