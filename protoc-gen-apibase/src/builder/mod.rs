//! The way in from a build script, without protoc.

mod attach;
mod compile;
mod names;
mod report;
#[cfg(test)]
mod tests;
pub(crate) mod write;

use std::path::{Path, PathBuf};

use crate::error::{Diagnostic, Error};
use crate::options::{Emit, Options};
use crate::{Imports, Output, Request};

/// Starts the configuration of a build script.
///
/// The module tree is written as `mod.rs`, where `apibase::include_protos!()` looks for it.
///
/// ```no_run
/// // build.rs
/// fn main() -> Result<(), protoc_gen_apibase::Error> {
///     protoc_gen_apibase::configure().compile(&["protos/examples/items.proto"], &["protos"])
/// }
/// ```
#[must_use]
pub fn configure() -> Builder {
    Builder {
        options: Options {
            include_file: Some("mod.rs".to_owned()),
            ..Options::default()
        },
        out_dir: None,
    }
}

/// What a build script generates, and where to. Made by [`configure`].
#[derive(Clone, Debug)]
pub struct Builder {
    options: Options,
    out_dir: Option<PathBuf>,
}

impl Builder {
    /// Where the files go, instead of the `OUT_DIR` that cargo gives a build script. Made when
    /// it doesn't exist.
    #[must_use]
    pub fn out_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(dir.into());
        self
    }

    /// The name of the file with the module tree; `mod.rs` unless given.
    #[must_use]
    pub fn include_file(mut self, name: impl Into<String>) -> Self {
        self.options.include_file = Some(name.into());
        self
    }

    /// Whether tonic's own client and server modules are generated too; off unless given.
    #[must_use]
    pub fn tonic(mut self, yes: bool) -> Self {
        self.options.tonic = yes;
        self
    }

    /// The kinds of output; Rust alone unless given. Docs need the crate's feature `cli`.
    #[must_use]
    pub fn emit(mut self, emit: Emit) -> Self {
        self.options.emit = emit;
        self
    }

    /// Uses `rust` (`::google_types`) for all that is below `proto` (`.google.type`), and
    /// generates nothing for it.
    #[must_use]
    pub fn extern_path(mut self, proto: impl Into<String>, rust: impl Into<String>) -> Self {
        self.options.extern_paths.push((proto.into(), rust.into()));
        self
    }

    /// Uses `Bytes` for the `bytes` fields below `path`; `.` is all of them.
    #[must_use]
    pub fn bytes(mut self, path: impl Into<String>) -> Self {
        self.options.bytes.push(path.into());
        self
    }

    /// Uses `BTreeMap` for the `map` fields below `path`; `.` is all of them.
    #[must_use]
    pub fn btree_map(mut self, path: impl Into<String>) -> Self {
        self.options.btree_map.push(path.into());
        self
    }

    /// Puts `attribute` (`#[derive(Eq)]`) on the messages, enums and oneofs below `path`.
    #[must_use]
    pub fn type_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        let pair = (path.into(), attribute.into());
        self.options.type_attributes.push(pair);
        self
    }

    /// Puts `attribute` on the fields below `path`.
    #[must_use]
    pub fn field_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        let pair = (path.into(), attribute.into());
        self.options.field_attributes.push(pair);
        self
    }

    /// Takes templates from `dir` where it has them.
    #[must_use]
    pub fn templates(mut self, dir: impl Into<PathBuf>) -> Self {
        self.options.templates = Some(dir.into());
        self
    }

    /// Compiles `files`, generates, and writes what has changed.
    ///
    /// Both `files` and `includes` are paths from the working directory, which for a build
    /// script is its package; a file may also be named as an `import` would name it. In a build
    /// script this also tells cargo which files to watch: all that were read, imports included.
    /// Messages of imported packages are generated too, but for `google.protobuf`, whose types
    /// are `prost-types`'.
    ///
    /// # Errors
    ///
    /// When a parameter, a path or a proto is wrong, all of it at once; when `OUT_DIR` is not
    /// set and no other directory was given; when a file can't be written.
    pub fn compile(
        &self,
        files: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<(), Error> {
        let surroundings = Surroundings::of_process();
        let Some(out_dir) = self.out_dir.as_ref().or(surroundings.out_dir.as_ref()) else {
            let problem = Diagnostic::new("no directory to write to: OUT_DIR is not set");
            return Err(Error::parameter(vec![problem.help(
                "cargo sets it for build scripts only; elsewhere give one with `.out_dir(…)`",
            )]));
        };
        let (result, read) = self.run(files, includes);
        if surroundings.is_build_script {
            // On errors too: mending the proto must bring the build script back.
            for line in watch_lines(&read, self.options.templates.as_deref()) {
                println!("{line}");
            }
        }
        let output = result?;
        surroundings.print_warnings(&output);
        write::write(out_dir, &output.files).map(drop)
    }

    /// Compiles `files` and generates, without writing anything or talking to cargo.
    ///
    /// # Errors
    ///
    /// As [`compile`](Self::compile), but for the directory and the writing.
    pub fn generate(
        &self,
        files: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<Output, Error> {
        self.run(files, includes).0
    }

    /// What came out, and the files on disk that were read for it.
    fn run(
        &self,
        files: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> (Result<Output, Error>, Vec<PathBuf>) {
        if let Err(error) = self.options.validate() {
            return (Err(error), Vec::new());
        }
        let compiled = compile::compile(files, includes);
        let result = compiled.result.and_then(|set| {
            crate::generate(&Request {
                descriptor_set: set.bytes,
                files: set.files,
                imports: Imports::Generate,
                options: self.options.clone(),
            })
        });
        (result, compiled.read)
    }
}

impl From<Options> for Builder {
    /// The same with options that were parsed; no module tree unless they ask for one.
    fn from(options: Options) -> Self {
        Self {
            options,
            out_dir: None,
        }
    }
}

/// What the process's environment says.
struct Surroundings {
    out_dir: Option<PathBuf>,
    /// Cargo also sets `OUT_DIR` where it runs tests and binaries, `TARGET` it doesn't.
    is_build_script: bool,
}

impl Surroundings {
    fn of_process() -> Self {
        let out_dir = std::env::var_os("OUT_DIR").map(PathBuf::from);
        Self {
            is_build_script: out_dir.is_some() && std::env::var_os("TARGET").is_some(),
            out_dir,
        }
    }

    fn print_warnings(&self, output: &Output) {
        for warning in &output.warnings {
            let text = warning.to_string();
            if !self.is_build_script {
                eprintln!("warning: {text}");
                continue;
            }
            for line in text.lines() {
                println!("cargo:warning={line}");
            }
        }
    }
}

/// What tells cargo to run the build script again when one of these files changes.
///
/// Only files that exist: cargo reruns for ever for one that doesn't.
fn watch_lines(read: &[PathBuf], templates: Option<&Path>) -> Vec<String> {
    read.iter()
        .map(PathBuf::as_path)
        .chain(templates)
        .filter(|path| path.exists())
        .map(|path| format!("cargo:rerun-if-changed={}", path.display()))
        .collect()
}
