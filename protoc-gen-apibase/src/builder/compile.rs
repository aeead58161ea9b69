//! From files on disk to a descriptor set, by protox.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use protox::Compiler;
use protox::file::{File, FileResolver, GoogleFileResolver, IncludeFileResolver};

use super::attach::{self, Sources};
use super::names::{file_name, working_directory};
use super::report::{as_u32, diagnostics};
use crate::descriptors::rules::EmbeddedOptions;
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
    let trace = Rc::new(RefCell::new(Trace::default()));
    let result = compile_traced(&files, &includes, &trace);
    let read = trace.borrow().read.iter().cloned().collect();
    Compiled { result, read }
}

/// What the resolver saw, for those who hold only the compiler.
#[derive(Default)]
struct Trace {
    read: BTreeSet<PathBuf>,
    refused: Vec<Diagnostic>,
    sources: Sources,
}

/// Looks a name up among the files that the compiler brings, then below the includes.
///
/// The compiler's `google/protobuf` files come first, unlike with protoc: their types are
/// `prost-types`', whatever a copy of them below an include says, and newer copies have syntax
/// that protox doesn't know.
///
/// Our own options come last: without a copy of them on disk an import of them works all the
/// same, and one that is there is what protoc and buf would read, so that it counts here too.
struct Resolver {
    includes: Vec<PathBuf>,
    bundled: GoogleFileResolver,
    trace: Rc<RefCell<Trace>>,
}

impl FileResolver for Resolver {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        self.includes
            .iter()
            .find_map(|include| IncludeFileResolver::new(include.clone()).resolve_path(path))
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if let Ok(file) = self.bundled.open_file(name) {
            return Ok(file);
        }
        for include in &self.includes {
            let path = include.join(name);
            if !path.is_file() {
                continue;
            }
            let opened = match without_mark(&path) {
                Some(source) => File::from_source(name, &source),
                None => File::open(name, &path),
            };
            let mut trace = self.trace.borrow_mut();
            if let Err(error) = &opened
                && error.is_parse()
                && let Some(refusal) = refuse_editions(name, &path)
            {
                trace.refused.push(refusal);
            }
            if let Ok(file) = &opened {
                let source = file.source().unwrap_or_default().to_owned();
                trace.sources.insert(name.to_owned(), source);
            }
            trace.read.insert(path);
            return opened;
        }
        EmbeddedOptions.open_file(name)
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

fn compile_traced(
    files: &[&Path],
    includes: &[&Path],
    trace: &Rc<RefCell<Trace>>,
) -> Result<DescriptorSet, Error> {
    let mut compiler = Compiler::with_file_resolver(Resolver {
        includes: includes.iter().map(PathBuf::from).collect(),
        bundled: GoogleFileResolver::new(),
        trace: Rc::clone(trace),
    });
    compiler.include_imports(true).include_source_info(true);

    let mut problems = Diagnostics::new();
    let mut names = Vec::new();
    for file in files {
        let name = match file_name(file, includes) {
            Ok(name) => name,
            Err(diagnostic) => {
                problems.push(diagnostic);
                continue;
            }
        };
        if let Err(error) = compiler.open_file(&name) {
            let refused = std::mem::take(&mut trace.borrow_mut().refused);
            if refused.is_empty() {
                problems.extend(diagnostics(&error));
            } else {
                problems.extend(refused);
            }
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    problems.finish()?;
    Ok(DescriptorSet {
        bytes: attach::comments(
            compiler.encode_file_descriptor_set(),
            &trace.borrow().sources,
        ),
        files: names,
    })
}

/// The source of a file that starts with a byte order mark, which protoc skips and protox refuses.
fn without_mark(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let source = bytes.strip_prefix("\u{FEFF}".as_bytes())?;
    Some(std::str::from_utf8(source).ok()?.to_owned())
}

/// A sentence for a file that declares an edition, which protox takes for a syntax error.
fn refuse_editions(name: &str, path: &Path) -> Option<Diagnostic> {
    let source = std::fs::read_to_string(path).ok()?;
    let start = first_token(&source);
    let rest = source.get(start..)?.strip_prefix("edition")?;
    if !rest.trim_start().starts_with('=') {
        return None;
    }
    let (line, column) = line_and_column(&source, start);
    Some(
        Diagnostic::new("editions are not supported yet")
            .at(name, line, column)
            .help("declare `syntax = \"proto3\";` (or \"proto2\") instead of the edition"),
    )
}

/// Where the first token starts, after blanks and comments.
fn first_token(source: &str) -> usize {
    let mut rest = source.trim_start_matches('\u{FEFF}');
    loop {
        rest = rest.trim_start();
        let comment_end = if rest.starts_with("//") {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|at| at + 2)
        } else {
            None
        };
        match comment_end.and_then(|end| rest.get(end..)) {
            Some(after) => rest = after,
            None => return source.len() - rest.len(),
        }
    }
}

/// Both from 1, the column in characters.
fn line_and_column(source: &str, at: usize) -> (u32, u32) {
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before
        .chars()
        .rev()
        .take_while(|char| *char != '\n')
        .count()
        + 1;
    (as_u32(line), as_u32(column))
}
