//! The two sides of a comparison: the protos as they are, and as they were.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::git::{Found, Revision};
use super::past::Past;
use crate::builder::compile::{Compilation, compile};
use crate::builder::resolve::folders;
use crate::descriptors::{Descriptors, is_ours, is_well_known};
use crate::error::{Diagnostic, Diagnostics, Error};

/// What `--against` names.
pub(crate) enum Against {
    /// A file with an encoded descriptor set.
    Set(PathBuf),
    /// A folder that stands for all include directories.
    Folder(PathBuf),
    /// A commit, in which the include directories are where they are now.
    Revision(Before),
}

/// A revision that was found.
pub(crate) struct Before(Rc<Revision>);

/// Both sides.
pub(crate) struct Sides {
    pub(crate) old: Descriptors,
    pub(crate) new: Descriptors,
    /// What can't be compared.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Against {
    /// Finds out what `text` names: a file, a folder, else a revision; `git:main` is always one.
    ///
    /// # Errors
    ///
    /// When it names nothing, or two things.
    pub(crate) fn find(text: &str) -> Result<Self, Error> {
        if let Some(name) = text.strip_prefix("git:") {
            return revision(name, "is to be a git revision");
        }
        let path = PathBuf::from(text);
        if !path.exists() {
            return revision(text, "is neither a file nor a folder");
        }
        if !text.starts_with('-') && matches!(Revision::find(text)?, Found::Revision(_)) {
            let what = if path.is_dir() { "folder" } else { "file" };
            let message = format!("`{text}` is a {what}, and a git revision too");
            let help = format!("say `./{text}` for the {what}, or `git:{text}` for the revision");
            return Err(Error::parameter(vec![Diagnostic::new(message).help(help)]));
        }
        Ok(if path.is_dir() {
            Self::Folder(path)
        } else {
            Self::Set(path)
        })
    }
}

fn revision(name: &str, what: &str) -> Result<Against, Error> {
    if name.is_empty() || name.starts_with('-') {
        let message = format!("`{name}` can't be a git revision");
        let help = "name a branch, a tag or a commit: `main`, `v1.2`, `HEAD~3`";
        return Err(Error::parameter(vec![Diagnostic::new(message).help(help)]));
    }
    match Revision::find(name)? {
        Found::Revision(found) => Ok(Against::Revision(Before(found))),
        Found::Nothing(reason) => Err(reason.explain(name, what)),
    }
}

impl Sides {
    /// Compiles `files` as `generate` does, and reads what they were.
    ///
    /// Of a descriptor set all files count. Of a folder or a revision those of the same names do,
    /// with what they import, and those that are gone and were of the same packages: their errors
    /// are gone too, or have moved.
    ///
    /// # Errors
    ///
    /// When either can't be read or compiled.
    pub(crate) fn of_files(
        against: &Against,
        shown: &str,
        files: &[PathBuf],
        includes: &[PathBuf],
    ) -> Result<Self, Error> {
        let asked = compile(files, includes).result?;
        let new = readable(Descriptors::load(&asked.bytes)?)?;
        let named = asked.files.iter().filter_map(|name| new.file(name));
        let now = Now {
            includes,
            packages: named.map(|file| file.proto.package().to_owned()).collect(),
            asked: asked.files,
        };
        let past = match against {
            Against::Set(path) => {
                let old = read_set(path).map_err(|error| as_it_was(error, shown))?;
                return now.with(old, new, Vec::new());
            }
            Against::Folder(folder) => Past::of_folder(folder, &now)?,
            Against::Revision(Before(revision)) => Past::of_revision(revision, &now)?,
        };
        if past.is_empty() && matches!(against, Against::Folder(_)) {
            return Err(no_file(shown, &now.asked));
        }
        let (old, warnings) = past.compile(&now, shown);
        let old = old.and_then(|bytes| Descriptors::load(&bytes));
        let old = old.and_then(readable);
        let old = old.map_err(|error| as_it_was(error, shown))?;
        now.with(old, new, warnings)
    }

    /// Reads two descriptor sets.
    ///
    /// # Errors
    ///
    /// When one of them can't be read, or `against` is none.
    pub(crate) fn of_sets(against: &Against, shown: &str, new: &Path) -> Result<Self, Error> {
        let Against::Set(old) = against else {
            let message =
                format!("`{shown}` is no descriptor set, and `--descriptor-set` is given");
            let help = "compare a descriptor set with another one, or protos with the rest";
            return Err(Error::parameter(vec![Diagnostic::new(message).help(help)]));
        };
        Ok(Self {
            new: read_set(new)?,
            old: read_set(old).map_err(|error| as_it_was(error, shown))?,
            warnings: Vec::new(),
        })
    }
}

/// The protos as they are.
pub(super) struct Now<'a> {
    pub(super) includes: &'a [PathBuf],
    /// The files that were asked for, by their names.
    pub(super) asked: Vec<String>,
    /// Theirs.
    pub(super) packages: BTreeSet<String>,
}

impl Now<'_> {
    /// Whether a file of this name is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.includes
            .iter()
            .any(|include| include.join(name).is_file())
    }

    /// Adds to `new` what the files of `old` have become that nobody asked for: what isn't imported
    /// any more isn't gone.
    fn with(
        &self,
        old: Descriptors,
        mut new: Descriptors,
        warnings: Vec<Diagnostic>,
    ) -> Result<Sides, Error> {
        let others: Vec<&str> = old
            .files()
            .iter()
            .map(|file| file.proto.name())
            .filter(|name| !is_well_known(name) && !is_ours(name))
            .filter(|name| new.file(name).is_none() && self.has(name))
            .collect();
        if !others.is_empty() {
            let mut compilation = Compilation::new(folders(self.includes));
            let asked = self.asked.iter().map(String::as_str);
            for name in asked.chain(others) {
                compilation.open(name);
            }
            new = readable(Descriptors::load(&compilation.finish()?)?)?;
        }
        Ok(Sides { old, new, warnings })
    }
}

fn read_set(path: &Path) -> Result<Descriptors, Error> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| Error::io(format!("reading {shown}"), error))?;
    let descriptors = Descriptors::load(&bytes).map_err(|error| {
        if error.is_input() {
            Error::input(format!("{shown}: {error}\n  help: {WRITE_SET}"))
        } else {
            error
        }
    })?;
    if descriptors.files().is_empty() {
        return Err(Error::input(format!(
            "{shown} has no files\n  help: {WRITE_SET}"
        )));
    }
    readable(descriptors)
}

const WRITE_SET: &str = "write it with `protoc --include_imports --include_source_info -o FILE` or \
                         `buf build -o FILE`";

/// Fails where our options say what this version doesn't know: what was not read can't be compared.
fn readable(descriptors: Descriptors) -> Result<Descriptors, Error> {
    let mut problems = Diagnostics::new();
    for file in descriptors.files() {
        problems.extend(descriptors.rules().problems(file.proto.name()).to_vec());
    }
    problems.finish()?;
    Ok(descriptors)
}

/// Says of an error that it is about what was.
fn as_it_was(error: Error, shown: &str) -> Error {
    if error.diagnostics().is_empty() {
        return error;
    }
    let diagnostics = error.diagnostics().iter().cloned();
    let note = format!("this is as it was in `{shown}`");
    Error::schema(diagnostics.map(|it| it.note(note.clone())).collect())
}

fn no_file(shown: &str, asked: &[String]) -> Error {
    let names: Vec<&str> = asked.iter().map(String::as_str).collect();
    let message = format!("`{shown}` has none of the files: {}", names.join(", "));
    Error::parameter(vec![Diagnostic::new(message).help(
        "name the folder from which imports started, as `-I` does: it stands for all of them",
    )])
}
