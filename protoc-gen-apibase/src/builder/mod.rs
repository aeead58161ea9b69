//! The way in from a build script, without protoc.

mod attach;
pub(crate) mod compile;
mod names;
mod report;
pub(crate) mod resolve;
mod settings;
#[cfg(test)]
mod tests;
pub(crate) mod write;

use std::path::{Path, PathBuf};

use crate::error::{Diagnostic, Error};
use crate::options::{Given, Options};
use crate::{Imports, Output, Request};

/// Starts the configuration of a build script.
///
/// The module tree is written as `mod.rs`, where `apibase::include_protos!()` looks for it.
///
/// Settings also come from `apibase.toml` in the package's folder, where there is one, as
/// [`Options`] shows. What the build script says itself beats the file.
///
/// ```no_run
/// // build.rs
/// fn main() -> Result<(), protoc_gen_apibase::Error> {
///     protoc_gen_apibase::configure().compile(&["protos/examples/items.proto"], &["protos"])
/// }
/// ```
#[must_use]
pub fn configure() -> Builder {
    let mut given = Given::default();
    // A default: it doesn't count as given, so that the file may say something else.
    given.options.include_file = Some("mod.rs".to_owned());
    Builder::from(given)
}

/// What a build script generates, and where to. Made by [`configure`].
#[derive(Clone, Debug)]
pub struct Builder {
    given: Given,
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

    /// Compiles `files`, generates, and writes what has changed.
    ///
    /// Both `files` and `includes` are paths from the working directory, which for a build
    /// script is its package; a file may also be named as an `import` would name it. In a build
    /// script this also tells cargo which files to watch: all that were read, imports included.
    /// Messages of imported packages are generated too where others have them in them, but for
    /// `google.protobuf`, whose types are `prost-types`'.
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
            for line in watch_lines(&read) {
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

    /// What came out, and the files and folders on disk that it was made of.
    fn run(
        &self,
        files: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> (Result<Output, Error>, Vec<PathBuf>) {
        let completed = self.given.clone().complete(Path::new(""));
        let mut read = vec![completed.file];
        let options = match completed.result {
            Ok(options) => options,
            Err(error) => return (Err(error), read),
        };
        read.extend(options.templates.clone());
        read.extend(options.service_configs.iter().map(PathBuf::from));
        let compiled = compile::compile(files, includes);
        let result = compiled.result.and_then(|set| {
            crate::generate(&Request {
                descriptor_set: set.bytes,
                files: set.files,
                imports: Imports::Generate,
                options,
            })
        });
        read.extend(compiled.read);
        (result, read)
    }
}

impl From<Options> for Builder {
    /// The same with options that were parsed; no module tree unless they ask for one.
    ///
    /// `apibase.toml` is read for the rest. Values that are the default count as not given.
    fn from(options: Options) -> Self {
        Self::from(Given::from(options))
    }
}

impl From<Given> for Builder {
    fn from(given: Given) -> Self {
        Self {
            given,
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

/// What tells cargo to run the build script again when one of these changes.
///
/// Only what exists: cargo reruns for ever for what doesn't.
fn watch_lines(read: &[PathBuf]) -> Vec<String> {
    read.iter()
        .filter(|path| path.exists())
        .map(|path| format!("cargo:rerun-if-changed={}", path.display()))
        .collect()
}
