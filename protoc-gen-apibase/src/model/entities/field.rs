//! How a field is mapped: its value's mapping, wrapped as the field's label and presence ask.

use prost_types::FieldDescriptorProto;
use prost_types::field_descriptor_proto::{Label, Type};

use super::super::entity::{Changing, Mapping, Same};
use super::Site;
use super::index::is_message;
use super::mapping::{known, same};
use super::refusal::{Refusal, tags};
use super::sense::{check_member, check_together};
use crate::descriptors::rules::FieldRule;

/// How a field says that it has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// By its empty value, if at all.
    Implicit,
    /// It is an `Option` in prost's type.
    Explicit,
    /// It always has one: `required` of proto2.
    Always,
}

/// Why a value must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Required {
    No,
    /// Our own option says so.
    Ours,
    /// `google.api.field_behavior` or `buf.validate` does.
    Inherited,
}

impl Site<'_> {
    /// The whole field's mapping, and what a patch does with it.
    pub(super) fn field(
        &self,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
        changes: bool,
    ) -> Result<(Mapping, Changing), Refusal> {
        check_together(rule)?;
        let required = self.required(field, rule);
        if let Some(mapping) = self.collection(field, rule)? {
            return nonempty_or_absent(mapping, rule, required);
        }
        if rule.set {
            return Err(Refusal {
                what: "`set` is for repeated fields, and this one is single".to_owned(),
                fix: "remove it".to_owned(),
                rule: tags::SET,
            });
        }
        let mut inner = self.element(field, rule)?;
        if self.run.index.is_boxed(&self.message.full_name, field) {
            inner = boxed(inner);
        }
        match self.presence(field) {
            Presence::Always => {
                refuse_empty_is_absent(rule, "the field is `required`")?;
                Ok(whole(inner))
            }
            Presence::Explicit if self.is_domain_enum(field) && self.has_unspecified(field) => {
                explicit(inner, rule, required, changes).map(unset_or_zero)
            }
            Presence::Explicit => explicit(inner, rule, required, changes),
            Presence::Implicit if field.r#type() == Type::Enum => {
                self.implicit_enum(field, inner, rule, required)
            }
            Presence::Implicit => implicit(inner, rule, required),
        }
    }

    /// A member of a oneof: it is set, or another one is.
    pub(super) fn member(
        &self,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
    ) -> Result<Mapping, Refusal> {
        check_member(rule)?;
        let inner = self.element(field, rule)?;
        Ok(if self.run.index.is_boxed(&self.message.full_name, field) {
            boxed(inner)
        } else {
            inner
        })
    }

    pub(super) fn presence(&self, field: &FieldDescriptorProto) -> Presence {
        let proto3 = self.message.file.proto.syntax() == "proto3";
        match field.label() {
            Label::Required => Presence::Always,
            _ if is_message(field) || field.proto3_optional() || !proto3 => Presence::Explicit,
            _ => Presence::Implicit,
        }
    }

    /// Our option first, then what others say.
    fn required(&self, field: &FieldDescriptorProto, rule: &FieldRule) -> Required {
        let message = self.message.full_name.as_str();
        match rule.required {
            Some(true) => Required::Ours,
            Some(false) => Required::No,
            None if self.run.rules.behavior(message, field.number()).required
                || self.run.rules.validate_required(message, field.number()) =>
            {
                Required::Inherited
            }
            None => Required::No,
        }
    }

    /// Where the value 0 stands for none, as proto3 would have it.
    fn implicit_enum(
        &self,
        field: &FieldDescriptorProto,
        inner: Mapping,
        rule: &FieldRule,
        required: Required,
    ) -> Result<(Mapping, Changing), Refusal> {
        refuse_empty_is_absent(rule, "an enum says so by its value 0, `…_UNSPECIFIED`")?;
        let none = self.has_unspecified(field);
        if !self.is_domain_enum(field) || !none {
            if required != Required::Ours {
                return Ok(whole(inner));
            }
            let name = field.type_name().trim_start_matches('.');
            let (what, fix) = if none {
                (
                    format!(
                        "`required` can't be checked: no message in the file of enum `{name}` is \
                         an entity, so that the enum keeps its value for none"
                    ),
                    "add `option (apibase.v1.file).entities = true;` to that file, or remove \
                     `required`",
                )
            } else {
                (
                    format!("`required` can't be checked: enum `{name}` has no value for none"),
                    "remove it, or give the enum a value 0 whose name ends in `_UNSPECIFIED`",
                )
            };
            return Err(Refusal {
                what,
                fix: fix.to_owned(),
                rule: tags::REQUIRED,
            });
        }
        if required != Required::No {
            return Ok(whole(inner));
        }
        let change = Changing::AbsentIfEmpty(inner.mapper.clone());
        let mapping = Mapping {
            entity: format!("Option<{}>", inner.entity),
            mapper: format!("map::ZeroIsNone<{}>", inner.mapper),
            same: None,
            ..inner
        };
        Ok((mapping, change))
    }
}

/// A field that is there or not.
fn explicit(
    inner: Mapping,
    rule: &FieldRule,
    required: Required,
    changes: bool,
) -> Result<(Mapping, Changing), Refusal> {
    if required != Required::No {
        refuse_empty_is_absent(rule, "the field is required")?;
        let change = Changing::Required(inner.mapper.clone());
        let mapper = format!("map::Required<{}>", inner.mapper);
        let mapping = Mapping {
            proto: format!("Option<{}>", inner.proto),
            mapper,
            same: None,
            grade: injective(&inner),
            ..inner
        };
        return Ok((mapping, change));
    }
    if changes {
        let shape = if rule.empty_is_absent {
            "Clearable"
        } else {
            "Changed"
        };
        let mapping = Mapping {
            entity: format!("rt::Change<{}>", inner.entity),
            proto: format!("Option<{}>", inner.proto),
            mapper: format!("map::{shape}<{}>", inner.mapper),
            same: None,
            // `Clear` may have no form on the wire.
            fallible: true,
            hash: false,
            ..inner
        };
        return Ok(whole(mapping));
    }
    refuse_empty_is_absent(
        rule,
        "the field knows presence, so that an empty value is not the same as none",
    )?;
    let change = Changing::Optional(inner.mapper.clone());
    let mapping = Mapping {
        entity: format!("Option<{}>", inner.entity),
        proto: format!("Option<{}>", inner.proto),
        mapper: format!("map::Optional<{}>", inner.mapper),
        ..inner
    };
    Ok((mapping, change))
}

/// An enum that is there and says none is not there.
fn unset_or_zero((mapping, change): (Mapping, Changing)) -> (Mapping, Changing) {
    let Changing::Optional(inner) = &change else {
        return (mapping, change);
    };
    let mapping = Mapping {
        mapper: format!("map::OptionalEnum<{inner}>"),
        grade: injective(&mapping),
        ..mapping
    };
    (mapping, change)
}

/// A field whose empty value may stand for none.
fn implicit(
    inner: Mapping,
    rule: &FieldRule,
    required: Required,
) -> Result<(Mapping, Changing), Refusal> {
    // A 0 that is refused, or stands for none, is as good as an empty text.
    let has_empty = inner.has_empty || rule.nonzero;
    if required == Required::Ours && !has_empty {
        return Err(Refusal {
            what: format!(
                "`required` can't be checked: on the wire a field that is not set is the same as {}",
                zero(&inner.proto)
            ),
            fix: format!(
                "declare the field `optional`, which tells them apart, or remove `required`{}",
                instead(&inner.proto, "if 0 is not allowed, say `nonzero`")
            ),
            rule: tags::REQUIRED,
        });
    }
    if rule.empty_is_absent && !has_empty {
        return Err(Refusal {
            what: format!(
                "`empty_is_absent` is for text, bytes, lists and maps: {} is a value like others",
                zero(&inner.proto)
            ),
            fix: format!(
                "declare the field `optional`{}",
                instead(&inner.proto, "if 0 means none, add `nonzero`")
            ),
            rule: tags::EMPTY_IS_ABSENT,
        });
    }
    nonempty_or_absent(inner, rule, required)
}

/// The value of a scalar that is not set.
fn zero(proto: &str) -> &'static str {
    match proto {
        "bool" => "`false`",
        _ => "0",
    }
}

/// Another way out, for integers.
fn instead(proto: &str, fix: &str) -> String {
    match proto {
        "i32" | "i64" | "u32" | "u64" => format!("; {fix}"),
        _ => String::new(),
    }
}

fn nonempty_or_absent(
    inner: Mapping,
    rule: &FieldRule,
    required: Required,
) -> Result<(Mapping, Changing), Refusal> {
    if required != Required::No && inner.has_empty {
        // Where our own option says both, that has been refused.
        refuse_empty_is_absent(
            rule,
            "another option says that the field is required (`required: false` beats it)",
        )?;
        return Ok(whole(Mapping {
            mapper: format!("map::NonEmpty<{}>", inner.mapper),
            same: None,
            fallible: true,
            grade: injective(&inner),
            ..inner
        }));
    }
    if rule.empty_is_absent {
        let change = Changing::AbsentIfEmpty(inner.mapper.clone());
        let mapping = Mapping {
            entity: format!("Option<{}>", inner.entity),
            mapper: format!("map::AbsentIfEmpty<{}>", inner.mapper),
            same: None,
            fallible: true,
            ..inner
        };
        return Ok((mapping, change));
    }
    Ok(whole(inner))
}

fn injective(inner: &Mapping) -> super::super::entity::GradeOf {
    let mut grade = inner.grade.clone();
    grade.lower(&known(super::super::entity::Grade::Injective));
    grade
}

fn boxed(inner: Mapping) -> Mapping {
    Mapping {
        entity: format!("Box<{}>", inner.entity),
        proto: format!("Box<{}>", inner.proto),
        mapper: format!("map::Boxed<{}>", inner.mapper),
        same: inner.same.map(|_| Same::Clone),
        ..inner
    }
}

/// A field whose mapper a patch uses as it is.
fn whole(mapping: Mapping) -> (Mapping, Changing) {
    (mapping, Changing::Plain)
}

fn refuse_empty_is_absent(rule: &FieldRule, why: &str) -> Result<(), Refusal> {
    if !rule.empty_is_absent {
        return Ok(());
    }
    Err(Refusal {
        what: format!("`empty_is_absent` has no meaning here: {why}"),
        fix: "remove it".to_owned(),
        rule: tags::EMPTY_IS_ABSENT,
    })
}

/// What is not known better is taken as it is.
pub(super) fn as_it_is(proto: &str) -> Mapping {
    Mapping {
        mapper: format!("map::Plain<{proto}>"),
        hash: false,
        ..same(proto, Same::Message)
    }
}
