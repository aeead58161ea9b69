//! [`Index`]: which file has what.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use prost::Message;
use prost_types::FileDescriptorProto;

use super::declared::Declared;
use super::error::ReflectionError;
use super::{google, own};

/// All files that are served, and what is where in them.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    files: Vec<File>,
    by_name: HashMap<String, usize>,
    by_symbol: HashMap<String, usize>,
    /// By the full name of what is extended, then by number.
    extensions: HashMap<String, BTreeMap<i32, usize>>,
    /// The names that are listed, which need not be those of all services in the files.
    services: BTreeSet<String>,
    /// Our own `error_details.proto`, which gives way to what a schema brings.
    details: Option<usize>,
}

#[derive(Clone, Debug)]
struct File {
    /// As it came: what is decoded and encoded again loses its custom options.
    descriptor: Bytes,
    imports: Vec<String>,
}

/// The files that a stream has had: no more than there are.
#[derive(Debug, Default)]
pub(super) struct Sent(Vec<bool>);

/// A `google.protobuf.FileDescriptorSet` whose files stay as they are.
#[derive(Clone, PartialEq, Message)]
struct RawSet {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    files: Vec<Bytes>,
}

/// The name of a `google.protobuf.FileDescriptorProto`.
#[derive(Clone, PartialEq, Message)]
struct RawName {
    #[prost(string, tag = "1")]
    name: String,
}

impl Index {
    /// Adds the files of a descriptor set, and what they import of `google/protobuf`.
    pub(super) fn add(&mut self, set: Bytes) -> Result<(), ReflectionError> {
        let set = RawSet::decode(set).map_err(|error| ReflectionError::malformed(None, error))?;
        for descriptor in set.files {
            self.add_file(descriptor)?;
        }
        Ok(())
    }

    /// Adds what the details of statuses are made of. No schema has to import that, and a tool that gets
    /// such a status asks for it.
    pub(super) fn add_details(&mut self) -> Result<(), ReflectionError> {
        let at = self.files.len();
        self.add_file(Bytes::from_static(own::ERROR_DETAILS))?;
        self.details = Some(at);
        self.complete()
    }

    fn add_file(&mut self, descriptor: Bytes) -> Result<(), ReflectionError> {
        let RawName { name } = RawName::decode(descriptor.clone())
            .map_err(|error| ReflectionError::malformed(None, error))?;
        let known = self.by_name.get(&name);
        let known = known.filter(|at| self.details != Some(**at));
        if let Some(known) = known.and_then(|at| self.files.get(*at)) {
            // Compilers write protobuf's own files in different ways, and mean the same.
            if known.descriptor == descriptor || name.starts_with("google/protobuf/") {
                return Ok(());
            }
            return Err(ReflectionError::conflict(name));
        }
        let decoded = FileDescriptorProto::decode(descriptor.clone())
            .map_err(|error| ReflectionError::malformed(Some(name.clone()), error))?;
        self.insert(name, descriptor, decoded);
        Ok(())
    }

    fn insert(&mut self, name: String, descriptor: Bytes, decoded: FileDescriptorProto) {
        let at = self.files.len();
        let declared = Declared::by(&decoded);
        // Where two files declare one name, it is the first one's: a server that links both is none.
        for symbol in declared.symbols {
            let first = self.by_symbol.entry(symbol).or_insert(at);
            if self.details == Some(*first) {
                *first = at;
            }
        }
        for (extendee, number) in declared.extensions {
            let numbers = self.extensions.entry(extendee).or_default();
            numbers.entry(number).or_insert(at);
        }
        self.by_name.insert(name, at);
        self.files.push(File {
            descriptor,
            imports: decoded.dependency,
        });
    }

    /// Adds what is imported of `google/protobuf` and isn't there. Generated sets don't have it: its
    /// bytes differ from compiler to compiler.
    pub(super) fn complete(&mut self) -> Result<(), ReflectionError> {
        // What is added has imports too.
        let mut at = 0;
        while let Some(file) = self.files.get(at) {
            let imports = file.imports.iter();
            let absent = imports.filter(|name| !self.by_name.contains_key(*name));
            let ours: Vec<_> = absent.filter_map(|name| google::file(name)).collect();
            for descriptor in ours {
                self.add_file(Bytes::from_static(descriptor))?;
            }
            at += 1;
        }
        Ok(())
    }

    /// Imports that no file fulfils.
    pub(super) fn missing(&self) -> BTreeSet<&str> {
        let imports = self.files.iter().flat_map(|file| &file.imports);
        imports
            .filter(|name| !self.by_name.contains_key(*name))
            .map(String::as_str)
            .collect()
    }

    /// Lists a service.
    pub(super) fn list(&mut self, service: String) {
        self.services.insert(service);
    }

    /// The names of the services, in order.
    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(String::as_str)
    }

    /// The file of this name.
    pub(super) fn file(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The file that declares what has this full name.
    pub(super) fn file_of_symbol(&self, symbol: &str) -> Option<usize> {
        self.by_symbol.get(symbol).copied()
    }

    /// The file that declares this extension.
    pub(super) fn file_of_extension(&self, extendee: &str, number: i32) -> Option<usize> {
        self.extensions.get(extendee)?.get(&number).copied()
    }

    /// The numbers of the extensions of `extendee`, in order; `None` where nothing has this name.
    pub(super) fn extension_numbers(&self, extendee: &str) -> Option<Vec<i32>> {
        match self.extensions.get(extendee) {
            Some(extensions) => Some(extensions.keys().copied().collect()),
            None => self.by_symbol.contains_key(extendee).then(Vec::new),
        }
    }

    /// A file, then those of its imports, and of theirs, that were not sent yet. As with grpc-go, the
    /// file that was asked for comes first, and comes whether it was sent or not.
    pub(super) fn with_imports(&self, file: usize, sent: &mut Sent) -> Vec<Bytes> {
        sent.0.resize(self.files.len(), false);
        sent.note(file);
        let mut queue = VecDeque::from([file]);
        let mut descriptors = Vec::new();
        while let Some(file) = queue.pop_front().and_then(|at| self.files.get(at)) {
            descriptors.push(file.descriptor.clone());
            let imports = file.imports.iter().filter_map(|name| self.file(name));
            // What was sent was sent with its imports.
            queue.extend(imports.filter(|import| sent.note(*import)));
        }
        descriptors
    }
}

impl Sent {
    /// Whether `file` is sent for the first time.
    fn note(&mut self, file: usize) -> bool {
        match self.0.get_mut(file) {
            Some(sent) => !std::mem::replace(sent, true),
            None => false,
        }
    }
}
