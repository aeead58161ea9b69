//! From a message and its mask to a patch.

use proc_macro2::TokenStream;
use quote::quote;

use super::{changing, members_of, scalar, taken};
use crate::emit::entities::types::fields;
use crate::emit::tokens::{code, ident};
use crate::model::entity::{Changing, Entity, Field, NestedPatch};

/// The body of `from_fields`.
pub(super) fn from_fields(entity: &Entity) -> TokenStream {
    let proto = code(&entity.proto);
    let parts = entity.slots.iter().map(|slot| {
        let name = ident(&slot.name);
        match taken(slot) {
            None => quote!(#name: _),
            Some(field) if field.name == slot.name => quote!(#name),
            Some(field) => {
                let field = ident(&field.name);
                quote!(#name: #field)
            }
        }
    });
    let immutable = fields(&entity.slots)
        .into_iter()
        .filter(|field| matches!(field.change, Changing::Immutable | Changing::Identifier))
        .map(|field| {
            let path = field.path.as_str();
            quote!(all.keep_immutable(mask, #path);)
        });
    let changing = changing(entity);
    let changes = changing.iter().map(|field| change(entity, field));
    let names: Vec<_> = changing.iter().map(|field| ident(&field.name)).collect();
    let end = match names.as_slice() {
        [] => quote!(all.finish(Ok(Self {}))),
        [name] => quote! {
            let Some(#name) = #name else {
                return Err(all.into_error());
            };
            all.finish(Ok(Self { #name }))
        },
        names => quote! {
            let (#(Some(#names)),*) = (#(#names),*) else {
                return Err(all.into_error());
            };
            all.finish(Ok(Self { #(#names),* }))
        },
    };
    quote! {
        let #proto { #(#parts),* } = message;
        let mut all = map::Fields::new();
        #(#immutable)*
        #(#changes)*
        #end
    }
}

fn change(entity: &Entity, field: &Field) -> TokenStream {
    let name = ident(&field.name);
    let path = field.path.as_str();
    match &field.change {
        Changing::Oneof { mapper, required } => {
            let mapper = code(mapper);
            let members = members_of(entity, field);
            let function = ident(if *required {
                "change_oneof_required"
            } else {
                "change_oneof"
            });
            quote!(let #name = all.#function::<#mapper>(mask, #path, &[#(#members),*], #name);)
        }
        Changing::Nested(nested) => {
            let NestedPatch { mapper, patch, .. } = nested;
            let (mapper, patch) = (code(mapper), code(patch));
            let function = ident(if nested.required {
                "change_nested_required"
            } else {
                "change_nested"
            });
            quote! {
                let #name =
                    all.#function::<#mapper, #patch>(mask, #path, #name, #patch::from_fields);
            }
        }
        Changing::Identifier => {
            let mapper = code(&field.mapping.mapper);
            quote!(let #name = all.map::<#mapper>(#path, #name);)
        }
        _ => {
            let (function, mapper) = scalar(field);
            let (function, mapper) = (ident(function), code(mapper));
            quote!(let #name = all.#function::<#mapper>(mask, #path, #name);)
        }
    }
}
