//! What applies a patch to an entity.

use proc_macro2::TokenStream;
use quote::quote;

use super::changing;
use crate::emit::tokens::{code, ident};
use crate::model::entity::{Changing, Entity, Field};

/// The function `apply`.
pub(super) fn apply(entity: &Entity) -> TokenStream {
    let ty = code(&entity.ty);
    let changing = changing(entity);
    let fallible = changing
        .iter()
        .any(|field| matches!(field.change, Changing::Nested(_)));
    let named = changing.iter().map(|field| {
        let name = ident(&field.name);
        if field.change == Changing::Identifier {
            quote!(#name: _)
        } else {
            quote!(#name)
        }
    });
    let names: Vec<_> = named.collect();
    let statements = changing
        .iter()
        .filter(|field| field.change != Changing::Identifier)
        .map(|field| statement(field));
    let apart = quote!(let Self { #(#names),* } = self;);
    if fallible {
        return quote! {
            /// Changes `entity`.
            ///
            /// # Errors
            ///
            /// When it changes fields of something inside that is not there; `entity` may have
            /// changed in part then.
            pub fn apply(self, entity: &mut #ty) -> Result<(), map::MapError> {
                #apart
                #(#statements)*
                Ok(())
            }
        };
    }
    let idle = changing
        .iter()
        .all(|field| field.change == Changing::Identifier);
    let unused = idle.then(|| quote!(let _ = entity;));
    quote! {
        /// Changes `entity`.
        pub fn apply(self, entity: &mut #ty) {
            #unused
            #apart
            #(#statements)*
        }
    }
}

/// What changes one field.
fn statement(field: &Field) -> TokenStream {
    let name = ident(&field.name);
    match &field.change {
        Changing::Nested(nested) => {
            let path = field.path.as_str();
            let function = ident(if nested.required {
                "apply_required"
            } else {
                "apply_to_option"
            });
            let patch = code(&nested.patch);
            let inside = if nested.fallible {
                quote!(#patch::apply)
            } else {
                quote!(|patch, value| {
                    patch.apply(value);
                    Ok(())
                })
            };
            quote!(map::within(#path, #name.#function(&mut entity.#name, #inside))?;)
        }
        Changing::Optional(_)
        | Changing::AbsentIfEmpty(_)
        | Changing::Oneof {
            required: false, ..
        } => quote!(#name.apply_to_option(&mut entity.#name);),
        Changing::Plain if field.mapping.has_default() => {
            quote!(#name.apply(&mut entity.#name);)
        }
        _ => quote!(#name.apply_required(&mut entity.#name);),
    }
}
