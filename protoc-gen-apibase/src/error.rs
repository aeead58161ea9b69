//! What can go wrong, said so that the reader knows where and how to mend it.

use std::fmt;
use std::io;

/// Why nothing was generated.
///
/// Either a list of [`Diagnostic`]s about the schema or the parameters, all of them at once, or
/// a file that could not be read or written. `Debug` prints the same text as `Display`, so that
/// `fn main() -> Result<(), Error>` of a build script is readable.
pub struct Error {
    kind: Kind,
}

enum Kind {
    Schema(Vec<Diagnostic>),
    Parameter(Vec<Diagnostic>),
    Input(String),
    Io { doing: String, source: io::Error },
}

/// One thing that is wrong (or, as a warning, odd): where, what, and how to mend it.
///
/// Prints as `examples/items.proto:12:3: message`, then a line for each note and for the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    message: String,
    place: Option<Place>,
    notes: Vec<(Option<Place>, String)>,
    help: Option<String>,
}

/// Collects diagnostics, so that all errors of a run are reported together.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: String,
    /// Line and column, both from 1; none when only the file is known.
    position: Option<(u32, u32)>,
}

impl Error {
    /// Errors in the schema. Without any diagnostics it says so, rather than nothing.
    #[must_use]
    pub fn schema(diagnostics: Vec<Diagnostic>) -> Self {
        Self::of(Kind::Schema, diagnostics)
    }

    /// Errors in the parameters (options, file names, templates) that the caller gave.
    #[must_use]
    pub fn parameter(diagnostics: Vec<Diagnostic>) -> Self {
        Self::of(Kind::Parameter, diagnostics)
    }

    /// What was handed in is not what it should be, a garbled descriptor set for example.
    pub fn input(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Input(message.into()),
        }
    }

    /// `source` happened while `doing`, which reads like `writing gen/mod.rs`.
    pub fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self {
            kind: Kind::Io {
                doing: doing.into(),
                source,
            },
        }
    }

    /// Whether the schema is at fault: the protos need a change.
    #[must_use]
    pub fn is_schema(&self) -> bool {
        matches!(self.kind, Kind::Schema(_))
    }

    /// Whether a parameter, an option or a template is at fault.
    #[must_use]
    pub fn is_parameter(&self) -> bool {
        matches!(self.kind, Kind::Parameter(_))
    }

    /// Whether the descriptors that were handed in could not be read at all.
    #[must_use]
    pub fn is_input(&self) -> bool {
        matches!(self.kind, Kind::Input(_))
    }

    /// Whether a file could not be read or written.
    #[must_use]
    pub fn is_io(&self) -> bool {
        matches!(self.kind, Kind::Io { .. })
    }

    /// What is wrong, one entry for each; empty for input and i/o errors.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match &self.kind {
            Kind::Schema(list) | Kind::Parameter(list) => list,
            Kind::Input(_) | Kind::Io { .. } => &[],
        }
    }

    fn of(kind: fn(Vec<Diagnostic>) -> Kind, mut diagnostics: Vec<Diagnostic>) -> Self {
        if diagnostics.is_empty() {
            diagnostics.push(Diagnostic::new("failed for a reason that was not recorded"));
        }
        Self {
            kind: kind(diagnostics),
        }
    }
}

impl From<Diagnostic> for Error {
    /// An error in the schema.
    fn from(diagnostic: Diagnostic) -> Self {
        Self::schema(vec![diagnostic])
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Schema(list) | Kind::Parameter(list) => {
                for (index, diagnostic) in list.iter().enumerate() {
                    if index > 0 {
                        writeln!(f)?;
                    }
                    write!(f, "{diagnostic}")?;
                }
                Ok(())
            }
            Kind::Input(message) => f.write_str(message),
            Kind::Io { doing, source } => write!(f, "{doing}: {source}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Io { source, .. } => Some(source),
            Kind::Schema(_) | Kind::Parameter(_) | Kind::Input(_) => None,
        }
    }
}

impl Diagnostic {
    /// Says what is wrong; without a place yet.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: None,
            notes: Vec::new(),
            help: None,
        }
    }

    /// Where it is. `line` and `column` count from 1.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, line: u32, column: u32) -> Self {
        self.place = Some(Place {
            file: file.into(),
            position: Some((line, column)),
        });
        self
    }

    /// The file it is in, when the line is not known.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.place = Some(Place {
            file: file.into(),
            position: None,
        });
        self
    }

    /// Adds what else the reader should know.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push((None, text.into()));
        self
    }

    /// Adds a second place, the other culprit of a clash for example. Counts from 1, like
    /// [`at`](Self::at).
    #[must_use]
    pub fn note_at(
        mut self,
        file: impl Into<String>,
        line: u32,
        column: u32,
        text: impl Into<String>,
    ) -> Self {
        let place = Place {
            file: file.into(),
            position: Some((line, column)),
        };
        self.notes.push((Some(place), text.into()));
        self
    }

    /// How to mend it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// What is wrong, without place, notes and help.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The file it is in, where known.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.place.as_ref().map(|place| place.file.as_str())
    }

    /// Line and column, both from 1, where known.
    #[must_use]
    pub fn position(&self) -> Option<(u32, u32)> {
        self.place.as_ref().and_then(|place| place.position)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        for (place, text) in &self.notes {
            f.write_str("\n  note: ")?;
            if let Some(place) = place {
                write!(f, "{place}: ")?;
            }
            f.write_str(&hanging(text))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", hanging(help))?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match self.position {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

impl Diagnostics {
    /// An empty collector.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; the same one twice counts once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Whether nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Fails with everything that was pushed, in the order of the files and their lines, as a
    /// schema error.
    ///
    /// # Errors
    ///
    /// When anything was pushed.
    pub fn finish(self) -> Result<(), Error> {
        self.finish_as(Error::schema)
    }

    /// The diagnostics, in the order of the files and their lines; for warnings.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| a.place.cmp(&b.place));
        self.list
    }

    /// As [`finish`](Self::finish), with the kind of error that `kind` makes.
    pub(crate) fn finish_as(self, kind: fn(Vec<Diagnostic>) -> Error) -> Result<(), Error> {
        if self.list.is_empty() {
            return Ok(());
        }
        Err(kind(self.into_vec()))
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }
}

/// Indents the lines after the first, so that they stay below their label.
fn hanging(text: &str) -> String {
    text.trim_end().replace('\n', "\n        ")
}
