//! Patches: what a field mask says to change (AIP-134).

use proc_macro2::TokenStream;
use quote::quote;

use super::types::fields;
use super::{allow_deprecated, any_deprecated};
use crate::emit::tokens::{code, doc, docs, ident};
use crate::model::entity::{
    Changing, Content, DomainOneof, Entity, Field, NestedPatch, Patch, Slot,
};

pub(super) fn definition(entity: &Entity, patch: &Patch) -> TokenStream {
    let about = doc(&format!(
        "What to change in {} [`{}`]; what it keeps stays as it is (AIP-134).",
        article(&entity.name),
        entity.ty
    ));
    let name = ident(&patch.name);
    let changing = changing(entity);
    let allow = allow_deprecated(any_deprecated(&entity.slots));
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
    let statics = mask_fields(entity, patch);
    let from = from_fields(entity);
    let into = into_fields(entity);
    let apply = apply(entity);
    let proto = code(&entity.proto);
    let statics_name = ident(&patch.fields);
    quote! {
        #about
        #[derive(Clone, Debug, #default PartialEq)]
        pub struct #name {
            #(#members),*
        }

        #allow
        impl #name {
            /// The fields that a mask can name.
            pub const FIELDS: &'static [map::MaskField] = &#statics_name;

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

        #statics
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

fn from_fields(entity: &Entity) -> TokenStream {
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

/// The runtime's function for a field, and the mapper that it takes.
fn scalar(field: &Field) -> (&'static str, &str) {
    match &field.change {
        Changing::Required(mapper) => ("change_required", mapper),
        Changing::Optional(mapper) => ("change_optional", mapper),
        Changing::AbsentIfEmpty(mapper) => ("change_absent_if_empty", mapper),
        _ => ("change", &field.mapping.mapper),
    }
}

fn into_fields(entity: &Entity) -> TokenStream {
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

fn apply(entity: &Entity) -> TokenStream {
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
        .filter(|field| field.change != Changing::Identifier);
    let statements = statements.map(|field| {
        let name = ident(&field.name);
        let path = field.path.as_str();
        match &field.change {
            Changing::Nested(nested) => {
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
            Changing::Optional(_) | Changing::AbsentIfEmpty(_) => {
                quote!(#name.apply_to_option(&mut entity.#name);)
            }
            Changing::Oneof {
                required: false, ..
            } => quote!(#name.apply_to_option(&mut entity.#name);),
            // A type of which it is known that it has a default.
            Changing::Plain if field.mapping.same.is_some() => {
                quote!(#name.apply(&mut entity.#name);)
            }
            _ => quote!(#name.apply_required(&mut entity.#name);),
        }
    });
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

fn article(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'O', 'U']) {
        "an"
    } else {
        "a"
    }
}
