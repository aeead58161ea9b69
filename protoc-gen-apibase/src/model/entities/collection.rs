//! Lists, sets and maps of values.

use prost_types::FieldDescriptorProto;
use prost_types::field_descriptor_proto::Label;

use super::super::entity::{Grade, Mapping, Same};
use super::Site;
use super::formats::wire_name;
use super::index::covered;
use super::mapping::known;
use super::refusal::{Refusal, tags};
use crate::descriptors::rules::{FieldRule, Format};

impl Site<'_> {
    /// A list, a set or a map; none of them.
    pub(super) fn collection(
        &self,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
    ) -> Result<Option<Mapping>, Refusal> {
        if field.label() != Label::Repeated {
            return Ok(None);
        }
        if let Some((key, value)) = self.run.index.map_entry(field) {
            if rule.set {
                return Err(Refusal {
                    what: "`set` is for repeated fields, and this is a map".to_owned(),
                    fix: "remove it".to_owned(),
                    rule: tags::SET,
                });
            }
            let value = self.element(value, rule)?;
            return self.map(key, value).map(Some);
        }
        let inner = self.element(field, rule)?;
        if rule.set {
            return self.set(field, rule, inner).map(Some);
        }
        let name = format!("map::Repeated<{}>", inner.mapper);
        Ok(Some(Mapping {
            entity: format!("Vec<{}>", inner.entity),
            proto: format!("Vec<{}>", inner.proto),
            mapper: name,
            same: inner.same.map(|_| Same::Clone),
            hash: false,
            has_empty: true,
            ..inner
        }))
    }

    fn set(
        &self,
        field: &FieldDescriptorProto,
        rule: &FieldRule,
        inner: Mapping,
    ) -> Result<Mapping, Refusal> {
        if !inner.hash {
            let ty = match field.type_name() {
                "" => wire_name(field.r#type()),
                name => name.trim_start_matches('.'),
            };
            let format = match rule.format() {
                Format::Json => " of format JSON",
                _ => "",
            };
            return Err(Refusal {
                what: format!("a set can't hold `{ty}`{format}"),
                fix: "remove `set`; sets hold texts, bytes, integers, enums and what is made of \
                      them"
                    .to_owned(),
                rule: tags::SET,
            });
        }
        let set = if self.is_ordered() {
            "BTreeSet"
        } else {
            "HashSet"
        };
        Ok(Mapping {
            entity: format!("rt::{set}<{}>", inner.entity),
            proto: format!("Vec<{}>", inner.proto),
            mapper: format!("map::{set}Of<{}>", inner.mapper),
            same: None,
            grade: {
                let mut grade = inner.grade.clone();
                grade.lower(&known(Grade::Injective));
                grade
            },
            hash: false,
            has_empty: true,
            ..inner
        })
    }

    fn map(&self, key: &FieldDescriptorProto, value: Mapping) -> Result<Mapping, Refusal> {
        let key = self.scalar_field(key, &FieldRule::default())?.entity;
        let sorted = covered(&self.run.options.btree_map, &self.full_name);
        let (from, to, mapper) = match (sorted, self.is_ordered()) {
            (true, _) => ("BTreeMap", "BTreeMap", "BTreeMapOf"),
            (false, true) => ("HashMap", "BTreeMap", "SortedMapOf"),
            (false, false) => ("HashMap", "HashMap", "HashMapOf"),
        };
        let proto = format!("rt::{from}<{key}, {}>", value.proto);
        let entity = format!("rt::{to}<{key}, {}>", value.entity);
        Ok(Mapping {
            mapper: format!("map::{mapper}<{key}, {}>", value.mapper),
            same: value.same.filter(|_| from == to).map(|_| Same::Clone),
            entity,
            proto,
            hash: false,
            has_empty: true,
            ..value
        })
    }

    fn is_ordered(&self) -> bool {
        covered(&self.run.options.ordered, &self.full_name)
    }
}
