//! Property tests of the mappers, on request: values for each, and a test for each law.
//!
//! What they need of the runtime is behind its feature `testing`.

mod entity;
mod parts;
mod sums;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::tokens::{code, doc, ident};
use crate::model::entity::{Content, Domain, Entity, Grade, Slot};
use crate::names;

/// All of a package's.
pub(super) fn file(domain: &Domain) -> TokenStream {
    // Of a patch, many masks and messages are the same: it has no laws yet.
    let lawful = domain.entities.iter().filter(|entity| !has_patch(entity));
    let entities = lawful.map(|entity| {
        let values = entity::values(entity);
        let oneofs = entity.oneofs.iter().map(sums::oneof);
        let tests = tests(entity);
        quote!(#values #(#oneofs)* #tests)
    });
    let enums = domain.enums.iter().map(sums::enumeration);
    let google = domain.google.iter().map(sums::google);
    quote! {
        use ::apibase::testing::proptest::strategy::{BoxedStrategy as RtStrategy, Strategy as _};
        use ::apibase::testing as rt_laws;

        #(#entities)*
        #(#enums)*
        #(#google)*
    }
}

fn has_patch(entity: &Entity) -> bool {
    let patched = |slot: &Slot| matches!(slot.content, Content::Patched { .. });
    entity.slots.iter().any(patched)
}

fn tests(entity: &Entity) -> TokenStream {
    let about = doc(&format!("What must hold of `{}`.", entity.mapper));
    let module = format_ident!(
        "{}_laws",
        names::snake(&entity.name).trim_start_matches("r#")
    );
    let mapper = ident(&entity.mapper);
    let laws = [
        ("an_entity_comes_back_as_it_was", "entity_round_trip"),
        (
            "a_message_comes_back_in_its_normal_form",
            "message_round_trip",
        ),
        ("nothing_is_lost_in_bytes", "bytes_round_trip"),
        ("no_bytes_make_it_panic", "never_panics"),
        (
            "what_is_wrong_is_found_at_its_path",
            "corruption_is_located",
        ),
        (
            "what_no_message_can_say_is_refused_at_its_path",
            "unmappable_is_located",
        ),
    ]
    .map(|(test, law)| {
        let (test, law) = (ident(test), ident(law));
        quote! {
            #[test]
            fn #test() {
                laws::#law::<#mapper>();
            }
        }
    });
    let grade = grade(entity);
    quote! {
        #about
        mod #module {
            use ::apibase::testing::laws;

            use super::#mapper;

            #(#laws)*

            #[test]
            fn the_grade_is_that_of_its_fields() {
                let grade = <#mapper as ::apibase::ProtobufMapper>::GRADE;
                assert_eq!(grade, super::#grade());
            }
        }
    }
}

/// The function that composes an entity's grade from its fields'.
fn grade(entity: &Entity) -> proc_macro2::Ident {
    format_ident!(
        "{}_grade",
        names::snake(&entity.name).trim_start_matches("r#")
    )
}

fn grade_function(entity: &Entity) -> TokenStream {
    let name = grade(entity);
    let own = match parts::own_grade(entity) {
        Grade::Iso => quote!(map::Grade::Iso),
        Grade::Injective => quote!(map::Grade::Injective),
        Grade::Lossy => quote!(map::Grade::Lossy),
    };
    let fields = parts::fields(entity);
    let fields = fields.iter().map(|field| {
        let mapper = code(&field.mapping.mapper);
        quote!(.and(<#mapper as map::ProtobufMapper>::GRADE))
    });
    quote! {
        /// What its fields keep, together.
        fn #name() -> map::Grade {
            #own #(#fields)*
        }
    }
}
