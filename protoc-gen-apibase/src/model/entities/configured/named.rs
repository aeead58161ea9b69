//! What the configuration can name in a schema, and where that is.

use prost_types::FieldDescriptorProto;

use super::super::index::{EnumRef, MessageRef};
use crate::descriptors::tag;
use crate::error::Diagnostic;

/// Something that the configuration can name.
pub(super) enum Named<'n, 'a> {
    Message(&'n MessageRef<'a>),
    Enum(&'n EnumRef<'a>),
    /// Its message, its place and its name.
    Oneof(&'n MessageRef<'a>, Vec<i32>, &'n str),
    /// Its message, its place and itself.
    Field(&'n MessageRef<'a>, Vec<i32>, &'n FieldDescriptorProto),
}

impl<'n> Named<'n, '_> {
    /// As an error says it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "a message",
            Self::Enum(_) => "an enum",
            Self::Oneof(..) => "a oneof",
            Self::Field(..) => "a field",
        }
    }

    pub(super) fn name(&self) -> &'n str {
        match self {
            Self::Message(message) => message.message.name(),
            Self::Enum(found) => found.descriptor.name(),
            Self::Oneof(_, _, name) => name,
            Self::Field(_, _, field) => field.name(),
        }
    }

    pub(super) fn full_name(&self) -> String {
        match self {
            Self::Message(message) => message.full_name.clone(),
            Self::Enum(found) => found.full_name.clone(),
            Self::Oneof(message, ..) | Self::Field(message, ..) => {
                join(&message.full_name, self.name())
            }
        }
    }

    /// The message that it is or is in; none for an enum.
    pub(super) fn message(&self) -> Option<&'n MessageRef<'n>> {
        match self {
            Self::Message(message) | Self::Oneof(message, ..) | Self::Field(message, ..) => {
                Some(message)
            }
            Self::Enum(_) => None,
        }
    }

    /// Adds where it is.
    pub(super) fn noted(&self, diagnostic: Diagnostic) -> Diagnostic {
        let (file, path) = match self {
            Self::Message(message) => (message.file, &message.path),
            Self::Enum(found) => (found.file, &found.path),
            Self::Oneof(message, path, _) | Self::Field(message, path, _) => (message.file, path),
        };
        let text = format!("`{}` is here", self.full_name());
        match file.source.position(path) {
            Some((line, column)) => diagnostic.note_at(file.proto.name(), line, column, text),
            None => diagnostic,
        }
    }
}

/// The fields and oneofs of a message.
pub(super) fn inside<'n, 'a>(message: &'n MessageRef<'a>) -> impl Iterator<Item = Named<'n, 'a>> {
    let at = |tags: [i32; 2]| [message.path.as_slice(), &tags].concat();
    let fields = (0i32..)
        .zip(&message.message.field)
        .map(move |(index, field)| Named::Field(message, at([tag::MESSAGE_FIELD, index]), field));
    let oneofs = (0i32..)
        .zip(&message.message.oneof_decl)
        .map(move |(index, oneof)| {
            Named::Oneof(message, at([tag::MESSAGE_ONEOF, index]), oneof.name())
        })
        // `optional` makes a oneof that nobody has written.
        .filter(|oneof| !oneof.name().starts_with('_'));
    fields.chain(oneofs)
}

/// A name in a package, which may be the one without a name.
pub(super) fn join(package: &str, name: &str) -> String {
    if package.is_empty() {
        name.to_owned()
    } else {
        format!("{package}.{name}")
    }
}
