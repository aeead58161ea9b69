//! [`ConfigError`]: all that is wrong with the settings.

use std::error::Error;
use std::fmt;

/// How much of a value an error shows, in characters.
const SHOWN: usize = 80;

/// What is wrong with the settings of the environment and the file, all of it.
///
/// It shows one line per problem: the key, its value and what the key takes, or the nearest key where
/// there is no such. Values of secrets, and of keys that nobody knows, are not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<ConfigProblem>,
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// `file.toml:3:8`, for what stands in a file.
    place: Option<String>,
    key: String,
    problem: String,
}

impl ConfigError {
    /// Of one problem.
    #[cfg(feature = "otel")]
    pub(crate) fn of(problem: ConfigProblem) -> Self {
        Self {
            problems: vec![problem],
        }
    }

    /// `value`, if there are no problems.
    pub(crate) fn or<T>(problems: Vec<ConfigProblem>, value: T) -> Result<T, Self> {
        match problems.is_empty() {
            true => Ok(value),
            false => Err(Self { problems }),
        }
    }

    /// The whole name of the first key that is wrong, as [`ConfigProblem::key`].
    #[must_use]
    pub fn key(&self) -> &str {
        self.problems.first().map_or("", ConfigProblem::key)
    }

    /// Everything that is wrong: in the file from top to bottom, then in the environment by name,
    /// then what is missing.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }
}

impl ConfigProblem {
    pub(crate) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: None,
            key: key.into(),
            problem: problem.into(),
        }
    }

    #[cfg(feature = "config")]
    pub(super) fn at(mut self, place: String) -> Self {
        self.place = Some(place);
        self
    }

    /// The whole name of the key: `GRPC__SERVER__PORT` in the environment, `server.port` in a file.
    /// Empty where the file isn't TOML, and the file's path where it can't be read and code names it.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where it stands, as `file.toml:line:column`; None for the environment.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for before in [self.place(), Some(self.key())].into_iter().flatten() {
            if !before.is_empty() {
                write!(f, "{before}: ")?;
            }
        }
        f.write_str(&self.problem)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = self.problems() {
            return problem.fmt(f);
        }
        write!(f, "{} settings are wrong:", self.problems.len())?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl Error for ConfigError {}

/// A text of others, made safe for a line of the log.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for char in text.chars().take(SHOWN) {
        match char {
            // They are safe, and people write them.
            '"' | '\'' => shown.push(char),
            _ => shown.extend(char.escape_debug()),
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
