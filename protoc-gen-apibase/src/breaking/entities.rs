//! Messages that are entities, and what reading them refuses.

use std::collections::BTreeSet;

use prost_types::{DescriptorProto, FieldDescriptorProto};

use super::contract::{Contract, Part, Site};
use super::takes::Field;
use super::{fields, listed};
use crate::descriptors::rules::OneofRule;
use crate::descriptors::tag;
use crate::error::{Diagnostic, Diagnostics};

pub(super) fn compare(old: &Contract<'_>, new: &Contract<'_>, breaks: &mut Diagnostics) {
    let (old, new) = (Entities::of(old), Entities::of(new));
    for full_name in &new.read {
        if let (Some(was), Some(is)) = (old.message(full_name), new.message(full_name)) {
            let (was, is) = (Read::of(&old, was), Read::of(&new, is));
            compare_message(&was, &is, breaks);
        }
    }
}

/// Which messages of a schema are read by mappers.
pub(super) struct Entities<'a> {
    pub(super) contract: &'a Contract<'a>,
    /// Entities, and the messages that are flattened into them.
    read: BTreeSet<&'a str>,
    /// Those of them that can't be left empty.
    needy: BTreeSet<&'a str>,
    /// The files that have entities.
    files: BTreeSet<&'a str>,
}

/// A message of a schema.
#[derive(Clone)]
pub(super) struct Message<'a> {
    pub(super) full_name: &'a str,
    pub(super) site: &'a Site<'a>,
    /// Whether it is an entity or flattened into one.
    pub(super) is_read: bool,
    /// Whether it has a patch that masks make.
    patch: bool,
    proto: &'a DescriptorProto,
    /// The fields that are masks of patches beside them.
    masks: Vec<&'a str>,
}

impl<'a> Entities<'a> {
    fn of(contract: &'a Contract<'a>) -> Self {
        let mut entities = Self {
            contract,
            read: BTreeSet::new(),
            needy: BTreeSet::new(),
            files: BTreeSet::new(),
        };
        for (name, part) in &contract.messages {
            if is_entity(contract, name, part) {
                entities.files.insert(part.site.file.proto.name());
                entities.add(name);
            } else if has_entities(contract, part) {
                entities.files.insert(part.site.file.proto.name());
            }
        }
        while entities.find_needy() {}
        entities
    }

    /// Adds a message that is read, and those that are flattened into it.
    fn add(&mut self, name: &str) {
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            let found = self.contract.messages.get_key_value(name);
            let Some((name, part)) = found.filter(|(name, _)| self.read.insert(name)) else {
                continue;
            };
            let flattened = part.proto.field.iter().filter(|field| {
                let rule = self.contract.rules.field(name, field.number());
                rule.is_some_and(|rule| rule.flatten)
            });
            open.extend(flattened.map(|field| field.type_name().trim_start_matches('.')));
        }
    }

    /// Adds to the needy messages those that need a value, as far as is known by now; whether there
    /// were any.
    fn find_needy(&mut self) -> bool {
        let messages = self.read.iter().filter_map(|name| self.message(name));
        let needy: Vec<&'a str> = messages
            .filter(|message| !self.needy.contains(message.full_name))
            .filter(|message| Read::of(self, message.clone()).needs_something())
            .map(|message| message.full_name)
            .collect();
        let found = !needy.is_empty();
        self.needy.extend(needy);
        found
    }

    fn message(&self, full_name: &str) -> Option<Message<'a>> {
        let (full_name, part) = self.contract.messages.get_key_value(full_name)?;
        let rules = self.contract.rules;
        let fields = part.proto.field.iter();
        let rule = rules.entity(full_name);
        Some(Message {
            full_name,
            site: &part.site,
            is_read: self.read.contains(full_name.as_str()),
            patch: rule.is_some_and(|rule| rule.patch),
            proto: part.proto,
            masks: fields
                .filter_map(|field| rules.field(full_name, field.number()))
                .map(|rule| rule.mask.as_str())
                .filter(|mask| !mask.is_empty())
                .collect(),
        })
    }

    /// Whether a message may be empty.
    pub(super) fn may_be_empty(&self, type_name: &str) -> bool {
        !self.needy.contains(type_name.trim_start_matches('.'))
    }

    /// Whether an enum is one of the domain whose value 0 stands for none.
    pub(super) fn has_unspecified(&self, type_name: &str) -> bool {
        let name = type_name.trim_start_matches('.');
        let Some(found) = self.contract.find_enum(name) else {
            return false;
        };
        let mut values = found.proto.value.iter();
        self.files.contains(found.site.file.proto.name())
            && self.contract.rules.errors(name).is_none()
            && values.any(|value| {
                let name = value.name().to_ascii_uppercase();
                value.number() == 0 && name.ends_with("UNSPECIFIED")
            })
    }
}

fn is_entity(contract: &Contract<'_>, name: &str, part: &Part<'_, DescriptorProto>) -> bool {
    match contract.rules.entity(name) {
        _ if is_map_entry(part.proto) => false,
        Some(rule) => !rule.skip,
        None => has_entities(contract, part),
    }
}

/// Whether all messages of the file that a message is in are entities.
fn has_entities(contract: &Contract<'_>, part: &Part<'_, DescriptorProto>) -> bool {
    let rule = contract.rules.file(part.site.file.proto.name());
    rule.is_some_and(|rule| rule.entities)
}

pub(super) fn is_map_entry(message: &DescriptorProto) -> bool {
    let options = message.options.as_ref();
    options.is_some_and(prost_types::MessageOptions::map_entry)
}

impl Message<'_> {
    pub(super) fn name(&self) -> &str {
        self.proto.name()
    }

    /// Whether a field says which fields of another one to change.
    pub(super) fn is_mask(&self, field: &FieldDescriptorProto) -> bool {
        self.masks.contains(&field.name())
    }
}

/// A message with what its fields and oneofs take.
struct Read<'a> {
    message: Message<'a>,
    fields: Vec<Field<'a>>,
    oneofs: Vec<Oneof<'a>>,
}

struct Oneof<'a> {
    name: &'a str,
    site: Site<'a>,
    rule: OneofRule,
    /// The numbers of its fields.
    members: Vec<i32>,
}

impl<'a> Read<'a> {
    fn of(entities: &Entities<'a>, message: Message<'a>) -> Self {
        let site = message.site;
        let fields = site.parts(tag::MESSAGE_FIELD, &message.proto.field);
        let fields = fields.map(|(proto, site)| Field::of(entities, &message, proto, site));
        let oneofs = (0i32..).zip(site.parts(tag::MESSAGE_ONEOF, &message.proto.oneof_decl));
        let oneofs = oneofs.map(|(index, (proto, site))| {
            let rule = entities
                .contract
                .rules
                .oneof(message.full_name, proto.name());
            let fields = message.proto.field.iter();
            let members = fields.filter(|field| field.oneof_index == Some(index));
            Oneof {
                name: proto.name(),
                site,
                rule: rule
                    .filter(|_| message.is_read)
                    .cloned()
                    .unwrap_or_default(),
                members: members.map(FieldDescriptorProto::number).collect(),
            }
        });
        Self {
            fields: fields.collect(),
            oneofs: oneofs.collect(),
            message,
        }
    }

    fn field(&self, number: i32) -> Option<&Field<'a>> {
        self.fields
            .iter()
            .find(|field| field.proto.number() == number)
    }

    fn needs_something(&self) -> bool {
        self.fields.iter().any(|field| !field.unset)
            || self.oneofs.iter().any(|oneof| oneof.rule.required)
    }
}

fn compare_message(was: &Read<'_>, is: &Read<'_>, breaks: &mut Diagnostics) {
    let name = is.message.name();
    let mut found = Vec::new();
    for field in &is.fields {
        let old = was.field(field.proto.number());
        found.extend(fields::compare(old, field, name));
        if was.message.patch && is.message.patch {
            found.extend(old.and_then(|old| fields::compare_masks(old, field, name)));
        }
    }
    let oneofs = is.oneofs.iter().filter(|oneof| oneof.rule.required);
    found.extend(oneofs.filter_map(|oneof| compare_oneof(was, is, oneof)));
    breaks.extend(found.into_iter().map(|diagnostic| {
        if was.message.is_read {
            diagnostic
        } else {
            diagnostic.note(format!("`{name}` was no entity"))
        }
    }));
}

/// A oneof that must be set, and could be left out, or set to a field that it has no more.
fn compare_oneof(was: &Read<'_>, is: &Read<'_>, oneof: &Oneof<'_>) -> Option<Diagnostic> {
    let named = |numbers: &[i32]| {
        let fields = is.fields.iter();
        let fields = fields.filter(|field| numbers.contains(&field.proto.number()));
        listed(fields.map(|field| field.proto.name()))
    };
    // A field that is gone from the message is gone from the wire, which isn't our concern.
    let left = |old: &Oneof<'_>| -> Vec<i32> {
        let numbers = old.members.iter().copied();
        let numbers = numbers.filter(|number| is.field(*number).is_some());
        numbers
            .filter(|number| !oneof.members.contains(number))
            .collect()
    };
    let mut asked = was.oneofs.iter().filter(|old| {
        let mut members = old.members.iter();
        old.rule.required && members.any(|number| oneof.members.contains(number))
    });
    let before = match asked.next() {
        None => "could be left out before".to_owned(),
        Some(old) => match left(old).as_slice() {
            [] => return None,
            left => format!("{} did before", named(left)),
        },
    };
    let message = format!(
        "oneof `{}` of `{}` is required, and {before}",
        oneof.name,
        is.message.name()
    );
    let diagnostic = oneof.site.diagnostic_at_rule(message, "required");
    Some(
        diagnostic
            .note(format!(
                "messages in which it isn't set, which were taken, are refused: {}",
                fields::REFUSED
            ))
            .help("remove `required`, and let the servicer say which requests need one"),
    )
}
