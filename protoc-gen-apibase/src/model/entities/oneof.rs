//! Oneofs as enums of the domain.

use prost_types::{DescriptorProto, EnumDescriptorProto};

use super::super::conflicts::is_in_oneof;
use super::super::entity::{
    Changing, Content, DomainOneof, Field, Grade, GradeOf, Mapping, OneofVariant, Slot,
};
use super::super::scope::Claim;
use super::claim_type;
use super::fields::{Builder, field_docs, is_deprecated_field};
use super::index::MessageRef;
use super::message::NAMES;
use super::sense::is_name;
use crate::descriptors::rules::{NUMBER, OneofRule};
use crate::descriptors::tag;
use crate::names;

const RENAME: &str = "name one of the two otherwise: \
                      `option (apibase.v1.oneof) = { rename: \"…\" };`";
const RENAME_TYPE: &str = "rename one of the two, or name the oneof's type otherwise: \
                           `option (apibase.v1.oneof) = { name: \"…\" };`";

impl<'a> Builder<'a, '_> {
    /// The field that a oneof is; none for a oneof that the proto doesn't declare.
    pub(super) fn oneof(
        &mut self,
        message: &MessageRef<'a>,
        index: i32,
        prefix: &str,
    ) -> Option<Slot> {
        let at = usize::try_from(index).ok()?;
        let proto_name = message.message.oneof_decl.get(at)?.name();
        let path = [message.path.as_slice(), &[tag::MESSAGE_ONEOF, index]].concat();
        let rule = self
            .run
            .rules
            .oneof(&message.full_name, proto_name)
            .cloned()
            .unwrap_or_default();
        let full_name = format!("{}.{proto_name}", message.full_name);
        let name = if rule.name.is_empty() {
            names::entity(&format!("{}_{proto_name}", self.entity))
        } else {
            names::entity(&rule.name)
        };
        self.check_names(message, &rule, &path);
        let variants = self.variants(message, index, prefix);
        let users = self.run.users_type(&full_name);
        let proto = self.prost_oneof(message, proto_name);
        let path_in_entity = format!("{prefix}{proto_name}");
        let claim = Claim {
            what: format!("oneof `{path_in_entity}`"),
            file: message.file,
            path: path.clone(),
        };
        let mapper = claim_type(self.api, &name, claim, RENAME_TYPE, self.problems);
        let (variants, lossless) = variants;
        let oneof = DomainOneof {
            docs: field_docs(message.file, &path, proto_name),
            ty: users.unwrap_or(&name).to_owned(),
            generated: users.is_none(),
            attributes: self.run.attributes(&full_name),
            proto: proto.clone(),
            mapper,
            fallible: variants.iter().any(|variant| variant.mapping.fallible),
            grade: grade(&variants),
            variants,
            full_name,
            name,
        };
        let (mapping, change) = whole(&oneof, rule.required, self.changes());
        let field_name = names::snake(if rule.rename.is_empty() {
            proto_name
        } else {
            &rule.rename
        });
        let what = format!("oneof `{path_in_entity}`");
        self.claim_field(&field_name, what, message.file, &path, RENAME);
        let field = Field {
            name: field_name,
            path: path_in_entity,
            docs: oneof.docs.clone(),
            mapping,
            lossless,
            oneof: true,
            sensitive: false,
            deprecated: false,
            change,
        };
        self.oneofs.push(oneof);
        Some(Slot {
            name: names::snake(proto_name),
            content: Content::Field(Box::new(field)),
            deprecated: false,
        })
    }

    fn variants(
        &mut self,
        message: &MessageRef<'a>,
        index: i32,
        prefix: &str,
    ) -> (Vec<OneofVariant>, Vec<String>) {
        let mut variants = Vec::new();
        let mut lossless = Vec::new();
        for (at, field) in (0i32..).zip(&message.message.field) {
            if !is_in_oneof(field) || field.oneof_index() != index {
                continue;
            }
            let path = [message.path.as_slice(), &[tag::MESSAGE_FIELD, at]].concat();
            let site = self.site(message, field.name());
            let rule = self
                .run
                .rules
                .field(&message.full_name, field.number())
                .cloned()
                .unwrap_or_default();
            let mapping = site
                .member(field, &rule)
                .and_then(|mapping| self.check_loss(&mapping, &rule).map(|()| mapping));
            let mapping = match mapping {
                Ok(mapping) => mapping,
                Err(refusal) => {
                    site.refuse(&refusal, &path, self.problems);
                    continue;
                }
            };
            if !rule.lossy_ok {
                lossless.extend(mapping.grade.and.iter().cloned());
            }
            variants.push(OneofVariant {
                name: names::upper_camel(field.name()),
                path: format!("{prefix}{}", field.name()),
                docs: field_docs(message.file, &path, field.name()),
                recursive: self.run.index.reaches(field, &message.full_name),
                mapping,
                sensitive: rule.sensitive,
                deprecated: is_deprecated_field(field),
            });
        }
        (variants, lossless)
    }

    /// What the option calls the oneof must be names.
    fn check_names(&mut self, message: &MessageRef<'a>, rule: &OneofRule, path: &[i32]) {
        for (name, what, example, tag) in [
            (&rule.name, "type", "name: \"Payment\"", 2),
            (&rule.rename, "field", "rename: \"paid_by\"", 3),
        ] {
            if !name.is_empty() && !is_name(name) {
                let text = format!("`{name}` can't be the name of a {what}");
                let diagnostic = message
                    .file
                    .diagnostic_at_option(text, path, &[NUMBER, tag]);
                self.problems
                    .push(diagnostic.help(format!("{NAMES}, as in `{example}`")));
            }
        }
    }

    /// prost's enum of a oneof, which lies in the module of its message.
    fn prost_oneof(&self, message: &MessageRef<'a>, name: &str) -> String {
        let plain = self
            .run
            .externs
            .resolve(self.package, &format!(".{}.{name}", message.full_name))
            .rust;
        let nested = message
            .message
            .nested_type
            .iter()
            .map(DescriptorProto::name);
        let enums = message
            .message
            .enum_type
            .iter()
            .map(EnumDescriptorProto::name);
        match names::oneof_type(name, nested.chain(enums)) {
            suffixed if suffixed == names::upper_camel(name) => plain,
            _ => format!("{plain}OneOf"),
        }
    }
}

fn whole(oneof: &DomainOneof, required: bool, changes: bool) -> (Mapping, Changing) {
    let (shape, ty) = match (required, changes) {
        (true, _) => ("Required", oneof.ty.clone()),
        (false, true) => ("Changed", format!("rt::Change<{}>", oneof.ty)),
        (false, false) => ("Optional", format!("Option<{}>", oneof.ty)),
    };
    let mut grade = oneof.grade.clone();
    if required {
        grade.known = grade.known.max(Grade::Injective);
    }
    let nested = oneof
        .variants
        .iter()
        .flat_map(|variant| &variant.mapping.nested);
    let mapping = Mapping {
        entity: ty,
        proto: format!("Option<{}>", oneof.proto),
        mapper: format!("map::{shape}<{}>", oneof.mapper),
        same: None,
        fallible: oneof.fallible || shape == "Changed",
        grade,
        nested: nested.cloned().collect(),
        hash: false,
        has_empty: false,
    };
    let change = Changing::Oneof {
        mapper: oneof.mapper.clone(),
        required,
    };
    (mapping, change)
}

fn grade(variants: &[OneofVariant]) -> GradeOf {
    let mut grade = GradeOf::ISO;
    for variant in variants {
        grade.lower(&variant.mapping.grade);
    }
    grade
}
