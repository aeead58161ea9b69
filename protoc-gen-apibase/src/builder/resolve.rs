//! Where the compiler finds files, by the names that imports have for them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use protox::file::{File, FileResolver, GoogleFileResolver};

use super::attach::Sources;
use super::report::as_u32;
use crate::descriptors::rules::EmbeddedOptions;
use crate::error::Diagnostic;

/// What has files: a folder, or what once was one.
pub(crate) trait Shelf {
    /// The file of this name; none when there is no such file.
    fn open(&self, name: &str) -> Option<Opened>;
}

/// A file of a [`Shelf`].
pub(crate) struct Opened {
    file: Result<File, protox::Error>,
    /// Its text, where it is no proto that the compiler can read.
    refused: Option<String>,
    /// Where it is on disk.
    path: Option<PathBuf>,
}

#[cfg(feature = "cli")]
impl Opened {
    /// A file that isn't on disk, of its bytes.
    pub(crate) fn of_bytes(name: &str, bytes: std::io::Result<Vec<u8>>) -> Self {
        let text = bytes.map_err(protox::Error::from).and_then(|bytes| {
            let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
            let text = std::str::from_utf8(bytes);
            text.map(str::to_owned)
                .map_err(|_| protox::Error::new(format!("file '{name}' is not valid utf-8")))
        });
        let file = text
            .as_ref()
            .map_err(|error| protox::Error::new(error.to_string()));
        let file = file.and_then(|text| File::from_source(name, text));
        Self {
            refused: text.ok().filter(|_| file.is_err()),
            file,
            path: None,
        }
    }

    /// The package that it declares; none where it can't be parsed.
    pub(crate) fn package(&self) -> Option<&str> {
        let file = self.file.as_ref().ok()?;
        Some(file.file_descriptor_proto().package())
    }
}

/// What protoc skips at the start of a file, and protox refuses.
const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// The include directories, in their order.
pub(crate) fn folders(includes: &[impl AsRef<Path>]) -> Vec<Rc<dyn Shelf>> {
    let folders = includes
        .iter()
        .map(|include| Rc::new(include.as_ref().to_owned()) as Rc<dyn Shelf>);
    folders.collect()
}

impl Shelf for PathBuf {
    fn open(&self, name: &str) -> Option<Opened> {
        let path = self.join(name);
        if !path.is_file() {
            return None;
        }
        let file = match without_mark(&path) {
            Some(source) => File::from_source(name, &source),
            None => File::open(name, &path),
        };
        let refused = match &file {
            Err(error) if error.is_parse() => std::fs::read_to_string(&path).ok(),
            _ => None,
        };
        Some(Opened {
            file,
            refused,
            path: Some(path),
        })
    }
}

/// What the resolver saw, for those who hold only the compiler.
#[derive(Default)]
pub(super) struct Trace {
    /// The files on disk that were read.
    pub(super) read: BTreeSet<PathBuf>,
    pub(super) refused: Vec<Diagnostic>,
    pub(super) sources: Sources,
}

/// Looks a name up among the files that the compiler brings, then on the shelves.
///
/// The compiler's `google/protobuf` files come first, unlike with protoc: their types are
/// `prost-types`', whatever a copy of them below an include says, and newer copies have syntax
/// that protox doesn't know.
///
/// Our own options come last: without a copy of them on disk an import of them works all the
/// same, and one that is there is what protoc and buf would read, so that it counts here too.
pub(super) struct Resolver {
    shelves: Vec<Rc<dyn Shelf>>,
    bundled: GoogleFileResolver,
    trace: Rc<RefCell<Trace>>,
}

impl Resolver {
    pub(super) fn new(shelves: Vec<Rc<dyn Shelf>>, trace: &Rc<RefCell<Trace>>) -> Self {
        Self {
            shelves,
            bundled: GoogleFileResolver::new(),
            trace: Rc::clone(trace),
        }
    }
}

impl FileResolver for Resolver {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if let Ok(file) = self.bundled.open_file(name) {
            return Ok(file);
        }
        let Some(opened) = self.shelves.iter().find_map(|shelf| shelf.open(name)) else {
            return EmbeddedOptions.open_file(name);
        };
        let mut trace = self.trace.borrow_mut();
        let editions = opened
            .refused
            .and_then(|source| refuse_editions(name, &source));
        trace.refused.extend(editions);
        if let Ok(file) = &opened.file {
            let source = file.source().unwrap_or_default().to_owned();
            trace.sources.insert(name.to_owned(), source);
        }
        trace.read.extend(opened.path);
        opened.file
    }
}

/// The source of a file that starts with a byte order mark, which protoc skips and protox refuses.
fn without_mark(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let source = bytes.strip_prefix(BYTE_ORDER_MARK)?;
    Some(std::str::from_utf8(source).ok()?.to_owned())
}

/// A sentence for a file that declares an edition, which protox takes for a syntax error.
fn refuse_editions(name: &str, source: &str) -> Option<Diagnostic> {
    let start = first_token(source);
    let rest = source.get(start..)?.strip_prefix("edition")?;
    if !rest.trim_start().starts_with('=') {
        return None;
    }
    let (line, column) = line_and_column(source, start);
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
