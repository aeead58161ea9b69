//! The mapper of an entity: both types are taken apart whole, so that a field added on either
//! side doesn't compile until it is mapped.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::types::fields;
use super::{allow_deprecated, any_deprecated, encode_error, grade};
use crate::emit::tokens::{code, doc, ident};
use crate::model::entity::{Content, Entity, Field, Same, Slot};

/// Which way, and what happens to the original.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    To,
    Into,
}

pub(super) fn of_entity(entity: &Entity) -> TokenStream {
    let mapper = ident(&entity.mapper);
    let (ty, proto) = (code(&entity.ty), code(&entity.proto));
    let about = doc(&format!(
        "Maps [`{}`] to and from `{}`.",
        entity.ty, entity.full_name
    ));
    let error = encode_error(entity.fallible);
    let grade = grade(&entity.grade);
    let to = encode(entity, Way::To);
    let into = encode(entity, Way::Into);
    let from = decode(entity);
    let allow = allow_deprecated(any_deprecated(&entity.slots));
    let conversions = conversions(entity, &allow);
    let asserted = lossless(entity);
    let whole = (entity.lossless && !entity.grade.and.is_empty()).then(|| {
        let text = format!(
            "`{}` is `lossless`, and a mapper in it is not",
            entity.full_name
        );
        quote! {
            const _: () = assert!(<#mapper as map::ProtobufMapper>::GRADE.is_lossless(), #text);
        }
    });
    quote! {
        #about
        #[derive(Clone, Copy, Debug)]
        pub struct #mapper;

        #allow
        impl map::ProtobufMapper for #mapper {
            type Entity = #ty;
            type Proto = #proto;
            type EncodeError = #error;
            const GRADE: map::Grade = #grade;

            #[inline]
            fn to_proto(entity: &#ty) -> Result<#proto, #error> {
                #to
            }

            #[inline]
            fn into_proto(entity: #ty) -> Result<#proto, #error> {
                #into
            }

            #[inline]
            fn from_proto(proto: #proto) -> Result<#ty, map::MapError> {
                #from
            }
        }

        #conversions

        #(#asserted)*
        #whole
    }
}

fn encode(entity: &Entity, way: Way) -> TokenStream {
    let ty = code(&entity.ty);
    let parts = fields(&entity.slots)
        .into_iter()
        .map(|field| ident(&field.name))
        .map(|name| quote!(#name));
    let ignored = entity.extras.iter().map(|extra| {
        let name = ident(&extra.name);
        quote!(#name: _)
    });
    let parts = parts.chain(ignored);
    let message = message(&entity.proto, &entity.slots, way);
    let patches = entity
        .slots
        .iter()
        .filter_map(|slot| encode_patch(slot, way));
    quote! {
        let #ty { #(#parts),* } = entity;
        #(#patches)*
        Ok(#message)
    }
}

/// The message and the mask of a patch, in variables of their names.
fn encode_patch(slot: &Slot, way: Way) -> Option<TokenStream> {
    let Content::Patched { field, mask, .. } = &slot.content else {
        return None;
    };
    let (name, mask, path) = (ident(&field.name), ident(mask), field.path.as_str());
    let patch = match way {
        Way::To => quote!(#name.clone()),
        Way::Into => quote!(#name),
    };
    Some(quote! {
        let mut #mask = map::MaskBuilder::new();
        let #name = map::within(#path, #patch.into_fields(&mut #mask))?;
    })
}

fn decode_patch(slot: &Slot, gather: &Ident) -> Option<TokenStream> {
    let Content::Patched { field, patch, mask } = &slot.content else {
        return None;
    };
    let (name, patch, path) = (ident(&field.name), code(&patch.patch), field.path.as_str());
    let mask_path = mask.trim_start_matches("r#");
    let mask = ident(mask);
    Some(quote! {
        let #mask = map::Mask::new(#mask.as_ref());
        #gather.check_mask(#mask_path, &#mask, #patch::FIELDS);
        let #name =
            #gather.patch(#path, #name, |message| #patch::from_fields(message, &#mask));
    })
}

fn message(proto: &str, slots: &[Slot], way: Way) -> TokenStream {
    let proto = code(proto);
    let members = slots.iter().map(|slot| {
        let name = ident(&slot.name);
        match &slot.content {
            Content::Field(field) => {
                let value = value(field, way);
                if name == value.to_string() {
                    quote!(#name)
                } else {
                    quote!(#name: #value)
                }
            }
            Content::Ignored => quote!(#name: Default::default()),
            Content::Patched { field, .. } => {
                let field = ident(&field.name);
                quote!(#name: Some(#field))
            }
            Content::Mask => quote!(#name: Some(#name.finish())),
            Content::Flattened {
                proto,
                always,
                slots,
            } => {
                let inner = message(proto, slots, way);
                if *always {
                    quote!(#name: #inner)
                } else {
                    quote!(#name: Some(#inner))
                }
            }
        }
    });
    quote!(#proto { #(#members),* })
}

fn value(field: &Field, way: Way) -> TokenStream {
    let name = ident(&field.name);
    let mapper = code(&field.mapping.mapper);
    let path = field.path.as_str();
    match (field.mapping.same, way) {
        (Some(_), Way::Into) => quote!(#name),
        (Some(Same::Copy), Way::To) => quote!(*#name),
        (Some(Same::Clone), Way::To) => quote!(#name.clone()),
        (Some(Same::Message), Way::To) => quote!(Clone::clone(#name)),
        (None, Way::To) if field.oneof => quote!(<#mapper>::to_proto(#name)?),
        (None, Way::Into) if field.oneof => quote!(<#mapper>::into_proto(#name)?),
        (None, Way::To) => quote!(map::to::<#mapper>(#path, #name)?),
        (None, Way::Into) => quote!(map::into::<#mapper>(#path, #name)?),
    }
}

fn decode(entity: &Entity) -> TokenStream {
    let ty = code(&entity.ty);
    let all = fields(&entity.slots);
    let mut taken = all.iter().map(|field| field.name.clone()).collect();
    let apart = apart(&entity.proto, &entity.slots, &quote!(proto), &mut taken);
    let checked: Vec<&Field> = all
        .iter()
        .copied()
        .filter(|field| field.mapping.same.is_none())
        .collect();
    let gather = gather(entity);
    let patches = entity
        .slots
        .iter()
        .filter_map(|slot| decode_patch(slot, &gather));
    let patches: Vec<_> = patches.collect();
    let is_patch = |field: &Field| {
        entity.slots.iter().any(|slot| {
            matches!(&slot.content, Content::Patched { field: other, .. } if other.name == field.name)
        })
    };
    let mapped = checked
        .iter()
        .filter(|field| !is_patch(field))
        .map(|field| {
            let name = ident(&field.name);
            let mapper = code(&field.mapping.mapper);
            let path = field.path.as_str();
            let function = ident(if field.oneof { "oneof" } else { "map" });
            quote!(let #name = #gather.#function::<#mapper>(#path, #name);)
        });
    let names: Vec<Ident> = checked.iter().map(|field| ident(&field.name)).collect();
    let start = (!names.is_empty()).then(|| quote!(let mut #gather = map::Fields::new();));
    let end = match names.as_slice() {
        [] => TokenStream::new(),
        [name] => quote! {
            let Some(#name) = #name else {
                return Err(#gather.into_error());
            };
        },
        names => quote! {
            let (#(Some(#names)),*) = (#(#names),*) else {
                return Err(#gather.into_error());
            };
        },
    };
    let members = all.iter().map(|field| {
        let name = ident(&field.name);
        quote!(#name)
    });
    let extras = entity.extras.iter().map(|extra| {
        let (name, value) = (ident(&extra.name), code(&extra.value));
        quote!(#name: #value)
    });
    let members = members.chain(extras);
    let whole = quote!(Ok(#ty { #(#members),* }));
    let whole = if patches.is_empty() {
        whole
    } else {
        // A mask may be wrong where all values are right.
        quote!(#gather.finish(#whole))
    };
    quote! {
        #apart
        #start
        #(#mapped)*
        #(#patches)*
        #end
        #whole
    }
}

/// Takes a message apart into variables named as the entity's fields. Those of flattened messages
/// get names that are not among the `taken` ones.
fn apart(proto: &str, slots: &[Slot], from: &TokenStream, taken: &mut Vec<String>) -> TokenStream {
    let proto = code(proto);
    let mut members = Vec::new();
    let mut inner = TokenStream::new();
    for slot in slots {
        let name = ident(&slot.name);
        match &slot.content {
            Content::Field(field) | Content::Patched { field, .. } if field.name == slot.name => {
                members.push(quote!(#name));
            }
            Content::Mask => members.push(quote!(#name)),
            Content::Field(field) | Content::Patched { field, .. } => {
                let field = ident(&field.name);
                members.push(quote!(#name: #field));
            }
            Content::Ignored => members.push(quote!(#name: _)),
            Content::Flattened {
                proto,
                always,
                slots,
            } => {
                let mut variable = format!("flattened_{}", slot.name.trim_start_matches("r#"));
                while taken.contains(&variable) {
                    variable.push('_');
                }
                taken.push(variable.clone());
                let variable = ident(&variable);
                members.push(quote!(#name: #variable));
                let from = if *always {
                    quote!(#variable)
                } else {
                    quote!(#variable.unwrap_or_default())
                };
                inner.extend(apart(proto, slots, &from, taken));
            }
        }
    }
    quote! {
        let #proto { #(#members),* } = #from;
        #inner
    }
}

/// The variable that gathers what is wrong: no field may have its name.
fn gather(entity: &Entity) -> Ident {
    let all = fields(&entity.slots);
    let mut name = "fields".to_owned();
    while all.iter().any(|field| field.name == name) {
        name.push('_');
    }
    ident(&name)
}

/// `From` and `TryFrom`, for who has no mapper at hand.
fn conversions(entity: &Entity, allow: &TokenStream) -> TokenStream {
    let mapper = ident(&entity.mapper);
    let (ty, proto) = (code(&entity.ty), code(&entity.proto));
    let back = quote! {
        #allow
        impl TryFrom<#proto> for #ty {
            type Error = map::MapError;

            fn try_from(proto: #proto) -> Result<Self, map::MapError> {
                #mapper::from_proto(proto)
            }
        }
    };
    if entity.fallible {
        return quote! {
            #allow
            impl TryFrom<#ty> for #proto {
                type Error = map::MapError;

                fn try_from(entity: #ty) -> Result<Self, map::MapError> {
                    #mapper::into_proto(entity)
                }
            }

            #back
        };
    }
    quote! {
        #allow
        impl From<#ty> for #proto {
            fn from(entity: #ty) -> Self {
                let Ok(proto) = #mapper::into_proto(entity);
                proto
            }
        }

        #back
    }
}

/// The mappers of the user's, whose grades only the compiler of Rust sees.
fn lossless(entity: &Entity) -> Vec<TokenStream> {
    let mut seen = Vec::new();
    let mut asserted = Vec::new();
    for field in fields(&entity.slots) {
        for mapper in &field.lossless {
            if seen.contains(&mapper) {
                continue;
            }
            seen.push(mapper);
            let text = format!(
                "the mapper of `{}` is lossy: if that is known, say `lossy_ok: true`",
                field.path
            );
            let mapper = code(mapper);
            asserted.push(quote! {
                const _: () = {
                    const GRADE: map::Grade = <#mapper as map::ProtobufMapper>::GRADE;
                    assert!(GRADE.is_lossless(), #text);
                };
            });
        }
    }
    asserted
}
