//! The protos as they were in a folder or a revision.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use super::against::Now;
use super::git::Revision;
use crate::builder::compile::Compilation;
use crate::builder::resolve::{Shelf, folders};
use crate::descriptors::{is_ours, is_well_known};
use crate::error::{Diagnostic, Error};

/// The protos as they were.
pub(super) struct Past {
    /// Where they were, and then the include directories of now, for what was never among them.
    shelves: Vec<Rc<dyn Shelf>>,
    /// Those of the same names as are asked for now.
    asked: Vec<String>,
    /// The names that are gone.
    gone: BTreeSet<String>,
}

impl Past {
    pub(super) fn of_folder(folder: &Path, now: &Now<'_>) -> Result<Self, Error> {
        let shelf: Rc<dyn Shelf> = Rc::new(folder.to_owned());
        let protos = protos(folder)?;
        Ok(Self::new(vec![shelf], protos, now))
    }

    pub(super) fn of_revision(revision: &Rc<Revision>, now: &Now<'_>) -> Result<Self, Error> {
        let mut shelves: Vec<Rc<dyn Shelf>> = Vec::new();
        let mut protos = Vec::new();
        for include in now.includes {
            if let Some(folder) = revision.folder(include) {
                protos.extend(folder.protos()?);
                shelves.push(Rc::new(folder));
            }
        }
        Ok(Self::new(shelves, protos, now))
    }

    fn new(mut shelves: Vec<Rc<dyn Shelf>>, protos: Vec<String>, now: &Now<'_>) -> Self {
        let names = now.asked.iter();
        let asked = names.filter(|name| shelves.iter().any(|shelf| shelf.open(name).is_some()));
        let asked = asked.cloned().collect();
        shelves.extend(folders(now.includes));
        let gone = protos.into_iter().filter(|name| !now.has(name));
        Self {
            shelves,
            asked,
            gone: gone
                .filter(|name| !is_ours(name) && !is_well_known(name))
                .collect(),
        }
    }

    /// Whether none of the files that are asked for was there.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// The encoded descriptor set of what was, and what is gone and can't be compiled.
    pub(super) fn compile(
        &self,
        now: &Now<'_>,
        shown: &str,
    ) -> (Result<Vec<u8>, Error>, Vec<Diagnostic>) {
        let packages = self.asked.iter().filter_map(|name| self.package(name));
        let packages: BTreeSet<String> = packages.chain(now.packages.iter().cloned()).collect();
        let mut compilation = Compilation::new(self.shelves.clone());
        for name in &self.asked {
            compilation.open(name);
        }
        let mut warnings = Vec::new();
        for name in &self.gone {
            let package = self.package(name);
            let concerns = package.is_none_or(|package| packages.contains(&package));
            if concerns && compilation.try_open(name).is_err() {
                let message = format!("can't be compiled as it was in `{shown}`");
                let note = "it is gone now, and whether that breaks anything is not known";
                warnings.push(Diagnostic::new(message).in_file(name).note(note));
            }
        }
        (compilation.finish(), warnings)
    }

    /// The package of a file; none where it can't be parsed.
    fn package(&self, name: &str) -> Option<String> {
        let opened = self.shelves.iter().find_map(|shelf| shelf.open(name))?;
        opened.package().map(str::to_owned)
    }
}

/// The names of all protos in a folder, but for those in hidden folders and behind links.
fn protos(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((path, prefix)) = open.pop() {
        let doing = |error| Error::io(format!("reading {}", path.display()), error);
        for entry in fs::read_dir(&path).map_err(doing)? {
            let entry = entry.map_err(doing)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if entry.file_type().map_err(doing)?.is_dir() {
                if !name.starts_with('.') {
                    open.push((entry.path(), format!("{prefix}{name}/")));
                }
            } else if name.ends_with(".proto") {
                names.push(format!("{prefix}{name}"));
            }
        }
    }
    Ok(names)
}
