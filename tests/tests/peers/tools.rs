//! Programs that are peers, where they are.

use std::env;
use std::ffi::OsStr;
use std::process::{Command as Blocking, Output, Stdio};

use tokio::process::Command;

use super::say;

/// This program; `None` where it isn't there, which is said.
///
/// It is the one that `variable` names, which must be there, else what the path has of this name.
pub(crate) fn tool(name: &str, variable: &str) -> Option<Command> {
    let named = env::var_os(variable);
    let program = named.as_deref().unwrap_or(OsStr::new(name));
    let is_there = Blocking::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_there {
        assert!(
            named.is_none(),
            "{variable} is {}, which doesn't run",
            program.display()
        );
        say(&format!(
            "\n!!! SKIPPED: there is no {name}; set {variable} to one\n"
        ));
        return None;
    }
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).kill_on_drop(true);
    Some(command)
}

/// What a program has said, of both kinds.
pub(crate) fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}
