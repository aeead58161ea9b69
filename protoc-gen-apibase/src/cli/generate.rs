//! `protoc-gen-apibase generate`

use std::path::Path;
use std::process::ExitCode;

use super::args::Generate;
use super::{check, print_warnings};
use crate::builder::{Builder, write};
use crate::error::Error;
use crate::options::Given;

/// Generates into the directory, or compares it with what would be generated.
pub(super) fn run(arguments: &Generate) -> Result<ExitCode, Error> {
    let given = Given::from_pairs(arguments.options.iter().map(String::as_str));
    let output = Builder::from(given).generate(&arguments.files, &arguments.includes)?;
    print_warnings(&output.warnings);
    if arguments.check {
        return check::run(arguments, &output.files);
    }
    let written = write::write(&arguments.out, &output.files)?;
    eprintln!("{}", summary(written, &arguments.out));
    Ok(ExitCode::SUCCESS)
}

/// `dir` with a slash at its end.
pub(super) fn shown(dir: &Path) -> String {
    let shown = dir.display().to_string();
    if shown.ends_with('/') {
        shown
    } else {
        shown + "/"
    }
}

/// `5 files`, `1 file`
pub(super) fn files(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} file{plural}")
}

fn summary(written: write::Written, out: &Path) -> String {
    let out = shown(out);
    match (written.changed, written.unchanged) {
        (0, unchanged) => format!("{out} is up to date ({})", files(unchanged)),
        (changed, 0) => format!("wrote {} to {out}", files(changed)),
        (changed, unchanged) => {
            format!("wrote {} to {out}, {unchanged} unchanged", files(changed))
        }
    }
}
