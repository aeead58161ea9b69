//! The command line. Without arguments it is the plugin that protoc and buf start.

mod args;
mod breaking;
mod check;
mod generate;
mod protos;

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use self::args::{Cli, Command};
use crate::error::{Diagnostic, Error};
use crate::plugin;

/// Runs what the process's arguments ask for.
///
/// The exit code is 0 when it worked, 1 when it didn't or when `--check` or `breaking` found
/// something, and 2 when the arguments make no sense.
#[must_use]
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    let outcome = match &command {
        Some(Command::Breaking(_)) => "nothing was compared",
        _ => "nothing was generated",
    };
    let result = match command {
        Some(Command::Generate(arguments)) => generate::run(&arguments),
        Some(Command::Breaking(arguments)) => breaking::run(&arguments),
        Some(Command::Protos(arguments)) => protos::run(&arguments),
        None if io::stdin().is_terminal() => print_help(),
        None => run_plugin(),
    };
    result.unwrap_or_else(|error| {
        report(&error, outcome);
        ExitCode::FAILURE
    })
}

/// Nobody talks to a plugin by keyboard: whoever starts it in a terminal wants to know what it is.
fn print_help() -> Result<ExitCode, Error> {
    Cli::command()
        .print_help()
        .map_err(|error| Error::io("printing the help", error))?;
    Ok(ExitCode::SUCCESS)
}

fn run_plugin() -> Result<ExitCode, Error> {
    let mut request = Vec::new();
    io::stdin()
        .read_to_end(&mut request)
        .map_err(|error| Error::io("reading stdin", error))?;
    let reply = plugin::answer(&request).map_err(|error| {
        Error::input(format!(
            "{error}\n  help: protoc and buf start this plugin by themselves (`protoc-gen-apibase \
             --help`); to generate by hand, use `protoc-gen-apibase generate`"
        ))
    })?;
    print_warnings(&reply.warnings);
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(&reply.response)
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::io("writing to stdout", error))?;
    Ok(ExitCode::SUCCESS)
}

fn print_warnings(warnings: &[Diagnostic]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}

/// `outcome` is what came of it: `nothing was generated`.
fn report(error: &Error, outcome: &str) {
    match error.diagnostics().len() {
        0 => eprintln!("error: {error}"),
        1 => eprintln!("{error}\nerror: {outcome}"),
        count => eprintln!("{error}\nerror: {outcome} ({count} errors)"),
    }
}
