//! What a caller may choose, and the `key=value` parameters that choose it.

mod check;
mod config;
mod given;
mod nearest;
mod parameters;
mod reader;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub(crate) use self::given::Given;
pub(crate) use self::nearest::{distance, nearest};
use self::parameters::PARAMETERS;
pub(crate) use self::reader::undotted;
use crate::error::{Diagnostics, Error};

/// What to generate, and how.
///
/// The same for all three ways in: protoc and buf hand it over as parameters
/// ([`parse`](Self::parse)), the `generate` command as `--opt`, a build script through the
/// methods of [`Builder`](crate::Builder). All three also read the same parameters from
/// `apibase.toml` in the working directory, where there is one:
///
/// ```toml
/// time = "jiff"
/// bytes = [".shop.Item.picture"]
///
/// [entity]
/// "shop.Item" = "crate::domain::Item"
///
/// [extra."shop.Item"]
/// cache = "Default::default()"
/// ```
///
/// What is given beats the file: one value takes the place of the file's, a pair that of the
/// file's pair with the same name, and lists add to the file's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The name of the file with the module tree, `mod.rs` for example; none is written when
    /// unset.
    pub include_file: Option<String>,
    /// Whether tonic's own client and server modules are generated too.
    pub tonic: bool,
    /// The kinds of output.
    pub emit: Emit,
    /// Protobuf paths (`.google.type`) and the Rust paths (`::google_types`) that stand for
    /// them; nothing is generated for what is below such a path.
    pub extern_paths: Vec<(String, String)>,
    /// Paths whose `bytes` fields become `Bytes` instead of `Vec<u8>`; `.` is everything.
    pub bytes: Vec<String>,
    /// Paths whose `map` fields become `BTreeMap` instead of `HashMap`; `.` is everything.
    /// prost names itself in them, so they take prost as a dependency.
    pub btree_map: Vec<String>,
    /// Paths and the attributes put on their messages, enums and oneofs.
    pub type_attributes: Vec<(String, String)>,
    /// Paths and the attributes put on their fields.
    pub field_attributes: Vec<(String, String)>,
    /// A folder with templates that replace the built-in ones, file by file.
    pub templates: Option<PathBuf>,
    /// Messages, enums and oneofs (`shop.Order.payment`), without a leading dot, and the user's
    /// own types (`crate::domain::Payment`) that entities have in place of generated ones.
    pub entities: Vec<(String, String)>,
    /// Fields and messages, without a leading dot, and the user's own mappers for them.
    pub with: Vec<(String, String)>,
    /// Fields, without a leading dot, and the user's own types, which are `From` and `TryFrom`
    /// what the fields would be.
    pub newtypes: Vec<(String, String)>,
    /// Values of `(apibase.v1.field).kind` and the same for all fields that have them.
    pub kinds: Vec<(String, String)>,
    /// Messages, without a leading dot, fields that only the user's own types have, and the Rust
    /// expressions that fill those.
    pub extras: Vec<(String, String, String)>,
    /// What a `google.protobuf.Timestamp` is in an entity.
    pub time: Time,
    /// What a `google.protobuf.Duration` is in an entity; unless set, what
    /// [`duration_library`](Self::duration_library) says.
    pub duration: Option<DurationLibrary>,
    /// Paths below which entities have `BTreeMap` and `BTreeSet` in place of `HashMap` and
    /// `HashSet`; `.` is everything.
    pub ordered: Vec<String>,
    /// Whether property tests of the entities are generated too.
    pub laws: bool,
    /// Paths and the attributes put on the generated types of entities below them.
    pub entity_attributes: Vec<(String, String)>,
    /// gRPC service configs, as JSON: what they say of methods holds where the protos say nothing.
    /// Paths from the working directory.
    pub service_configs: Vec<String>,
    /// A file with parameters, read in place of `apibase.toml`. [`generate`](crate::generate)
    /// reads no file: the three ways in do, before they call it.
    pub config: Option<PathBuf>,
}

/// What a `google.protobuf.Timestamp` is in an entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Time {
    /// `chrono::DateTime<Utc>`.
    #[default]
    Chrono,
    /// `time::OffsetDateTime`.
    Time,
    /// `jiff::Timestamp`.
    Jiff,
    /// `std::time::SystemTime`.
    System,
}

/// What a `google.protobuf.Duration` is in an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationLibrary {
    /// `std::time::Duration`, which has no negative values.
    Std,
    /// `chrono::TimeDelta`.
    Chrono,
    /// `time::Duration`.
    Time,
    /// `jiff::SignedDuration`.
    Jiff,
}

impl From<Time> for DurationLibrary {
    /// The one of the same library.
    fn from(time: Time) -> Self {
        match time {
            Time::Chrono => Self::Chrono,
            Time::Time => Self::Time,
            Time::Jiff => Self::Jiff,
            Time::System => Self::Std,
        }
    }
}

/// The kinds of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emit {
    /// Messages, servicers, servers, clients, descriptors and the module tree.
    pub rust: bool,
    /// A Markdown page for each service.
    pub docs: bool,
    /// Fakes of the services, for tests, in files of their own.
    pub fakes: bool,
    /// A gRPC service config for each package, by which clients in other languages call as ours do: the
    /// policies of the protos, and what our clients have built in where those say nothing. Breakers and
    /// the deadline of calls whose proto has none (`GRPC__CLIENT__DEFAULT_TIMEOUT`) have no place in it.
    pub service_config: bool,
}

impl Default for Emit {
    /// Rust alone.
    fn default() -> Self {
        Self {
            rust: true,
            docs: false,
            fakes: false,
            service_config: false,
        }
    }
}

impl Options {
    /// Reads comma-joined `key=value` parameters; `\,` is a comma inside a value.
    ///
    /// No file is read, whatever `config` says.
    ///
    /// # Errors
    ///
    /// When a parameter is unknown, repeated though it holds one value, or has a bad value; all
    /// of them at once.
    pub fn parse(parameter: &str) -> Result<Self, Error> {
        Given::parse(parameter).finish()
    }

    /// Reads parameters of which each is one `key=value`, or the bare name of a switch.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        Given::from_pairs(pairs).finish()
    }

    /// What a `google.protobuf.Duration` is in an entity: [`duration`](Self::duration), else the
    /// one of the library that [`time`](Self::time) names.
    #[must_use]
    pub fn duration_library(&self) -> DurationLibrary {
        self.duration.unwrap_or(self.time.into())
    }

    /// Checks what the types alone don't: paths, names, types, attributes and file names.
    ///
    /// # Errors
    ///
    /// When something can't be meant; all of it at once.
    pub fn validate(&self) -> Result<(), Error> {
        let mut problems = Diagnostics::new();
        check::check(self, &mut problems);
        problems.finish_as(Error::parameter)
    }

    /// The known parameters, one a line with what it does, for a help text.
    #[must_use]
    pub fn help() -> String {
        let width = PARAMETERS.iter().map(|p| p.usage.len()).max().unwrap_or(0);
        PARAMETERS
            .iter()
            .map(|p| format!("  {:width$}  {}\n", p.usage, p.about))
            .collect()
    }
}

// The lists by the parameters that add to them, so that reading, checking and joining name each
// once.
impl Options {
    fn paths(&mut self, key: &str) -> Option<&mut Vec<String>> {
        match key {
            "bytes" => Some(&mut self.bytes),
            "btree_map" => Some(&mut self.btree_map),
            "ordered" => Some(&mut self.ordered),
            "service_config" => Some(&mut self.service_configs),
            _ => None,
        }
    }

    fn pairs(&mut self, key: &str) -> Option<&mut Vec<(String, String)>> {
        match key {
            "extern_path" => Some(&mut self.extern_paths),
            "type_attribute" => Some(&mut self.type_attributes),
            "field_attribute" => Some(&mut self.field_attributes),
            "entity" => Some(&mut self.entities),
            "with" => Some(&mut self.with),
            "newtype" => Some(&mut self.newtypes),
            "kind" => Some(&mut self.kinds),
            "entity_attribute" => Some(&mut self.entity_attributes),
            _ => None,
        }
    }
}
