//! From a patch to a message and its mask.

use proc_macro2::TokenStream;
use quote::quote;

use super::{changing, members_of, scalar, taken};
use crate::emit::tokens::{code, ident};
use crate::model::entity::{Changing, Entity, Field};

/// The body of `into_fields`.
pub(super) fn into_fields(entity: &Entity) -> TokenStream {
    let proto = code(&entity.proto);
    let names = changing(entity).into_iter().map(|field| ident(&field.name));
    let members = entity.slots.iter().map(|slot| {
        let name = ident(&slot.name);
        match taken(slot) {
            None => quote!(#name: Default::default()),
            Some(field) => {
                let value = value(entity, field);
                quote!(#name: #value)
            }
        }
    });
    quote! {
        let Self { #(#names),* } = self;
        Ok(#proto { #(#members),* })
    }
}

fn value(entity: &Entity, field: &Field) -> TokenStream {
    let name = ident(&field.name);
    let path = field.path.as_str();
    match &field.change {
        Changing::Oneof { mapper, required } => {
            let mapper = code(mapper);
            let function = ident(if *required {
                "change_oneof_required"
            } else {
                "change_oneof"
            });
            let member = members_of(entity, field).first().copied().unwrap_or(path);
            quote!(mask.#function::<#mapper>(#path, #member, #name)?)
        }
        Changing::Nested(nested) => {
            let (mapper, patch) = (code(&nested.mapper), code(&nested.patch));
            let function = ident(if nested.required {
                "change_nested_required"
            } else {
                "change_nested"
            });
            quote!(mask.#function::<#mapper, #patch>(#path, #name, #patch::into_fields)?)
        }
        Changing::Identifier => {
            let mapper = code(&field.mapping.mapper);
            quote!(map::into::<#mapper>(#path, #name)?)
        }
        _ => {
            let (function, mapper) = scalar(field);
            let (function, mapper) = (ident(function), code(mapper));
            quote!(mask.#function::<#mapper>(#path, #name)?)
        }
    }
}
