//! What a file is made of, with the options of each part, from the file's bytes.

use super::super::wire::{self, Field, Malformed, Value};

/// The parts of a file that can have options of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Message,
    Field,
    Oneof,
    Service,
    Method,
    Enum,
    EnumValue,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::File,
        Self::Message,
        Self::Field,
        Self::Oneof,
        Self::Service,
        Self::Method,
        Self::Enum,
        Self::EnumValue,
    ];
}

/// One part of a file.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) kind: Kind,
    /// The full name of what it is in; empty at the top of a file without a package.
    pub(super) owner: String,
    /// Its own name.
    pub(super) name: &'a str,
    /// A field's number; 0 for all else.
    pub(super) number: i32,
    /// Where it is in its file.
    pub(super) path: Vec<i32>,
    /// The encoded message of its options, the pieces joined; empty for none.
    options: Vec<u8>,
}

/// Which fields of a descriptor hold what.
struct Layout {
    kind: Kind,
    options: u32,
    /// The parts inside, by field.
    parts: &'static [(u32, &'static Layout)],
}

/// The name of everything that has one.
const NAME: u32 = 1;
const FIELD_NUMBER: u32 = 3;
const FILE_PACKAGE: u32 = 2;

const fn leaf(kind: Kind, options: u32) -> Layout {
    Layout {
        kind,
        options,
        parts: &[],
    }
}

// The field numbers are those of google/protobuf/descriptor.proto.
static FIELD: Layout = leaf(Kind::Field, 8);
static ONEOF: Layout = leaf(Kind::Oneof, 2);
static METHOD: Layout = leaf(Kind::Method, 4);
static VALUE: Layout = leaf(Kind::EnumValue, 3);
static ENUM: Layout = Layout {
    kind: Kind::Enum,
    options: 3,
    parts: &[(2, &VALUE)],
};
static SERVICE: Layout = Layout {
    kind: Kind::Service,
    options: 3,
    parts: &[(2, &METHOD)],
};
static MESSAGE: Layout = Layout {
    kind: Kind::Message,
    options: 7,
    parts: &[(2, &FIELD), (8, &ONEOF), (3, &MESSAGE), (4, &ENUM)],
};
static FILE: Layout = Layout {
    kind: Kind::File,
    options: 8,
    parts: &[(4, &MESSAGE), (5, &ENUM), (6, &SERVICE)],
};

/// The file and all its parts, from the outside in.
pub(super) fn of_file(bytes: &[u8]) -> Result<Vec<Element<'_>>, Malformed> {
    let mut elements = Vec::new();
    collect(&FILE, bytes, "", &[], &mut elements)?;
    Ok(elements)
}

/// The field of its descriptor that has the options of what is at `path`.
pub(in super::super) fn options_tag(path: &[i32]) -> u32 {
    layout(path).options
}

/// What is at `path`.
pub(super) fn kind(path: &[i32]) -> Kind {
    layout(path).kind
}

/// The file's for the empty path, and for one that leads elsewhere.
fn layout(path: &[i32]) -> &'static Layout {
    let mut layout = &FILE;
    for tag in path.iter().step_by(2) {
        let mut parts = layout.parts.iter();
        match parts.find(|(part, _)| part.cast_signed() == *tag) {
            Some((_, part)) => layout = part,
            None => return &FILE,
        }
    }
    layout
}

fn collect<'a>(
    layout: &Layout,
    bytes: &'a [u8],
    owner: &str,
    path: &[i32],
    elements: &mut Vec<Element<'a>>,
) -> Result<(), Malformed> {
    let fields = wire::fields(bytes)?;
    let name = text(&fields, NAME);
    let inside = match layout.kind {
        Kind::File => text(&fields, FILE_PACKAGE).to_owned(),
        _ => join(owner, name),
    };
    elements.push(Element {
        kind: layout.kind,
        owner: owner.to_owned(),
        name,
        number: match layout.kind {
            Kind::Field => number(&fields, FIELD_NUMBER),
            _ => 0,
        },
        path: path.to_vec(),
        options: joined(&fields, layout.options),
    });
    for (tag, part) in layout.parts {
        for (index, bytes) in (0i32..).zip(messages(&fields, *tag)) {
            let path = [path, &[tag.cast_signed(), index]].concat();
            collect(part, bytes, &inside, &path, elements)?;
        }
    }
    Ok(())
}

impl Element<'_> {
    /// Its name with all that it is in.
    pub(super) fn full_name(&self) -> String {
        join(&self.owner, self.name)
    }

    /// The bytes of an option whose value is a message, the pieces joined, which merges them;
    /// none when it isn't set.
    pub(super) fn message_option(&self, number: u32) -> Result<Option<Vec<u8>>, Malformed> {
        let fields = wire::fields(&self.options)?;
        Ok(messages(&fields, number)
            .next()
            .map(|_| joined(&fields, number)))
    }

    /// The numbers of an option that is a list of an enum's values.
    pub(super) fn enum_option(&self, number: u32) -> Result<Vec<u64>, Malformed> {
        numbers(&wire::fields(&self.options)?, number)
    }
}

/// The varints of a field, packed or not.
pub(super) fn numbers(fields: &[Field<'_>], number: u32) -> Result<Vec<u64>, Malformed> {
    let mut numbers = Vec::new();
    for field in fields.iter().filter(|field| field.number == number) {
        match field.value {
            Value::Varint(value) => numbers.push(value),
            Value::Bytes(bytes) => {
                for value in wire::unpack(bytes, wire::Packed::Varint)? {
                    if let Value::Varint(value) = value {
                        numbers.push(value);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(numbers)
}

/// The messages in a field, in the order of the wire.
pub(super) fn messages<'a>(fields: &[Field<'a>], number: u32) -> impl Iterator<Item = &'a [u8]> {
    fields.iter().filter_map(move |field| match field.value {
        Value::Bytes(bytes) if field.number == number => Some(bytes),
        _ => None,
    })
}

fn joined(fields: &[Field<'_>], number: u32) -> Vec<u8> {
    messages(fields, number).flatten().copied().collect()
}

fn text<'a>(fields: &[Field<'a>], number: u32) -> &'a str {
    let last = messages(fields, number).last().unwrap_or_default();
    std::str::from_utf8(last).unwrap_or_default()
}

fn number(fields: &[Field<'_>], number: u32) -> i32 {
    let value = fields.iter().rev().find_map(|field| match field.value {
        Value::Varint(value) if field.number == number => i32::try_from(value).ok(),
        _ => None,
    });
    value.unwrap_or(0)
}

fn join(owner: &str, name: &str) -> String {
    match owner {
        "" => name.to_owned(),
        _ => format!("{owner}.{name}"),
    }
}
