//! gRPC's service config: what a client does about the calls of a service, as JSON.
//!
//! The one way to say it that clients of all languages have (`grpc_service_config` in gRPC's docs; Google
//! keeps one beside each of its APIs). What is said there becomes policies of the methods, where their
//! proto says nothing; `emit=service_config` writes one.

mod json;
mod read;
mod reader;
mod throttles;

use std::fs;
use std::time::Duration;

use crate::error::{Diagnostic, Diagnostics, Error};
use crate::model::policy::{Hedging, Retry, RetryThrottle};

/// The service configs of a run.
#[derive(Debug, Default)]
pub(crate) struct ServiceConfigs {
    pub(crate) files: Vec<ServiceConfig>,
    /// What is odd in them, yet no error.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// One service config.
#[derive(Debug)]
pub(crate) struct ServiceConfig {
    /// In the order of the file.
    pub(crate) methods: Vec<MethodConfig>,
    /// When clients stop retrying, and where that is said.
    pub(crate) throttle: Option<(RetryThrottle, Place)>,
}

/// What it says of some methods.
#[derive(Debug)]
pub(crate) struct MethodConfig {
    /// Which they are.
    pub(crate) names: Vec<Name>,
    /// How long a call may take, and where that is said.
    pub(crate) timeout: Option<(Duration, Place)>,
    /// When a request is sent again, and where that is said.
    pub(crate) repeats: Option<(Repeats, Place)>,
}

/// When a request is sent again.
#[derive(Clone, Debug)]
pub(crate) enum Repeats {
    /// When an attempt failed.
    Retry(Retry),
    /// Before there is an answer.
    Hedging(Hedging),
}

/// A method, all of a service or all of them.
#[derive(Debug)]
pub(crate) struct Name {
    /// The full name; none for the methods of all services.
    pub(crate) service: Option<String>,
    /// None for all of the service.
    pub(crate) method: Option<String>,
    pub(crate) place: Place,
}

/// A place in one of the files.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    file: String,
    line: u32,
    column: u32,
    /// The way to it: `methodConfig[0].timeout`; empty for the whole.
    path: String,
}

impl Place {
    /// Something about what stands there.
    pub(crate) fn says(&self, message: impl std::fmt::Display) -> Diagnostic {
        let message = match self.path.as_str() {
            "" => format!("the service config {message}"),
            path => format!("`{path}` {message}"),
        };
        Diagnostic::new(message).at(&self.file, self.line, self.column)
    }

    /// A note on something about elsewhere.
    pub(crate) fn note_on(&self, diagnostic: Diagnostic, text: &str) -> Diagnostic {
        diagnostic.note_at(&self.file, self.line, self.column, text)
    }
}

impl ServiceConfigs {
    /// Reads `files`, which are paths from the working directory.
    ///
    /// # Errors
    ///
    /// When one can't be read, or says something that gRPC has no sense for; all of it at once.
    pub(crate) fn read(files: &[String]) -> Result<Self, Error> {
        let mut configs = Self::default();
        let mut problems = Diagnostics::new();
        let mut warnings = Diagnostics::new();
        for file in files {
            match fs::read_to_string(file) {
                Ok(text) => {
                    let read = read::config(file, &text, &mut problems, &mut warnings);
                    configs.files.push(read);
                }
                Err(error) => problems.push(unreadable(file, &error)),
            }
        }
        check_doubles(&configs.files, &mut problems);
        throttles::check(&configs.files, &mut problems, &mut warnings);
        problems.finish_as(Error::parameter)?;
        configs.warnings = warnings.into_vec();
        Ok(configs)
    }
}

impl ServiceConfig {
    /// All that it says something of.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        self.methods.iter().flat_map(|config| &config.names)
    }
}

/// gRPC has no order among entries, so that a name can stand in one alone.
fn check_doubles(files: &[ServiceConfig], problems: &mut Diagnostics) {
    let mut seen: Vec<&Name> = Vec::new();
    for name in files.iter().flat_map(ServiceConfig::names) {
        let earlier = seen
            .iter()
            .find(|other| other.service == name.service && other.method == name.method);
        if let Some(earlier) = earlier {
            let diagnostic = name.place.says("names what is named before");
            let diagnostic = earlier.place.note_on(diagnostic, "the other one");
            problems.push(diagnostic.help("remove one of the two: nothing says which one counts"));
        }
        seen.push(name);
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> Diagnostic {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Diagnostic::new(format!(
            "parameter `service_config`: there is no file `{file}`"
        ))
        .help(
            "paths are from the working directory: a build script's package, and where protoc or \
             buf was started",
        );
    }
    Diagnostic::new(format!("can't be read: {error}"))
        .in_file(file)
        .help("it has to be a JSON file, in UTF-8")
}
