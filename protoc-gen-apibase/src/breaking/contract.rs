//! The parts of a schema that promise something, by their full names, and where they are.

use std::collections::BTreeMap;

use prost_types::{DescriptorProto, EnumDescriptorProto, ServiceDescriptorProto};

use crate::descriptors::rules::Rules;
use crate::descriptors::{Descriptors, File, is_ours, is_well_known, tag};
use crate::error::Diagnostic;

/// All that a schema promises.
pub(super) struct Contract<'a> {
    pub(super) descriptors: &'a Descriptors,
    pub(super) rules: &'a Rules,
    pub(super) enums: BTreeMap<String, Part<'a, EnumDescriptorProto>>,
    pub(super) messages: BTreeMap<String, Part<'a, DescriptorProto>>,
    pub(super) services: BTreeMap<String, Part<'a, ServiceDescriptorProto>>,
}

/// A part of a schema.
pub(super) struct Part<'a, P> {
    pub(super) proto: &'a P,
    pub(super) site: Site<'a>,
}

/// Where something is.
#[derive(Clone)]
pub(super) struct Site<'a> {
    pub(super) file: &'a File,
    /// The way to it in its file.
    path: Vec<i32>,
}

impl<'a> Contract<'a> {
    pub(super) fn of(descriptors: &'a Descriptors) -> Self {
        let mut contract = Self {
            descriptors,
            rules: descriptors.rules(),
            enums: BTreeMap::new(),
            messages: BTreeMap::new(),
            services: BTreeMap::new(),
        };
        let files = descriptors.files().iter();
        for file in files.filter(|file| !is_ours(file.proto.name())) {
            if !is_well_known(file.proto.name()) {
                contract.add(file);
            }
        }
        contract
    }

    /// The enum of this full name, with or without a leading dot.
    pub(super) fn find_enum(&self, full_name: &str) -> Option<&Part<'a, EnumDescriptorProto>> {
        self.enums.get(full_name.trim_start_matches('.'))
    }

    /// The message of this full name, with or without a leading dot.
    pub(super) fn find_message(&self, full_name: &str) -> Option<&Part<'a, DescriptorProto>> {
        self.messages.get(full_name.trim_start_matches('.'))
    }

    /// An error about what is gone, at what is left around it: the message that an enum was in, else
    /// the file. `site` is where it was.
    pub(super) fn gone(&self, full_name: &str, site: &Site<'_>, message: String) -> Diagnostic {
        let parent = full_name.rsplit_once('.').map(|(parent, _)| parent);
        let name = site.file.proto.name();
        let diagnostic = if let Some(around) = parent.and_then(|name| self.messages.get(name)) {
            around.site.diagnostic(message)
        } else if let Some(file) = self.descriptors.file(name) {
            file.diagnostic(message, &[])
        } else {
            Diagnostic::new(message).in_file(name)
        };
        site.note(diagnostic, "it was here")
    }

    fn add(&mut self, file: &'a File) {
        let top = Site {
            file,
            path: Vec::new(),
        };
        let package = file.proto.package();
        for (proto, site) in top.parts(tag::FILE_MESSAGE, &file.proto.message_type) {
            self.add_message(package, proto, site);
        }
        for (proto, site) in top.parts(tag::FILE_ENUM, &file.proto.enum_type) {
            let name = join(package, proto.name());
            self.enums.insert(name, Part { proto, site });
        }
        for (proto, site) in top.parts(tag::FILE_SERVICE, &file.proto.service) {
            let name = join(package, proto.name());
            self.services.insert(name, Part { proto, site });
        }
    }

    fn add_message(&mut self, parent: &str, proto: &'a DescriptorProto, site: Site<'a>) {
        let full_name = join(parent, proto.name());
        for (nested, site) in site.parts(tag::MESSAGE_NESTED, &proto.nested_type) {
            self.add_message(&full_name, nested, site);
        }
        for (proto, site) in site.parts(tag::MESSAGE_ENUM, &proto.enum_type) {
            let name = join(&full_name, proto.name());
            self.enums.insert(name, Part { proto, site });
        }
        self.messages.insert(full_name, Part { proto, site });
    }
}

impl<'a> Site<'a> {
    /// All parts of one kind inside of this, with their places; `tag` is their field's number.
    pub(super) fn parts<'p, P>(
        &self,
        tag: i32,
        all: &'p [P],
    ) -> impl Iterator<Item = (&'p P, Site<'a>)> {
        (0i32..).zip(all).map(move |(index, part)| {
            let path = [self.path.as_slice(), &[tag, index]].concat();
            let file = self.file;
            (part, Site { file, path })
        })
    }

    /// What is wrong here.
    pub(super) fn diagnostic(&self, message: impl Into<String>) -> Diagnostic {
        self.file.diagnostic(message, &self.path)
    }

    /// What is wrong with a field of our option here: `auth`.
    pub(super) fn diagnostic_at_rule(&self, message: impl Into<String>, field: &str) -> Diagnostic {
        self.file.diagnostic_at_rule(message, &self.path, field)
    }

    /// Says of something else that it is, or was, here.
    pub(super) fn note(&self, diagnostic: Diagnostic, text: impl Into<String>) -> Diagnostic {
        let name = self.file.proto.name();
        match self.file.source.position(&self.path) {
            Some((line, column)) => diagnostic.note_at(name, line, column, text),
            None => diagnostic.note(format!("{name}: {}", text.into())),
        }
    }
}

fn join(parent: &str, name: &str) -> String {
    match parent {
        "" => name.to_owned(),
        _ => format!("{parent}.{name}"),
    }
}
