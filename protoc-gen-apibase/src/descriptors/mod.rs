//! From the bytes of a descriptor set to descriptors that the rest can rely on: checked, in one
//! order whatever order they came in, complete, and with their comments aside.

mod canonical;
mod check;
mod normal;
mod plausible;
pub(crate) mod rules;
mod source;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorProto;

use self::rules::Rules;
pub(crate) use self::source::{Source, tag};
use crate::error::{Diagnostic, Diagnostics, Error};

/// A checked descriptor set.
pub(crate) struct Descriptors {
    /// Every file after those it imports, otherwise by name.
    files: Vec<File>,
    /// Where each is in `files`, by name.
    index: BTreeMap<String, usize>,
    pool: DescriptorPool,
    rules: Rules,
}

/// One file of the set.
pub(crate) struct File {
    /// Normal: types by their full name, no empty package, `packed` always explicit, no source
    /// information. Without custom options, which prost-types drops.
    pub(crate) proto: FileDescriptorProto,
    pub(crate) source: Source,
    /// As it came, custom options included.
    bytes: Vec<u8>,
}

impl Descriptors {
    /// Reads an encoded `FileDescriptorSet`.
    ///
    /// # Errors
    ///
    /// When it can't be read, is not complete, contradicts itself, or uses editions.
    pub(crate) fn load(descriptor_set: &[u8]) -> Result<Self, Error> {
        let mut raw = check::split(descriptor_set)?;
        let order = check::in_order(&raw)?;
        let bytes: Vec<Vec<u8>> = order
            .iter()
            .filter_map(|name| raw.remove(name))
            .map(|file| file.bytes)
            .collect();
        let set = check::SetBytes { file: bytes };
        let pool = DescriptorPool::decode(set.encode_to_vec().as_slice())
            .map_err(|error| invalid(&error))?;
        let mut problems = Diagnostics::new();
        problems.extend(pool.file_descriptor_protos().filter_map(plausible::check));
        problems.finish()?;
        let files: Vec<File> = pool
            .file_descriptor_protos()
            .zip(set.file)
            .map(|(proto, bytes)| File {
                source: Source::new(proto),
                proto: normal::file(proto),
                bytes,
            })
            .collect();
        let index = (0..)
            .zip(&files)
            .map(|(index, file)| (file.proto.name().to_owned(), index))
            .collect();
        let rules = Rules::read(&pool, &files)?;
        Ok(Self {
            files,
            index,
            pool,
            rules,
        })
    }

    /// Every file after those it imports, otherwise by name.
    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// The file with this name.
    pub(crate) fn file(&self, name: &str) -> Option<&File> {
        self.files.get(*self.index.get(name)?)
    }

    /// What the files say in our options, and in those of others that mean the same.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// For canonical descriptor sets of parts of this one.
    pub(crate) fn canonical_sets(&self) -> CanonicalSets<'_> {
        CanonicalSets {
            descriptors: self,
            done: BTreeMap::new(),
        }
    }

    /// `files` and all that they import but for google/protobuf, in the order of the set.
    fn with_imports(&self, files: &[&File]) -> Vec<&File> {
        let mut wanted = BTreeSet::new();
        let mut open: Vec<&str> = files.iter().map(|file| file.proto.name()).collect();
        while let Some(name) = open.pop() {
            if is_well_known(name) {
                continue;
            }
            if let Some(index) = self.index.get(name)
                && wanted.insert(*index)
                && let Some(file) = self.files.get(*index)
            {
                open.extend(file.proto.dependency.iter().map(String::as_str));
            }
        }
        let files = wanted.into_iter().filter_map(|index| self.files.get(index));
        files.collect()
    }
}

impl File {
    /// An error about what is at `path`, at its place.
    pub(crate) fn diagnostic(&self, message: impl Into<String>, path: &[i32]) -> Diagnostic {
        self.diagnostic_at(message, self.source.position(path))
    }

    /// An error about what is said in our option of what is at `path`, at its place. `field` is
    /// the way to it by names, `retry.max_attempts` or `errors.1`; empty for all of the option.
    pub(crate) fn diagnostic_at_rule(
        &self,
        message: impl Into<String>,
        path: &[i32],
        field: &str,
    ) -> Diagnostic {
        self.diagnostic_at_option(message, path, &rules::numbers(path, field))
    }

    /// An error about an option of what is at `path`, at the option's place. `option` is the way
    /// to it by numbers, that of the extension first.
    pub(crate) fn diagnostic_at_option(
        &self,
        message: impl Into<String>,
        path: &[i32],
        option: &[i32],
    ) -> Diagnostic {
        self.diagnostic_at(message, self.source.option_position(path, option))
    }

    fn diagnostic_at(
        &self,
        message: impl Into<String>,
        position: Option<(u32, u32)>,
    ) -> Diagnostic {
        let diagnostic = Diagnostic::new(message);
        match position {
            Some((line, column)) => diagnostic.at(self.proto.name(), line, column),
            None => diagnostic.in_file(self.proto.name()),
        }
    }
}

/// Makes canonical descriptor sets: the same bytes whichever compiler wrote the descriptors.
/// Files that several sets share are worked on once.
pub(crate) struct CanonicalSets<'a> {
    descriptors: &'a Descriptors,
    done: BTreeMap<&'a str, Vec<u8>>,
}

impl<'a> CanonicalSets<'a> {
    /// The set of `files` and what they import, without google/protobuf.
    ///
    /// # Errors
    ///
    /// When a file's bytes are garbled in a place that nothing has looked at before.
    pub(crate) fn of(&mut self, files: &[&'a File]) -> Result<Vec<u8>, Error> {
        let mut set = check::SetBytes::default();
        for file in self.descriptors.with_imports(files) {
            let name = file.proto.name();
            let bytes = match self.done.get(name) {
                Some(bytes) => bytes.clone(),
                None => {
                    let bytes =
                        canonical::file(&self.descriptors.pool, &file.bytes).map_err(|reason| {
                            Error::input(format!("{name} can't be read: {reason}"))
                        })?;
                    self.done.insert(name, bytes.clone());
                    bytes
                }
            };
            set.file.push(bytes);
        }
        Ok(set.encode_to_vec())
    }
}

/// Whether a file is never generated for: ours with the options, which only the generator reads.
pub(crate) fn is_ours(file: &str) -> bool {
    file == rules::OPTIONS_FILE
}

/// Whether a file is part of protobuf itself, for which prost-types has the Rust.
pub(crate) fn is_well_known(file: &str) -> bool {
    file.starts_with("google/protobuf/")
}

fn invalid(error: &prost_reflect::DescriptorError) -> Error {
    let diagnostic = Diagnostic::new(error.to_string());
    let place = (error.line(), error.column());
    match (error.file(), place) {
        (Some(file), (Some(line), Some(column))) => diagnostic.at(
            file,
            u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1),
            u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
        ),
        (Some(file), _) => diagnostic.in_file(file),
        (None, _) => diagnostic,
    }
    .into()
}
