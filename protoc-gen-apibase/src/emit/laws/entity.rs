//! Values of entities.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{grade_function, parts};
use crate::emit::entities::{allow_deprecated, any_deprecated};
use crate::emit::tokens::{code, ident};
use crate::model::entity::{Content, Entity, Field, Slot};

pub(super) fn values(entity: &Entity) -> TokenStream {
    let mapper = ident(&entity.mapper);
    let allow = allow_deprecated(any_deprecated(&entity.slots));
    let fields = parts::fields(entity);
    let right = right(entity, &fields);
    let wrong = wrong(entity, &fields);
    let compared = compared(entity, &fields);
    let grade = grade_function(entity);
    quote! {
        #allow
        impl rt_laws::Lawful for #mapper {
            #right
            #wrong
            #compared
        }

        #grade
    }
}

/// Entities and messages that are right.
fn right(entity: &Entity, fields: &[&Field]) -> TokenStream {
    let (ty, proto) = (code(&entity.ty), code(&entity.proto));
    let (entities, parts) = parts::tuple(fields, "entities");
    let (protos, proto_parts) = parts::tuple(fields, "protos");
    let names = fields.iter().map(|field| ident(&field.name));
    let extras = entity.extras.iter().map(|extra| {
        let (name, value) = (ident(&extra.name), code(&extra.value));
        quote!(#name: #value)
    });
    let members = names.map(|name| quote!(#name)).chain(extras);
    let message = message(&entity.proto, &entity.slots);
    let depth = depth(fields.is_empty());
    quote! {
        fn entities(#depth: u32) -> RtStrategy<#ty> {
            #entities.prop_map(|#parts| #ty { #(#members),* }).boxed()
        }

        fn protos(#depth: u32) -> RtStrategy<#proto> {
            #protos.prop_map(|#proto_parts| #message).boxed()
        }
    }
}

/// Those with one field that is wrong.
fn wrong(entity: &Entity, fields: &[&Field]) -> TokenStream {
    let (ty, proto) = (code(&entity.ty), code(&entity.proto));
    // What is the same on both sides is never wrong.
    let mapped = fields.iter().filter(|field| field.mapping.same.is_none());
    let unmappable: Vec<_> = mapped
        .map(|field| {
            let set = ident(&field.name);
            broken(field, "entities", "unmappable", &ty, &quote!(.#set))
        })
        .collect();
    let mut corrupted = Vec::new();
    corruptions(&entity.slots, &proto, &TokenStream::new(), &mut corrupted);
    if unmappable.is_empty() && corrupted.is_empty() {
        return quote! {
            fn corrupted(_depth: u32) -> Option<rt_laws::Located<#proto>> {
                None
            }
        };
    }
    quote! {
        fn unmappable(depth: u32) -> Option<rt_laws::Located<#ty>> {
            rt_laws::any_of([#(#unmappable),*])
        }

        fn corrupted(depth: u32) -> Option<rt_laws::Located<#proto>> {
            rt_laws::any_of([#(#corrupted),*])
        }
    }
}

/// Whether two are equal in the normal form.
fn compared(entity: &Entity, fields: &[&Field]) -> TokenStream {
    let (ty, proto) = (code(&entity.ty), code(&entity.proto));
    let same = fields.iter().map(|field| {
        let mapper = code(&field.mapping.mapper);
        let name = ident(&field.name);
        quote!(<#mapper>::same(&a.#name, &b.#name))
    });
    let same = all(same);
    let mut same_proto = Vec::new();
    comparisons(&entity.slots, &quote!(a), &quote!(b), &mut same_proto);
    let same_proto = all(same_proto.into_iter());
    let (a, b) = if fields.is_empty() {
        (ident("_a"), ident("_b"))
    } else {
        (ident("a"), ident("b"))
    };
    quote! {
        fn same(#a: &#ty, #b: &#ty) -> bool {
            #same
        }

        fn same_proto(#a: &#proto, #b: &#proto) -> bool {
            #same_proto
        }
    }
}

/// The parameter, which nothing asks for where there are no fields.
fn depth(unused: bool) -> Ident {
    ident(if unused { "_depth" } else { "depth" })
}

fn all(conditions: impl Iterator<Item = TokenStream>) -> TokenStream {
    let conditions: Vec<_> = conditions.collect();
    match conditions.as_slice() {
        [] => quote!(true),
        conditions => quote!(#(#conditions)&&*),
    }
}

fn message(proto: &str, slots: &[Slot]) -> TokenStream {
    let proto = code(proto);
    let members = slots.iter().map(|slot| {
        let name = ident(&slot.name);
        match &slot.content {
            Content::Field(field) if field.name == slot.name => quote!(#name),
            Content::Field(field) => {
                let field = ident(&field.name);
                quote!(#name: #field)
            }
            // Entities with patches in them have no laws.
            Content::Ignored | Content::Mask | Content::Patched { .. } => {
                quote!(#name: Default::default())
            }
            Content::Flattened {
                proto,
                always,
                slots,
            } => {
                let inner = message(proto, slots);
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

/// One field wrong in a value that is right otherwise.
fn broken(
    field: &Field,
    whole: &str,
    wrong: &str,
    ty: &TokenStream,
    place: &TokenStream,
) -> TokenStream {
    let (whole, wrong) = (ident(whole), ident(wrong));
    let mapper = code(&field.mapping.mapper);
    let path = field.path.as_str();
    let function = ident(if field.oneof {
        "broken_oneof"
    } else {
        "broken"
    });
    quote! {
        rt_laws::#function(
            &Self::#whole(depth),
            #path,
            <#mapper>::#wrong(depth),
            |whole: &mut #ty, wrong| whole #place = wrong,
        )
    }
}

fn corruptions(
    slots: &[Slot],
    message: &TokenStream,
    place: &TokenStream,
    out: &mut Vec<TokenStream>,
) {
    for slot in slots {
        let name = ident(&slot.name);
        match &slot.content {
            // What is the same on both sides is never wrong.
            Content::Field(field) if field.mapping.same.is_some() => {}
            Content::Field(field) => {
                let place = quote!(#place.#name);
                out.push(broken(field, "protos", "corrupted", message, &place));
            }
            Content::Ignored | Content::Mask | Content::Patched { .. } => {}
            Content::Flattened { always, slots, .. } => {
                let place = if *always {
                    quote!(#place.#name)
                } else {
                    quote!(#place.#name.get_or_insert_default())
                };
                corruptions(slots, message, &place, out);
            }
        }
    }
}

fn comparisons(slots: &[Slot], a: &TokenStream, b: &TokenStream, out: &mut Vec<TokenStream>) {
    for slot in slots {
        let name = ident(&slot.name);
        match &slot.content {
            Content::Field(field) => {
                let mapper = code(&field.mapping.mapper);
                out.push(quote!(<#mapper>::same_proto(&#a.#name, &#b.#name)));
            }
            Content::Ignored | Content::Mask | Content::Patched { .. } => {}
            Content::Flattened { always, slots, .. } => {
                let inner = |side: &TokenStream| {
                    if *always {
                        quote!(#side.#name)
                    } else {
                        quote!(Clone::clone(&#side.#name).unwrap_or_default())
                    }
                };
                comparisons(slots, &inner(a), &inner(b), out);
            }
        }
    }
}
