//! What a build script may choose: a method for each parameter.

use std::path::PathBuf;

use super::Builder;
use crate::options::{DurationLibrary, Emit, Options, Time, undotted};

impl Builder {
    /// The name of the file with the module tree; `mod.rs` unless given.
    #[must_use]
    pub fn include_file(self, name: impl Into<String>) -> Self {
        self.say("include_file", |options| {
            options.include_file = Some(name.into());
        })
    }

    /// Whether tonic's own client and server modules are generated too; off unless given.
    #[must_use]
    pub fn tonic(self, yes: bool) -> Self {
        self.say("tonic", |options| options.tonic = yes)
    }

    /// The kinds of output; Rust alone unless given. Docs need the crate's feature `cli`.
    #[must_use]
    pub fn emit(self, emit: Emit) -> Self {
        self.say("emit", |options| options.emit = emit)
    }

    /// Uses `rust` (`::google_types`) for all that is below `proto` (`.google.type`), and
    /// generates nothing for it.
    #[must_use]
    pub fn extern_path(mut self, proto: impl Into<String>, rust: impl Into<String>) -> Self {
        self.given
            .options
            .extern_paths
            .push((proto.into(), rust.into()));
        self
    }

    /// Uses `Bytes` for the `bytes` fields below `path`; `.` is all of them.
    #[must_use]
    pub fn bytes(mut self, path: impl Into<String>) -> Self {
        self.given.options.bytes.push(path.into());
        self
    }

    /// Uses `BTreeMap` for the `map` fields below `path`; `.` is all of them.
    #[must_use]
    pub fn btree_map(mut self, path: impl Into<String>) -> Self {
        self.given.options.btree_map.push(path.into());
        self
    }

    /// Puts `attribute` (`#[derive(Eq)]`) on the messages, enums and oneofs below `path`.
    #[must_use]
    pub fn type_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        let pair = (path.into(), attribute.into());
        self.given.options.type_attributes.push(pair);
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
        self.given.options.field_attributes.push(pair);
        self
    }

    /// Takes templates from `dir` where it has them.
    #[must_use]
    pub fn templates(self, dir: impl Into<PathBuf>) -> Self {
        self.say("templates", |options| options.templates = Some(dir.into()))
    }

    /// Uses the user's own type `rust` (`crate::domain::Item`) for a message, an enum or a oneof
    /// (`shop.Order.payment`), with or without a leading dot.
    #[must_use]
    pub fn entity(mut self, proto: impl AsRef<str>, rust: impl Into<String>) -> Self {
        let pair = (undotted(proto.as_ref()).to_owned(), rust.into());
        self.given.options.entities.push(pair);
        self
    }

    /// Uses the user's own mapper `rust` for a field, or for a whole message.
    #[must_use]
    pub fn with(mut self, proto: impl AsRef<str>, rust: impl Into<String>) -> Self {
        let pair = (undotted(proto.as_ref()).to_owned(), rust.into());
        self.given.options.with.push(pair);
        self
    }

    /// Uses the user's own type `rust` for a field: it is `From` and `TryFrom` what the field
    /// would be.
    #[must_use]
    pub fn newtype(mut self, proto: impl AsRef<str>, rust: impl Into<String>) -> Self {
        let pair = (undotted(proto.as_ref()).to_owned(), rust.into());
        self.given.options.newtypes.push(pair);
        self
    }

    /// Does what [`newtype`](Self::newtype) does, for every field with
    /// `(apibase.v1.field).kind = name`.
    #[must_use]
    pub fn kind(mut self, name: impl Into<String>, rust: impl Into<String>) -> Self {
        self.given.options.kinds.push((name.into(), rust.into()));
        self
    }

    /// Fills `field`, which the user's own type has and the message `proto` hasn't, with the
    /// Rust expression `expr` (`Default::default()`).
    #[must_use]
    pub fn extra(
        mut self,
        proto: impl AsRef<str>,
        field: impl Into<String>,
        expr: impl Into<String>,
    ) -> Self {
        let extra = (
            undotted(proto.as_ref()).to_owned(),
            field.into(),
            expr.into(),
        );
        self.given.options.extras.push(extra);
        self
    }

    /// What timestamps are in entities; chrono's unless given.
    #[must_use]
    pub fn time(self, time: Time) -> Self {
        self.say("time", |options| options.time = time)
    }

    /// What durations are in entities; of the same library as timestamps unless given.
    #[must_use]
    pub fn duration(self, library: DurationLibrary) -> Self {
        self.say("duration", |options| options.duration = Some(library))
    }

    /// Uses `BTreeMap` and `BTreeSet` in the entities below `path`; `.` is all of them.
    #[must_use]
    pub fn ordered(mut self, path: impl Into<String>) -> Self {
        self.given.options.ordered.push(path.into());
        self
    }

    /// Whether property tests of the entities are generated too; off unless given.
    #[must_use]
    pub fn laws(self, yes: bool) -> Self {
        self.say("laws", |options| options.laws = yes)
    }

    /// Puts `attribute` (`#[derive(Eq)]`) on the generated types of the entities below `path`.
    #[must_use]
    pub fn entity_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        let pair = (path.into(), attribute.into());
        self.given.options.entity_attributes.push(pair);
        self
    }

    /// Takes what the protos don't say of calls (deadlines, retries, hedging, throttles) from a gRPC
    /// service config, a JSON file as Google has beside each of its APIs.
    ///
    /// A retry that it gives to a method holds, whether the proto calls that idempotent or not: the
    /// config is the word of who made the API. Hedging is for methods that the proto calls idempotent
    /// alone, since two attempts at once can both be acted upon: for others it is passed over, with a
    /// warning.
    #[must_use]
    pub fn service_config(mut self, file: impl Into<String>) -> Self {
        self.given.options.service_configs.push(file.into());
        self
    }

    /// Reads settings from `file` instead of `apibase.toml`; it has to exist.
    #[must_use]
    pub fn config(mut self, file: impl Into<PathBuf>) -> Self {
        self.given.options.config = Some(file.into());
        self
    }

    /// Sets what `key` holds one value of; the file doesn't change it any more.
    fn say(mut self, key: &'static str, set: impl FnOnce(&mut Options)) -> Self {
        set(&mut self.given.options);
        self.given.say(key);
        self
    }
}
