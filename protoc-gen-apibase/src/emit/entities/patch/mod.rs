//! Patches: what a field mask says to change (AIP-134).

mod apply;
mod read;
mod write;

use proc_macro2::TokenStream;
use quote::quote;

use super::types::{self, fields};
use super::{allow_deprecated, any_deprecated};
use crate::emit::tokens::{code, doc, docs, ident};
use crate::model::entity::{Changing, Content, DomainOneof, Entity, Field, Patch, Slot};

pub(super) fn definition(entity: &Entity, patch: &Patch) -> TokenStream {
    let definition = ty_of(entity, patch);
    let functions = functions(entity, patch);
    let statics = mask_fields(entity, patch);
    quote!(#definition #functions #statics)
}

/// The type. It has a default, which changes nothing, unless its identifier has none.
fn ty_of(entity: &Entity, patch: &Patch) -> TokenStream {
    let about = doc(&format!(
        "What to change in {} [`{}`]; what it keeps stays as it is (AIP-134).",
        article(&entity.name),
        entity.ty
    ));
    let name = ident(&patch.name);
    let changing = changing(entity);
    let members = changing.iter().map(|field| {
        let about = docs(&field.docs);
        let name = ident(&field.name);
        let ty = ty(field);
        quote!(#about pub #name: #ty)
    });
    let default = changing
        .iter()
        .all(|field| field.change != Changing::Identifier || field.mapping.has_default())
        .then(|| quote!(Default,));
    let secret = changing.iter().any(|field| field.sensitive);
    let printed = (!secret).then(|| quote!(Debug,));
    let debug = secret.then(|| types::debug(&patch.name, &changing));
    quote! {
        #about
        #[derive(Clone, #printed #default PartialEq)]
        pub struct #name {
            #(#members),*
        }

        #debug
    }
}

fn functions(entity: &Entity, patch: &Patch) -> TokenStream {
    let allow = allow_deprecated(any_deprecated(&entity.slots));
    let (name, statics) = (ident(&patch.name), ident(&patch.fields));
    let proto = code(&entity.proto);
    let from = read::from_fields(entity);
    let into = write::into_fields(entity);
    let apply = apply::apply(entity);
    quote! {
        #allow
        impl #name {
            /// The fields that a mask can name.
            pub const FIELDS: &'static [map::MaskField] = &#statics;

            /// What a message and its mask say to change: without a mask the populated fields, with
            /// `*` all of them, else those that it names.
            ///
            /// # Errors
            ///
            /// When the mask names what is not there or never changes, or a field that it names is
            /// wrong; all of them together.
            pub fn from_mask(
                message: Option<#proto>,
                mask: Option<&rt::prost_types::FieldMask>,
            ) -> Result<Self, map::MapError> {
                let mask = map::Mask::new(mask);
                let mut all = map::Fields::new();
                all.check_mask("update_mask", &mask, Self::FIELDS);
                all.finish(Self::from_fields(message.unwrap_or_default(), &mask))
            }

            /// The message and the mask that say what it changes.
            ///
            /// # Errors
            ///
            /// When the message can't say a value; with its path.
            pub fn into_mask(
                self,
            ) -> Result<(#proto, rt::prost_types::FieldMask), map::MapError> {
                let mut mask = map::MaskBuilder::new();
                let message = self.into_fields(&mut mask)?;
                Ok((message, mask.finish()))
            }

            #apply

            /// As `from_mask`, with a mask that was read and checked.
            #[doc(hidden)]
            pub fn from_fields(
                message: #proto,
                mask: &map::Mask<'_>,
            ) -> Result<Self, map::MapError> {
                #from
            }

            /// As `into_mask`, with a mask that is being made.
            #[doc(hidden)]
            pub fn into_fields(
                self,
                mask: &mut map::MaskBuilder,
            ) -> Result<#proto, map::MapError> {
                #into
            }
        }
    }
}

/// The fields that a patch has.
fn changing(entity: &Entity) -> Vec<&Field> {
    let all = fields(&entity.slots).into_iter();
    all.filter(|field| !matches!(field.change, Changing::Immutable | Changing::OutputOnly))
        .collect()
}

fn ty(field: &Field) -> TokenStream {
    let entity = field.mapping.entity.as_str();
    let inside = entity
        .strip_prefix("Option<")
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(entity);
    match &field.change {
        Changing::Identifier => code(entity),
        Changing::Plain => {
            let ty = code(entity);
            quote!(rt::Change<#ty>)
        }
        Changing::Nested(nested) => {
            let (ty, patch) = (code(&nested.entity), code(&nested.patch));
            quote!(rt::NestedChange<#ty, #patch>)
        }
        _ => {
            let ty = code(inside);
            quote!(rt::Change<#ty>)
        }
    }
}

/// What a mask can name: a static, since an entity may hold itself.
fn mask_fields(entity: &Entity, patch: &Patch) -> TokenStream {
    let name = ident(&patch.fields);
    let mut members = Vec::new();
    for field in fields(&entity.slots) {
        let path = field.path.as_str();
        match &field.change {
            Changing::Nested(nested) => {
                let inside = code(&nested.fields);
                members.push(quote!(map::MaskField::message(#path, #inside)));
            }
            Changing::Oneof { .. } => {
                for member in members_of(entity, field) {
                    members.push(quote!(map::MaskField::leaf(#member)));
                }
            }
            _ => members.push(quote!(map::MaskField::leaf(#path))),
        }
    }
    let count = proc_macro2::Literal::usize_unsuffixed(members.len());
    quote! {
        static #name: [map::MaskField; #count] = [#(#members),*];
    }
}

/// The names of a oneof's fields.
fn members_of<'a>(entity: &'a Entity, field: &Field) -> Vec<&'a str> {
    oneof_of(entity, field)
        .map(|oneof| oneof.variants.iter().map(|v| v.path.as_str()).collect())
        .unwrap_or_default()
}

fn oneof_of<'a>(entity: &'a Entity, field: &Field) -> Option<&'a DomainOneof> {
    entity.oneofs.iter().find(
        |oneof| matches!(&field.change, Changing::Oneof { mapper, .. } if *mapper == oneof.mapper),
    )
}

/// The field of a slot, if a patch takes it.
fn taken(slot: &Slot) -> Option<&Field> {
    match &slot.content {
        Content::Field(field)
            if !matches!(field.change, Changing::Immutable | Changing::OutputOnly) =>
        {
            Some(field)
        }
        _ => None,
    }
}

/// The runtime's function for a field, and the mapper that it takes.
fn scalar(field: &Field) -> (&'static str, &str) {
    match &field.change {
        Changing::Required(mapper) => ("change_required", mapper),
        Changing::Optional(mapper) => ("change_optional", mapper),
        Changing::AbsentIfEmpty(mapper) => ("change_absent_if_empty", mapper),
        _ => ("change", &field.mapping.mapper),
    }
}

fn article(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'O', 'U']) {
        "an"
    } else {
        "a"
    }
}
