//! From messages that are marked to entities: which messages those are, what their types are
//! called, and how each field is mapped.
//!
//! A field's mapping is put together from inside out: [`element`] has the value by its type and
//! format, [`field`] wraps it as label and presence ask, [`message`] makes an entity of all of them.

mod collection;
mod configured;
mod element;
mod enums;
mod field;
mod fields;
mod formats;
mod google;
mod index;
mod mapping;
mod message;
mod oneof;
mod patch;
mod reach;
mod refer;
mod refusal;
mod sense;

use std::collections::BTreeMap;

use self::index::{Index, MessageRef};
use self::refusal::Refusal;
use super::entity::Domain;
use super::scope::{Claim, Scope};
use super::types::Externs;
use crate::descriptors::rules::{NUMBER, Rules};
use crate::descriptors::{Descriptors, File, tag};
use crate::error::Diagnostics;
use crate::names;
use crate::options::Options;

/// What all entities of a run are made from.
pub(super) struct Entities<'a> {
    index: Index<'a>,
    rules: &'a Rules,
    externs: &'a Externs,
    options: &'a Options,
    /// The name of the module `api` of each package.
    apis: BTreeMap<String, String>,
}

/// Where a mapping is written and what for.
#[derive(Clone)]
struct Site<'a> {
    run: &'a Entities<'a>,
    /// The package whose `api` it is written in.
    package: &'a str,
    /// The message that the field is in.
    message: MessageRef<'a>,
    /// The field, by its full name.
    full_name: String,
}

impl<'a> Entities<'a> {
    pub(super) fn new(
        descriptors: &'a Descriptors,
        externs: &'a Externs,
        options: &'a Options,
        apis: BTreeMap<String, String>,
    ) -> Self {
        Self {
            index: Index::new(descriptors),
            rules: descriptors.rules(),
            externs,
            options,
            apis,
        }
    }

    /// The entities of a package and the enums in them. `api` has the names that are taken in its
    /// module.
    pub(super) fn of_package(
        &'a self,
        package: &'a str,
        files: &[&'a File],
        api: &mut Scope<'a>,
        problems: &mut Diagnostics,
    ) -> Domain {
        let mut domain = Domain::default();
        for file in files {
            let (messages, enums) = self.index.of_file(file);
            for found in enums {
                domain
                    .enums
                    .extend(self.domain_enum(package, found, api, problems));
            }
            for message in messages {
                if self.is_entity(message) && !self.is_mapped_by_user(message) {
                    domain
                        .entities
                        .extend(self.entity(package, message, api, problems));
                } else if !self.is_entity(message) {
                    self.check_unused(message, problems);
                }
            }
        }
        domain.google = self.google_mappers(package, &domain, api, problems);
        self.reach(&mut domain, problems);
        domain
    }

    /// Rules inside a message that is no entity do nothing, which nobody means.
    fn check_unused(&self, message: &MessageRef<'a>, problems: &mut Diagnostics) {
        let fields = (0i32..)
            .zip(&message.message.field)
            .filter_map(|(at, field)| {
                let found = self.rules.field(&message.full_name, field.number());
                found.map(|_| ("field", field.name(), [tag::MESSAGE_FIELD, at]))
            });
        let oneofs = (0i32..)
            .zip(&message.message.oneof_decl)
            .filter_map(|(at, oneof)| {
                let found = self.rules.oneof(&message.full_name, oneof.name());
                found.map(|_| ("oneof", oneof.name(), [tag::MESSAGE_ONEOF, at]))
            });
        for (what, name, at) in fields.chain(oneofs) {
            if self.is_flattened_somewhere(message) {
                return;
            }
            let skipped = self.rules.entity(&message.full_name).is_some();
            let (why, help) = if skipped {
                ("is skipped", "remove them, or `skip` from the message")
            } else {
                (
                    "is no entity",
                    "add `option (apibase.v1.entity) = {};` to the message, or remove them",
                )
            };
            let path = [message.path.as_slice(), &at].concat();
            let text = format!(
                "{what} `{name}` has rules that do nothing: message `{}` {why}",
                message.message.name()
            );
            let diagnostic = message.file.diagnostic_at_option(text, &path, &[NUMBER]);
            problems.push(diagnostic.help(help));
        }
    }
}

impl<'a> Site<'a> {
    /// An error about the field, at the rule that is at fault.
    fn refuse(&self, refusal: &Refusal, path: &[i32], problems: &mut Diagnostics) {
        let field = self.full_name.rsplit('.').next().unwrap_or_default();
        problems.push(
            self.message
                .file
                .diagnostic_at_option(
                    format!("field `{field}`: {}", refusal.what),
                    path,
                    &[NUMBER, refusal.rule],
                )
                .help(refusal.fix.clone()),
        );
    }
}

/// Takes the names of a type and of its mapper in `api`; the mapper's. Of two types that share
/// both, one is enough to say.
fn claim_type<'a>(
    api: &mut Scope<'a>,
    name: &str,
    claim: Claim<'a>,
    help: &str,
    problems: &mut Diagnostics,
) -> String {
    let mapper = names::beside(name, "Mapper");
    if !api.has(name) {
        let claim = Claim {
            what: format!("the mapper of {}", claim.what),
            ..claim.clone()
        };
        api.take(&mapper, claim, "the type", help, problems);
    }
    api.take(name, claim, "the type", help, problems);
    mapper
}
