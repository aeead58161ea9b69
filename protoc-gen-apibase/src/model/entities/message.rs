//! A message as an entity: its names, its fields, what they flatten, its oneofs.

use prost_types::{DescriptorProto, MessageOptions};

use super::super::entity::{Content, Entity, Grade, Patch, Slot};
use super::super::scope::{Claim, Scope};
use super::super::services;
use super::fields::Builder;
use super::index::MessageRef;
use super::mapping::known;
use super::sense::is_name;
use super::{Entities, claim_type};
use crate::descriptors::rules::{EntityRule, NUMBER};
use crate::error::Diagnostics;
use crate::names;

const RENAME_TYPE: &str = "rename one of the two, or name the entity otherwise: \
                           `option (apibase.v1.entity) = { name: \"…\" };`";
/// What a name in an option is made of.
pub(super) const NAMES: &str = "use letters, digits and underscores, a letter first";

impl<'a> Entities<'a> {
    /// The entity that a message is.
    pub(super) fn entity(
        &'a self,
        package: &'a str,
        message: &MessageRef<'a>,
        api: &mut Scope<'a>,
        problems: &mut Diagnostics,
    ) -> Option<Entity> {
        let MessageRef {
            file,
            path,
            full_name,
            ..
        } = message;
        let rule = self.rules.entity(full_name).cloned().unwrap_or_default();
        if !is_sensible(message, &rule, problems) {
            return None;
        }
        let name = self.entity_name(message);
        let (mapper, patch) = claim_types(message, &rule, &name, api, problems);
        let (lossless, changes) = (rule.lossless, rule.changes);
        let mut builder = Builder::new(self, package, &name, rule, api, problems);
        builder.masks = self.masks(message);
        builder.inside.push(full_name.clone());
        let slots = builder.slots(message, "");
        let oneofs = std::mem::take(&mut builder.oneofs);
        let extras = builder.extras(message);
        let users = self.users_type(full_name);
        let docs = services::docs(
            &file.source.comment(path),
            || format!("The entity `{full_name}`."),
            is_deprecated(message.message),
        );
        Some(Entity {
            full_name: full_name.clone(),
            source: file.proto.name().to_owned(),
            docs,
            ty: users.unwrap_or(&name).to_owned(),
            generated: users.is_none(),
            attributes: self.attributes(full_name),
            proto: self.externs.resolve(package, &format!(".{full_name}")).rust,
            mapper,
            // Both are lowered when all entities are known.
            fallible: false,
            grade: known(if extras.is_empty() {
                Grade::Iso
            } else {
                Grade::Lossy
            }),
            lossless,
            default: changes && all_have_defaults(&slots),
            slots,
            oneofs,
            extras,
            patch,
            name,
        })
    }
}

/// Whether the rule of a message can be meant; what can't is reported.
fn is_sensible(message: &MessageRef<'_>, rule: &EntityRule, problems: &mut Diagnostics) -> bool {
    let (file, path) = (message.file, &message.path);
    if !rule.name.is_empty() && !is_name(&rule.name) {
        problems.push(
            file.diagnostic_at_option(
                format!("`{}` can't be the name of a type", rule.name),
                path,
                &[NUMBER, 1],
            )
            .help(format!("{NAMES}, as in `name: \"Item\"`")),
        );
        return false;
    }
    if rule.patch && rule.changes {
        problems.push(
            file.diagnostic_at_option(
                format!(
                    "entity `{}` has `patch` and `changes`: it says what to change, so there is \
                     nothing in it to patch",
                    message.message.name()
                ),
                path,
                &[NUMBER, 5],
            )
            .help(
                "keep `changes` for the request of an update, and `patch` for the entity that a \
                 field mask changes",
            ),
        );
        return false;
    }
    true
}

fn all_have_defaults(slots: &[Slot]) -> bool {
    slots.iter().all(|slot| match &slot.content {
        Content::Field(field) => field.mapping.has_default(),
        Content::Patched { .. } => false,
        Content::Ignored | Content::Mask => true,
        Content::Flattened { slots, .. } => all_have_defaults(slots),
    })
}

/// Takes the names of the mapper and of the patch, where there is one.
fn claim_types<'a>(
    message: &MessageRef<'a>,
    rule: &EntityRule,
    name: &str,
    api: &mut Scope<'a>,
    problems: &mut Diagnostics,
) -> (String, Option<Patch>) {
    let what = format!("entity `{}`", message.message.name());
    let claim = |what: String| Claim {
        what,
        file: message.file,
        path: message.path.clone(),
    };
    let mapper = claim_type(api, name, claim(what.clone()), RENAME_TYPE, problems);
    let patch = rule.patch.then(|| Patch {
        name: names::beside(name, "Patch"),
        fields: names::patch_fields(name),
    });
    if let Some(patch) = &patch {
        let claim = claim(format!("the patch of {what}"));
        api.take(&patch.name, claim, "the type", RENAME_TYPE, problems);
    }
    (mapper, patch)
}

fn is_deprecated(message: &DescriptorProto) -> bool {
    message
        .options
        .as_ref()
        .is_some_and(MessageOptions::deprecated)
}
