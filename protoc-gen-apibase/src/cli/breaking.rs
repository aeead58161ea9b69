//! `protoc-gen-apibase breaking`: what breaks clients of what was.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::args::Breaking;
use super::print_warnings;
use crate::breaking::against::{Against, Sides};
use crate::breaking::compare;
use crate::error::{Diagnostic, Error};

/// Prints what breaks clients on stdout, and how many there are on stderr.
pub(super) fn run(arguments: &Breaking) -> Result<ExitCode, Error> {
    let shown = arguments.against.as_str();
    let against = Against::find(shown)?;
    let sides = match &arguments.descriptor_set {
        Some(set) => Sides::of_sets(&against, shown, set)?,
        None => Sides::of_files(&against, shown, &arguments.files, &arguments.includes)?,
    };
    print_warnings(&sides.warnings);
    let breaks = compare(&sides.old, &sides.new).into_vec();
    if breaks.is_empty() {
        let old = match sides.old.files() {
            [] => format!("{shown}, which has none of the files"),
            _ => shown.to_owned(),
        };
        eprintln!("no breaking changes against {old}");
        return Ok(ExitCode::SUCCESS);
    }
    print(&breaks).map_err(|error| Error::io("printing what breaks clients", error))?;
    match breaks.len() {
        1 => eprintln!("error: 1 breaking change"),
        count => eprintln!("error: {count} breaking changes"),
    }
    Ok(ExitCode::FAILURE)
}

fn print(breaks: &[Diagnostic]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for diagnostic in breaks {
        writeln!(stdout, "{diagnostic}")?;
    }
    stdout.flush()
}
