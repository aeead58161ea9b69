//! From files on disk to a descriptor set, by protox.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use protox::Compiler;

use super::attach;
use super::names::{file_name, working_directory};
use super::report::diagnostics;
use super::resolve::{Resolver, Shelf, Trace, folders};
use crate::error::{Diagnostic, Diagnostics, Error};

/// What compiling came to.
pub(crate) struct Compiled {
    pub(crate) result: Result<DescriptorSet, Error>,
    /// The files on disk that were read, also where compiling failed; the compiler's own
    /// `google/protobuf` files are none.
    pub(crate) read: Vec<PathBuf>,
}

/// An encoded `FileDescriptorSet`, with imports, source information and custom options.
pub(crate) struct DescriptorSet {
    pub(crate) bytes: Vec<u8>,
    /// The files asked for, by the names that the set gives them.
    pub(crate) files: Vec<String>,
}

/// Compiles `files`, each a path or a name below one of `includes`. All errors at once.
pub(crate) fn compile(files: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Compiled {
    let includes: Vec<&Path> = includes.iter().map(AsRef::as_ref).collect();
    let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    if let Err(error) = check_arguments(&files, &includes) {
        return Compiled {
            result: Err(error),
            read: Vec::new(),
        };
    }
    let mut compilation = Compilation::new(folders(&includes));
    let mut names = Vec::new();
    for file in files {
        match file_name(file, &includes) {
            Ok(name) => {
                compilation.open(&name);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            Err(problem) => compilation.problems.push(problem),
        }
    }
    let read = compilation.read();
    let result = compilation.finish().map(|bytes| DescriptorSet {
        bytes,
        files: names,
    });
    Compiled { result, read }
}

/// Compiles file by file, and gathers what is wrong with all of them.
pub(crate) struct Compilation {
    compiler: Compiler,
    trace: Rc<RefCell<Trace>>,
    problems: Diagnostics,
}

impl Compilation {
    /// Looks files up on `shelves`, in their order.
    pub(crate) fn new(shelves: Vec<Rc<dyn Shelf>>) -> Self {
        let trace = Rc::new(RefCell::new(Trace::default()));
        let mut compiler = Compiler::with_file_resolver(Resolver::new(shelves, &trace));
        compiler.include_imports(true).include_source_info(true);
        Self {
            compiler,
            trace,
            problems: Diagnostics::new(),
        }
    }

    /// Adds the file of this name and what it imports.
    pub(crate) fn open(&mut self, name: &str) {
        if let Err(problems) = self.try_open(name) {
            self.problems.extend(problems);
        }
    }

    /// As [`open`](Self::open), where it is no error of the whole that a file can't be compiled.
    pub(crate) fn try_open(&mut self, name: &str) -> Result<(), Vec<Diagnostic>> {
        let Err(error) = self.compiler.open_file(name) else {
            return Ok(());
        };
        let refused = std::mem::take(&mut self.trace.borrow_mut().refused);
        Err(if refused.is_empty() {
            diagnostics(&error)
        } else {
            refused
        })
    }

    /// The encoded descriptor set of all that was added, in the order of imports.
    pub(crate) fn finish(self) -> Result<Vec<u8>, Error> {
        self.problems.finish()?;
        let set = self.compiler.encode_file_descriptor_set();
        Ok(attach::comments(set, &self.trace.borrow().sources))
    }

    /// The files on disk that were read.
    fn read(&self) -> Vec<PathBuf> {
        self.trace.borrow().read.iter().cloned().collect()
    }
}

fn check_arguments(files: &[&Path], includes: &[&Path]) -> Result<(), Error> {
    let mut problems = Diagnostics::new();
    if files.is_empty() {
        problems
            .push(Diagnostic::new("no proto file is given").help("name at least one, items.proto"));
    }
    if includes.is_empty() {
        problems.push(Diagnostic::new("no include directory is given").help(
            "name the directory from which your imports start, `protos` for \
             `protos/examples/items.proto` that is imported as `examples/items.proto`",
        ));
    }
    let mut seen = BTreeSet::new();
    for include in includes {
        let shown = include.display();
        if !include.is_dir() {
            let what = if include.exists() {
                "is not a directory"
            } else {
                "does not exist"
            };
            problems.push(
                Diagnostic::new(format!("the include directory `{shown}` {what}"))
                    .help(format!("it is looked up from {}", working_directory())),
            );
        } else if !seen.insert(include.canonicalize().unwrap_or_else(|_| include.into())) {
            problems.push(
                Diagnostic::new(format!("the include directory `{shown}` is given twice"))
                    .help("remove one of the two"),
            );
        }
    }
    problems.finish_as(Error::parameter)
}
