//! What a caller gave, and what the file adds to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::parameters::{PARAMETERS, Shape};
use super::reader::split_unescaped;
use super::{Options, check, config};
use crate::error::{Diagnostic, Diagnostics, Error};

/// The file that is read when `config` names no other.
const CONFIG: &str = "apibase.toml";

/// Options of which it is known which were given, so that a file can say the rest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) options: Options,
    /// The parameters with one value that were given.
    said: Vec<&'static str>,
    /// What is wrong so far with the parameters' form; what they say is checked at the end.
    pub(super) problems: Diagnostics,
}

/// Options with what the file says.
pub(crate) struct Completed {
    pub(crate) result: Result<Options, Error>,
    /// The file that was looked at, which need not exist.
    pub(crate) file: PathBuf,
}

impl Given {
    /// Reads comma-joined parameters. Errors are kept for the end.
    pub(crate) fn parse(parameter: &str) -> Self {
        Self::from_pairs(split_unescaped(parameter).iter().map(String::as_str))
    }

    /// Reads parameters one by one. Errors are kept for the end.
    pub(crate) fn from_pairs<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Self {
        let mut given = Self::default();
        for pair in pairs {
            given.read(pair);
        }
        given
    }

    /// Notes that `key`, which holds one value, is given: the file doesn't change it any more.
    pub(crate) fn say(&mut self, key: &'static str) {
        self.said.push(key);
    }

    pub(super) fn said(&self, key: &str) -> bool {
        self.said.contains(&key)
    }

    /// The options, checked, without any file.
    pub(crate) fn finish(mut self) -> Result<Options, Error> {
        check::check(&self.options, &mut self.problems);
        self.problems.finish_as(Error::parameter)?;
        Ok(self.options)
    }

    /// All that is wrong with the options.
    pub(super) fn into_problems(mut self) -> Diagnostics {
        check::check(&self.options, &mut self.problems);
        self.problems
    }

    /// The options, checked, with what the file that `config` names, or else `apibase.toml`,
    /// says in `dir`. What was given beats the file.
    pub(crate) fn complete(mut self, dir: &Path) -> Completed {
        let named = self.options.config.as_deref();
        let named = named.filter(|path| !path.as_os_str().is_empty());
        let file = dir.join(named.unwrap_or(Path::new(CONFIG)));
        match fs::read_to_string(&file) {
            Ok(text) => {
                let read = config::read(&text, &file.display().to_string());
                self.fill(read);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {}
            Err(error) => self.problems.push(unreadable(&file, &error)),
        }
        Completed {
            result: self.finish(),
            file,
        }
    }

    /// Single values of `file` where none was given, its lists before ours, and its pairs but
    /// for names that ours have.
    fn fill(&mut self, mut file: Self) {
        self.problems.extend(file.problems.into_vec());
        for key in file.said {
            if !self.said.contains(&key) {
                copy(key, &file.options, &mut self.options);
            }
        }
        for parameter in PARAMETERS {
            let key = parameter.name;
            if let (Some(ours), Some(theirs)) = (self.options.paths(key), file.options.paths(key)) {
                ours.splice(..0, theirs.drain(..));
            }
            if let (Some(ours), Some(theirs)) = (self.options.pairs(key), file.options.pairs(key)) {
                if parameter.shape == Shape::Pairs {
                    theirs.retain(|(name, _)| !ours.iter().any(|(our, _)| our == name));
                }
                ours.splice(..0, theirs.drain(..));
            }
        }
        let ours = &mut self.options.extras;
        let is_new = |(proto, field, _): &(String, String, String)| {
            !ours.iter().any(|our| our.0 == *proto && our.1 == *field)
        };
        file.options.extras.retain(is_new);
        ours.splice(..0, file.options.extras);
    }
}

impl From<Options> for Given {
    /// Single values that aren't the default count as given: nothing else tells.
    fn from(options: Options) -> Self {
        let mut given = Self::default();
        for parameter in PARAMETERS {
            let mut copied = Options::default();
            copy(parameter.name, &options, &mut copied);
            if copied != Options::default() {
                given.say(parameter.name);
            }
        }
        given.options = options;
        given
    }
}

/// Copies the one value of `key`; does nothing for what isn't one.
fn copy(key: &str, from: &Options, to: &mut Options) {
    match key {
        "emit" => to.emit = from.emit,
        "include_file" => to.include_file.clone_from(&from.include_file),
        "tonic" => to.tonic = from.tonic,
        "templates" => to.templates.clone_from(&from.templates),
        "time" => to.time = from.time,
        "duration" => to.duration = from.duration,
        "laws" => to.laws = from.laws,
        _ => {}
    }
}

fn unreadable(file: &Path, error: &io::Error) -> Diagnostic {
    let shown = file.display();
    if error.kind() == io::ErrorKind::NotFound {
        return Diagnostic::new(format!("parameter `config`: there is no file `{shown}`")).help(
            "paths are from the working directory: a build script's package, and where protoc \
             or buf was started",
        );
    }
    Diagnostic::new(format!("can't be read: {error}"))
        .in_file(shown.to_string())
        .help("it has to be a TOML file, in UTF-8")
}
