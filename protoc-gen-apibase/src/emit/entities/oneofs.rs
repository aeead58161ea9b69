//! Oneofs as enums of the domain, and their mappers.

use proc_macro2::TokenStream;
use quote::quote;

use super::{allow_deprecated, attributes, encode_error, grade};
use crate::emit::tokens::{code, deprecated_if, doc, docs, ident};
use crate::model::entity::{DomainOneof, OneofVariant, Same};

pub(super) fn definition(oneof: &DomainOneof) -> TokenStream {
    if !oneof.generated {
        return TokenStream::new();
    }
    let about = docs(&oneof.docs);
    let attributes = attributes(&oneof.attributes);
    let name = ident(&oneof.name);
    let variants = oneof.variants.iter().map(|variant| {
        let docs = docs(&variant.docs);
        let deprecated = deprecated_if(variant.deprecated);
        let name = ident(&variant.name);
        let ty = code(&variant.mapping.entity);
        quote!(#docs #deprecated #name(#ty))
    });
    let secret = oneof.variants.iter().any(|variant| variant.sensitive);
    let derive = if secret {
        quote!(#[derive(Clone, PartialEq)])
    } else {
        quote!(#[derive(Clone, Debug, PartialEq)])
    };
    let debug = secret.then(|| debug(oneof));
    quote! {
        #about
        #derive
        #attributes
        pub enum #name {
            #(#variants),*
        }

        #debug
    }
}

fn debug(oneof: &DomainOneof) -> TokenStream {
    let name = ident(&oneof.name);
    let allow = allow_deprecated(oneof.variants.iter().any(|variant| variant.deprecated));
    let arms = oneof.variants.iter().map(|variant| {
        let name = ident(&variant.name);
        let text = variant.name.as_str();
        if variant.sensitive {
            quote!(Self::#name(_) => f.debug_tuple(#text).field(&rt::Redacted).finish())
        } else {
            quote!(Self::#name(value) => f.debug_tuple(#text).field(value).finish())
        }
    });
    quote! {
        #allow
        impl rt::fmt::Debug for #name {
            fn fmt(&self, f: &mut rt::fmt::Formatter<'_>) -> rt::fmt::Result {
                match self {
                    #(#arms),*
                }
            }
        }
    }
}

pub(super) fn mapper(oneof: &DomainOneof) -> TokenStream {
    let mapper = ident(&oneof.mapper);
    let (ty, proto) = (code(&oneof.ty), code(&oneof.proto));
    let about = doc(&format!(
        "Maps [`{}`] to and from the oneof `{}`.",
        oneof.ty, oneof.full_name
    ));
    let allow = allow_deprecated(oneof.variants.iter().any(|variant| variant.deprecated));
    let error = encode_error(oneof.fallible);
    let grade = grade(&oneof.grade);
    let to = oneof.variants.iter().map(|variant| {
        let name = ident(&variant.name);
        if variant.mapping.proto == "()" {
            return quote!(#ty::#name(()) => #proto::#name(()));
        }
        let value = to(variant);
        quote!(#ty::#name(value) => #proto::#name(#value))
    });
    let into = oneof.variants.iter().map(|variant| {
        let name = ident(&variant.name);
        let value = into(variant);
        quote!(#ty::#name(value) => #proto::#name(#value))
    });
    let from = oneof.variants.iter().map(|variant| {
        let name = ident(&variant.name);
        let value = from(variant);
        quote!(#proto::#name(value) => #ty::#name(#value))
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
                Ok(match entity {
                    #(#to),*
                })
            }

            #[inline]
            fn into_proto(entity: #ty) -> Result<#proto, #error> {
                Ok(match entity {
                    #(#into),*
                })
            }

            #[inline]
            fn from_proto(proto: #proto) -> Result<#ty, map::MapError> {
                Ok(match proto {
                    #(#from),*
                })
            }
        }
    }
}

fn to(variant: &OneofVariant) -> TokenStream {
    let (mapper, path) = (code(&variant.mapping.mapper), variant.path.as_str());
    match variant.mapping.same {
        Some(Same::Copy) => quote!(*value),
        Some(Same::Clone) => quote!(value.clone()),
        Some(Same::Message) => quote!(Clone::clone(value)),
        None => quote!(map::to::<#mapper>(#path, value)?),
    }
}

fn into(variant: &OneofVariant) -> TokenStream {
    let (mapper, path) = (code(&variant.mapping.mapper), variant.path.as_str());
    match variant.mapping.same {
        Some(_) => quote!(value),
        None => quote!(map::into::<#mapper>(#path, value)?),
    }
}

fn from(variant: &OneofVariant) -> TokenStream {
    let (mapper, path) = (code(&variant.mapping.mapper), variant.path.as_str());
    match variant.mapping.same {
        Some(_) => quote!(value),
        None => quote!(map::from::<#mapper>(#path, value)?),
    }
}
