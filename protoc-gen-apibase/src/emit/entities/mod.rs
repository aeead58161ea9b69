//! Entities: their types, and the mappers between them and prost's.

mod enums;
mod google;
mod mapper;
mod oneofs;
mod patch;
mod types;

use proc_macro2::TokenStream;
use quote::quote;

use crate::layout::Banner;
use crate::model::entity::{Content, Domain, Entity, Grade, GradeOf, Slot};

use super::tokens::code;

/// Everything that a package has in its domain: the types, then what maps them.
pub(super) fn section(domain: &Domain) -> TokenStream {
    let types: TokenStream = domain
        .entities
        .iter()
        .map(definitions)
        .chain(domain.enums.iter().map(enums::definition))
        .collect();
    let entities = Banner("Entities".to_owned());
    let types = (!types.is_empty()).then(|| quote!(#entities #types));
    let mappers: TokenStream = domain
        .entities
        .iter()
        .map(mappers)
        .chain(domain.enums.iter().map(enums::mapper))
        .chain(domain.google.iter().map(google::mapper))
        .collect();
    let banner = Banner("Mappers".to_owned());
    let mappers = (!mappers.is_empty()).then(|| quote!(#banner #mappers));
    quote!(#types #mappers)
}

fn definitions(entity: &Entity) -> TokenStream {
    let definition = types::definition(entity);
    let oneofs = entity.oneofs.iter().map(oneofs::definition);
    let patch = entity
        .patch
        .iter()
        .map(|patch| patch::definition(entity, patch));
    quote!(#definition #(#oneofs)* #(#patch)*)
}

fn mappers(entity: &Entity) -> TokenStream {
    let mapper = mapper::of_entity(entity);
    let oneofs = entity.oneofs.iter().map(oneofs::mapper);
    quote!(#mapper #(#oneofs)*)
}

/// The attributes of the user.
fn attributes(attributes: &[String]) -> TokenStream {
    attributes.iter().map(|attribute| code(attribute)).collect()
}

/// The grade as a constant expression.
fn grade(grade: &GradeOf) -> TokenStream {
    let known = match grade.known {
        Grade::Iso => quote!(map::Grade::Iso),
        Grade::Injective => quote!(map::Grade::Injective),
        Grade::Lossy => quote!(map::Grade::Lossy),
    };
    // Nothing is below lossy.
    let and = grade.and.iter().filter(|_| grade.known != Grade::Lossy);
    let and = and.map(|mapper| {
        let mapper = code(mapper);
        quote!(.and(<#mapper as map::ProtobufMapper>::GRADE))
    });
    quote!(#known #(#and)*)
}

/// The error of encoding.
fn encode_error(fallible: bool) -> TokenStream {
    if fallible {
        quote!(map::MapError)
    } else {
        quote!(map::Infallible)
    }
}

/// For code that has to name what the proto calls deprecated.
pub(super) fn allow_deprecated(any: bool) -> TokenStream {
    if any {
        quote!(#[allow(deprecated, reason = "all of it is named")])
    } else {
        TokenStream::new()
    }
}

pub(super) fn any_deprecated(slots: &[Slot]) -> bool {
    slots.iter().any(|slot| {
        slot.deprecated
            || match &slot.content {
                Content::Flattened { slots, .. } => any_deprecated(slots),
                _ => false,
            }
    })
}
