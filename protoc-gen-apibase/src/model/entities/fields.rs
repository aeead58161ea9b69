//! The fields of an entity, put together.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{FieldDescriptorProto, FieldOptions};

use super::super::conflicts::is_in_oneof;
use super::super::entity::{Changing, Content, DomainOneof, Extra, Field, Grade, Mapping, Slot};
use super::super::scope::{Claim, Scope};
use super::index::MessageRef;
use super::message::NAMES;
use super::refusal::{Refusal, tags};
use super::sense::{check_together, is_name};
use super::{Entities, Site};
use crate::comments;
use crate::descriptors::rules::{EntityRule, FieldRule};
use crate::descriptors::{File, tag};
use crate::error::Diagnostics;
use crate::names;

const RENAME: &str = "name one of the two otherwise: `[(apibase.v1.field).rename = \"…\"]`";
const RENAME_EXTRA: &str = "name the extra field otherwise, in your type and in the configuration";

/// Puts the fields of one entity together.
pub(super) struct Builder<'a, 'p> {
    pub(super) run: &'a Entities<'a>,
    pub(super) package: &'a str,
    pub(super) entity: String,
    pub(super) rule: EntityRule,
    /// The names of the entity's fields.
    names: Scope<'a>,
    /// The messages that are being flattened, outermost first.
    pub(super) inside: Vec<String>,
    /// The fields of the message that are masks of patches beside them.
    pub(super) masks: Vec<String>,
    pub(super) oneofs: Vec<DomainOneof>,
    /// The names in `api`, for the types of oneofs.
    pub(super) api: &'p mut Scope<'a>,
    pub(super) problems: &'p mut Diagnostics,
}

impl<'a, 'p> Builder<'a, 'p> {
    /// For an entity without fields so far.
    pub(super) fn new(
        run: &'a Entities<'a>,
        package: &'a str,
        entity: &str,
        rule: EntityRule,
        api: &'p mut Scope<'a>,
        problems: &'p mut Diagnostics,
    ) -> Self {
        Self {
            run,
            package,
            entity: entity.to_owned(),
            rule,
            names: Scope::default(),
            inside: Vec::new(),
            masks: Vec::new(),
            oneofs: Vec::new(),
            api,
            problems,
        }
    }

    /// The fields of a message, each oneof as one, where its first member stands.
    pub(super) fn slots(&mut self, message: &MessageRef<'a>, prefix: &str) -> Vec<Slot> {
        let mut slots = Vec::new();
        let mut oneofs = Vec::new();
        for (at, field) in (0i32..).zip(&message.message.field) {
            if !is_in_oneof(field) {
                slots.push(self.slot(message, field, at, prefix));
            } else if !oneofs.contains(&field.oneof_index()) {
                oneofs.push(field.oneof_index());
                slots.extend(self.oneof(message, field.oneof_index(), prefix));
            }
        }
        slots
    }

    fn slot(
        &mut self,
        message: &MessageRef<'a>,
        field: &FieldDescriptorProto,
        at: i32,
        prefix: &str,
    ) -> Slot {
        let path = [message.path.as_slice(), &[tag::MESSAGE_FIELD, at]].concat();
        let site = self.site(message, field.name());
        let own = self
            .run
            .rules
            .field(&message.full_name, field.number())
            .cloned()
            .unwrap_or_default();
        let content = check_together(&own).and_then(|()| {
            if own.ignore {
                Ok(Content::Ignored)
            } else if self.masks.iter().any(|mask| mask == field.name()) && prefix.is_empty() {
                Ok(Content::Mask)
            } else if !own.mask.is_empty() {
                self.patched(message, field, &own, &path, prefix)
            } else if own.flatten {
                self.flattened(message, field, prefix)
            } else {
                self.field(message, field, &own, &path, prefix)
            }
        });
        let content = content.unwrap_or_else(|refusal| {
            site.refuse(&refusal, &path, self.problems);
            Content::Ignored
        });
        Slot {
            name: names::snake(field.name()),
            content,
            deprecated: is_deprecated_field(field),
        }
    }

    fn field(
        &mut self,
        message: &MessageRef<'a>,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
        path: &[i32],
        prefix: &str,
    ) -> Result<Content, Refusal> {
        // First, so that a clash is reported whatever else is wrong.
        let name = self.take_field(message, field, rule, path, prefix)?;
        let site = self.site(message, field.name());
        let (mapping, change) = site.field(field, rule, self.rule.changes)?;
        self.check_loss(&mapping, rule)?;
        let behavior = self.run.rules.behavior(&message.full_name, field.number());
        let change = match self.nested_patch(message, field, &change) {
            Some(nested) => Changing::Nested(nested),
            None => change,
        };
        let change = if rule.identifier || behavior.identifier {
            Changing::Identifier
        } else if rule.output_only || behavior.output_only {
            Changing::OutputOnly
        } else if rule.immutable || behavior.immutable {
            Changing::Immutable
        } else {
            change
        };
        Ok(Content::Field(Box::new(Field {
            name,
            path: format!("{prefix}{}", field.name()),
            docs: field_docs(message.file, path, field.name()),
            lossless: if rule.lossy_ok {
                Vec::new()
            } else {
                mapping.grade.and.clone()
            },
            mapping,
            oneof: false,
            sensitive: rule.sensitive,
            deprecated: is_deprecated_field(field),
            change,
        })))
    }

    /// The fields of a message that stand in the entity in place of it.
    fn flattened(
        &mut self,
        message: &MessageRef<'a>,
        field: &FieldDescriptorProto,
        prefix: &str,
    ) -> Result<Content, Refusal> {
        let refusal = |what: &str, fix: &str| Refusal {
            what: what.to_owned(),
            fix: fix.to_owned(),
            rule: tags::FLATTEN,
        };
        if self.rule.patch {
            return Err(refusal(
                "an entity with a `patch` can't have flattened fields: masks name them otherwise",
                "remove `flatten`, or `patch` from the entity",
            ));
        }
        let plain = field.r#type() == Type::Message && field.label() != Label::Repeated;
        let inner = self.run.index.find(field.type_name()).filter(|_| plain);
        let Some(inner) = inner else {
            return Err(refusal(
                "`flatten` is for a single message",
                "remove it: a list, a map or a scalar has no fields to take",
            ));
        };
        if inner.full_name.starts_with("google.protobuf.") {
            return Err(refusal(
                &format!(
                    "`flatten` is not for `{}`, which is a value",
                    inner.full_name
                ),
                "remove it",
            ));
        }
        if self.inside.contains(&inner.full_name)
            || self.run.index.is_boxed(&message.full_name, field)
        {
            return Err(refusal(
                &format!(
                    "`flatten` would never end: `{}` can be inside itself",
                    inner.full_name
                ),
                "remove it",
            ));
        }
        self.inside.push(inner.full_name.clone());
        let slots = self.slots(inner, &format!("{prefix}{}.", field.name()));
        self.inside.pop();
        Ok(Content::Flattened {
            proto: self
                .run
                .externs
                .resolve(self.package, field.type_name())
                .rust,
            always: field.label() == Label::Required,
            slots,
        })
    }

    /// A value that may change on its way must be said to, and not be said not to.
    pub(super) fn check_loss(&self, mapping: &Mapping, rule: &FieldRule) -> Result<(), Refusal> {
        let lossy = mapping.grade.known == Grade::Lossy;
        if self.rule.lossless && (lossy || rule.lossy_ok) {
            return Err(Refusal {
                what: format!(
                    "entity `{}` is `lossless`, and this field is not",
                    self.entity
                ),
                fix: "remove `lossless` from the entity, or make the field lossless: without \
                      `lossy_ok`, and without the format that needs it"
                    .to_owned(),
                rule: if rule.lossy_ok {
                    tags::LOSSY_OK
                } else {
                    tags::FORMAT
                },
            });
        }
        if lossy && !rule.lossy_ok {
            return Err(Refusal {
                what: "format JSON is lossy here: `Struct` and `Value` have all numbers as \
                       doubles, so that a large integer comes back as another one"
                    .to_owned(),
                fix: "if that is well, add `lossy_ok: true`; else remove the format, or send the \
                      JSON in a `string`"
                    .to_owned(),
                rule: tags::FORMAT,
            });
        }
        Ok(())
    }

    /// Takes a field's name in the entity.
    pub(super) fn take_field(
        &mut self,
        message: &MessageRef<'a>,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
        path: &[i32],
        prefix: &str,
    ) -> Result<String, Refusal> {
        if !rule.rename.is_empty() && !is_name(&rule.rename) {
            return Err(Refusal {
                what: format!("`{}` can't be the name of a field", rule.rename),
                fix: format!("{NAMES}, as in `rename: \"created_by\"`"),
                rule: tags::RENAME,
            });
        }
        let name = names::snake(if rule.rename.is_empty() {
            field.name()
        } else {
            &rule.rename
        });
        let what = format!("field `{prefix}{}`", field.name());
        self.claim_field(&name, what, message.file, path, RENAME);
        Ok(name)
    }

    /// Takes a name in the entity.
    pub(super) fn claim_field(
        &mut self,
        name: &str,
        what: String,
        file: &'a File,
        path: &[i32],
        help: &str,
    ) {
        let claim = Claim {
            what,
            file,
            path: path.to_vec(),
        };
        self.names
            .take(name, claim, "the field", help, self.problems);
    }

    /// The fields that only the user's type has.
    pub(super) fn extras(&mut self, message: &MessageRef<'a>) -> Vec<Extra> {
        let mut extras = Vec::new();
        for (entity, name, value) in &self.run.options.extras {
            if *entity != message.full_name {
                continue;
            }
            let what = format!("the extra field `{name}` of the configuration");
            self.claim_field(name, what, message.file, &message.path, RENAME_EXTRA);
            extras.push(Extra {
                name: name.clone(),
                value: value.clone(),
            });
        }
        extras
    }

    pub(super) fn site(&self, message: &MessageRef<'a>, field: &str) -> Site<'a> {
        Site {
            run: self.run,
            package: self.package,
            message: message.clone(),
            full_name: format!("{}.{field}", message.full_name),
        }
    }

    pub(super) fn changes(&self) -> bool {
        self.rule.changes
    }
}

pub(super) fn field_docs(file: &File, path: &[i32], name: &str) -> Vec<String> {
    let docs = comments::rustdoc(&file.source.comment(path));
    if docs.is_empty() {
        vec![format!("The field `{name}`.")]
    } else {
        docs
    }
}

pub(super) fn is_deprecated_field(field: &FieldDescriptorProto) -> bool {
    field.options.as_ref().is_some_and(FieldOptions::deprecated)
}
