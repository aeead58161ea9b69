//! `google.type` messages that have a type of the domain.
//!
//! Their Rust is generated like any other message's, in the user's crate or another one. So their
//! mapper can't stand in the runtime: one is generated where they are used.

use super::super::entity::{
    Content, Domain, Field, GoogleKind, GoogleMapper, Grade, Mapping, Slot,
};
use super::super::scope::{Claim, Scope};
use super::Entities;
use super::field::as_it_is;
use super::mapping::{known, value};
use crate::error::Diagnostics;
use crate::options::{Options, Time};

/// The mapping of a `google.type` message; none for others.
pub(super) fn mapping(full_name: &str, proto: &str, options: &Options) -> Option<Mapping> {
    let mapper = mapper(full_name, proto, options)?;
    Some(Mapping {
        fallible: matches!(mapper.kind, GoogleKind::Date(_)),
        grade: known(Grade::Injective),
        ..value(as_it_is(proto), &mapper.entity, &mapper.mapper)
    })
}

fn mapper(full_name: &str, proto: &str, options: &Options) -> Option<GoogleMapper> {
    let (kind, entity) = match full_name {
        "google.type.Date" => match options.time {
            Time::Chrono => (GoogleKind::Date("chrono"), "rt::NaiveDate"),
            Time::Time => (GoogleKind::Date("time"), "rt::TimeDate"),
            Time::Jiff => (GoogleKind::Date("jiff"), "rt::CivilDate"),
            Time::System => return None,
        },
        "google.type.Decimal" => (GoogleKind::Decimal, "rt::Decimal"),
        "google.type.Money" => (GoogleKind::Money, "rt::Money"),
        "google.type.LatLng" => (GoogleKind::LatLng, "rt::LatLng"),
        _ => return None,
    };
    let name = full_name.rsplit('.').next()?;
    Some(GoogleMapper {
        full_name: full_name.to_owned(),
        mapper: format!("Google{name}Mapper"),
        entity: entity.to_owned(),
        proto: proto.to_owned(),
        kind,
    })
}

impl<'a> Entities<'a> {
    /// The mappers that the entities of a package name.
    pub(super) fn google_mappers(
        &self,
        package: &str,
        domain: &Domain,
        api: &mut Scope<'a>,
        problems: &mut Diagnostics,
    ) -> Vec<GoogleMapper> {
        let mut named = Vec::new();
        for entity in &domain.entities {
            mappers_of(&entity.slots, &mut named);
            for oneof in &entity.oneofs {
                named.extend(
                    oneof
                        .variants
                        .iter()
                        .map(|variant| variant.mapping.mapper.clone()),
                );
            }
        }
        let mappers: Vec<GoogleMapper> = ["Date", "Decimal", "Money", "LatLng"]
            .iter()
            .filter_map(|name| {
                let full_name = format!("google.type.{name}");
                let proto = self.externs.resolve(package, &format!(".{full_name}")).rust;
                mapper(&full_name, &proto, self.options)
            })
            .filter(|mapper| named.iter().any(|name| name.contains(&mapper.mapper)))
            .collect();
        for mapper in &mappers {
            if let Some(message) = self.index.find(&mapper.full_name) {
                let claim = Claim {
                    what: format!("the mapper of `{}`", mapper.full_name),
                    file: message.file,
                    path: message.path.clone(),
                };
                let help = "name the other one otherwise; for an entity: \
                            `option (apibase.v1.entity) = { name: \"…\" };`";
                api.take(&mapper.mapper, claim, "the type", help, problems);
            }
        }
        mappers
    }
}

fn mappers_of(slots: &[Slot], named: &mut Vec<String>) {
    for slot in slots {
        match &slot.content {
            Content::Field(field) => named.push(mapper_of(field)),
            Content::Ignored | Content::Mask | Content::Patched { .. } => {}
            Content::Flattened { slots, .. } => mappers_of(slots, named),
        }
    }
}

fn mapper_of(field: &Field) -> String {
    field.mapping.mapper.clone()
}
