//! Messages and enums, by prost-build.
//!
//! prost-build gets every comment as a mark, which is replaced by the real lines once its
//! output is parsed: its own handling of comments can't be switched off, and would be the second
//! to escape them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use prost_build::{Config, Module};
use prost_types::source_code_info::Location;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, SourceCodeInfo};
use syn::visit_mut::VisitMut;

use crate::comments;
use crate::descriptors::{Descriptors, File, tag};
use crate::error::{Diagnostic, Error};
use crate::layout;
use crate::model::{Externs, Model, PROST};
use crate::options::Options;

/// What a mark starts with, in the doc attribute that prost-build makes of it.
const MARK: &str = " @@doc ";

/// The formatted items of every package that files are written for, by the package's name.
///
/// # Errors
///
/// When prost-build refuses the schema, or what it writes is no Rust.
pub(super) fn generate(
    model: &Model,
    descriptors: &Descriptors,
    options: &Options,
) -> Result<BTreeMap<String, String>, Error> {
    let emitted: BTreeSet<&str> = model
        .packages
        .iter()
        .filter(|package| package.emit)
        .flat_map(|package| &package.sources)
        .map(String::as_str)
        .collect();
    let mut marks = Marks::default();
    let mut requests = Vec::new();
    let mut files: Vec<&File> = descriptors.files().iter().collect();
    files.sort_by(|a, b| a.proto.name().cmp(b.proto.name()));
    for file in files {
        let package = file.proto.package();
        let module = Module::from_parts([package]);
        let proto = if emitted.contains(file.proto.name()) {
            marks.mark(file)
        } else {
            bare(file)
        };
        requests.push((module, proto));
    }
    let mut written = run(options, requests)?;
    let mut bodies = BTreeMap::new();
    for package in model.packages.iter().filter(|package| package.emit) {
        let Some(text) = written.remove(&Module::from_parts([&package.proto])) else {
            continue;
        };
        let mut file = syn::parse_file(&text).map_err(|error| not_rust(&package.proto, &error))?;
        marks.visit_file_mut(&mut file);
        file.items.iter_mut().for_each(layout::allow);
        // Formatted at once: the trees of a large schema are many times its text.
        bodies.insert(package.proto.clone(), layout::items(file.items));
    }
    Ok(bodies)
}

fn run(
    options: &Options,
    requests: Vec<(Module, FileDescriptorProto)>,
) -> Result<HashMap<Module, String>, Error> {
    let mut config = config(options);
    // All that is known to make prost-build panic has been refused or mended by now. What is
    // not known must not end the build script or the plugin without an answer.
    match catch_unwind(AssertUnwindSafe(|| config.generate(requests))) {
        Ok(Ok(files)) => Ok(files),
        Ok(Err(error)) => Err(Error::parameter(vec![Diagnostic::new(format!(
            "prost-build refuses: {error}"
        ))])),
        Err(panic) => {
            let reason = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no reason given");
            Err(Diagnostic::new(format!("prost-build failed: {reason}"))
                .help("please report this together with the protos")
                .into())
        }
    }
}

fn config(options: &Options) -> Config {
    let mut config = Config::new();
    config.prost_path(PROST);
    // Ours has prost's own mapping of google.protobuf, but lets the user's paths override it.
    config.compile_well_known_types();
    for (proto, rust) in Externs::new(options).iter() {
        config.extern_path(proto, rust);
    }
    config.bytes(&options.bytes);
    config.btree_map(&options.btree_map);
    for (path, attribute) in &options.type_attributes {
        config.type_attribute(path, attribute);
    }
    for (path, attribute) in &options.field_attributes {
        config.field_attribute(path, attribute);
    }
    config
}

/// A file of which nothing is written: its messages matter to the derives of others, its enums
/// and defaults only to itself.
fn bare(file: &File) -> FileDescriptorProto {
    let mut proto = file.proto.clone();
    proto.service.clear();
    proto.enum_type.clear();
    proto.message_type.iter_mut().for_each(strip);
    proto
}

fn strip(message: &mut DescriptorProto) {
    message.enum_type.clear();
    for field in &mut message.field {
        field.default_value = None;
    }
    message.nested_type.iter_mut().for_each(strip);
}

/// The comments that were replaced by marks, by the number in the mark.
#[derive(Default)]
struct Marks {
    docs: Vec<Vec<String>>,
}

impl Marks {
    /// The file without services, with a mark for a comment wherever prost-build looks for one.
    fn mark(&mut self, file: &File) -> FileDescriptorProto {
        let mut proto = file.proto.clone();
        proto.service.clear();
        let mut info = SourceCodeInfo::default();
        for (index, message) in (0i32..).zip(&proto.message_type) {
            self.message(file, message, vec![tag::FILE_MESSAGE, index], &mut info);
        }
        for (index, descriptor) in (0i32..).zip(&proto.enum_type) {
            self.enumeration(file, descriptor, vec![tag::FILE_ENUM, index], &mut info);
        }
        proto.source_code_info = Some(info);
        proto
    }

    fn message(
        &mut self,
        file: &File,
        message: &DescriptorProto,
        path: Vec<i32>,
        info: &mut SourceCodeInfo,
    ) {
        let below = |tag: i32, index: i32| [path.as_slice(), &[tag, index]].concat();
        for index in indices(message.field.len()) {
            self.location(file, below(tag::MESSAGE_FIELD, index), info);
        }
        for index in indices(message.oneof_decl.len()) {
            self.location(file, below(tag::MESSAGE_ONEOF, index), info);
        }
        for (index, nested) in (0i32..).zip(&message.nested_type) {
            self.message(file, nested, below(tag::MESSAGE_NESTED, index), info);
        }
        for (index, nested) in (0i32..).zip(&message.enum_type) {
            self.enumeration(file, nested, below(tag::MESSAGE_ENUM, index), info);
        }
        self.location(file, path, info);
    }

    fn enumeration(
        &mut self,
        file: &File,
        descriptor: &EnumDescriptorProto,
        path: Vec<i32>,
        info: &mut SourceCodeInfo,
    ) {
        for index in indices(descriptor.value.len()) {
            let path = [path.as_slice(), &[tag::ENUM_VALUE, index]].concat();
            self.location(file, path, info);
        }
        self.location(file, path, info);
    }

    fn location(&mut self, file: &File, path: Vec<i32>, info: &mut SourceCodeInfo) {
        let docs = comments::rustdoc(&file.source.comment(&path));
        let leading_comments = if docs.is_empty() {
            None
        } else {
            self.docs.push(docs);
            Some(format!("{MARK}{}", self.docs.len() - 1))
        };
        info.location.push(Location {
            path,
            leading_comments,
            ..Location::default()
        });
    }

    fn docs_of(&self, attribute: &syn::Attribute) -> Option<&[String]> {
        let text = layout::doc_text(attribute)?;
        let index = text.strip_prefix(MARK)?.parse::<usize>().ok()?;
        self.docs.get(index).map(Vec::as_slice)
    }
}

impl VisitMut for Marks {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<syn::Attribute>) {
        let replaced = attributes
            .drain(..)
            .flat_map(|attribute| match self.docs_of(&attribute) {
                Some(lines) => layout::docs(lines),
                None => vec![attribute],
            })
            .collect();
        *attributes = replaced;
    }
}

fn indices(length: usize) -> impl Iterator<Item = i32> {
    (0i32..).take(length)
}

fn not_rust(package: &str, error: &syn::Error) -> Error {
    Diagnostic::new(format!(
        "prost-build's output for package `{package}` is no Rust: {error}"
    ))
    .help("if a type or field attribute is at fault, mend it; otherwise please report this")
    .into()
}
