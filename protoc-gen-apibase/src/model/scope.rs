//! The names of one Rust scope, each of which only one thing may have.

use std::collections::BTreeMap;

use crate::descriptors::File;
use crate::error::{Diagnostic, Diagnostics};

/// A thing of the schema that takes a Rust name.
#[derive(Clone)]
pub(super) struct Claim<'a> {
    /// What it is, as an error says it: ``message `Item` ``.
    pub(super) what: String,
    pub(super) file: &'a File,
    /// Where it is in its file.
    pub(super) path: Vec<i32>,
}

/// The names of one Rust scope and who has them.
#[derive(Default)]
pub(super) struct Scope<'a> {
    taken: BTreeMap<String, Claim<'a>>,
}

impl<'a> Scope<'a> {
    /// Gives `claim` the `name`, or reports that another has it; `used_for` says what for
    /// (``the module``), `help` how to mend it.
    pub(super) fn take(
        &mut self,
        name: &str,
        claim: Claim<'a>,
        used_for: &str,
        help: &str,
        problems: &mut Diagnostics,
    ) {
        if let Some(first) = self.taken.get(name) {
            problems.push(clash(name, used_for, first, &claim, help));
            return;
        }
        self.taken.insert(name.to_owned(), claim);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.taken.contains_key(name)
    }
}

impl Claim<'_> {
    /// An error about this, at its place.
    pub(super) fn diagnostic(&self, message: String) -> Diagnostic {
        self.file.diagnostic(message, &self.path)
    }
}

fn clash(
    name: &str,
    used_for: &str,
    first: &Claim<'_>,
    second: &Claim<'_>,
    help: &str,
) -> Diagnostic {
    let diagnostic = second
        .diagnostic(format!(
            "{} and {} have the same Rust name, {used_for} `{name}`",
            first.what, second.what
        ))
        .help(help);
    let file = first.file.proto.name();
    let text = format!("{} is here", first.what);
    match first.file.source.position(&first.path) {
        Some((line, column)) => diagnostic.note_at(file, line, column, text),
        None => diagnostic.note(format!("{file}: {text}")),
    }
}
