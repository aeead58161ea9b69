//! Enums of the domain, and their mappers from prost's numbers.

use proc_macro2::TokenStream;
use quote::quote;

use super::{allow_deprecated, attributes};
use crate::emit::tokens::{code, deprecated_if, doc, docs, ident};
use crate::model::entity::DomainEnum;

/// The enum, where the user has none.
pub(super) fn definition(found: &DomainEnum) -> TokenStream {
    if !found.generated {
        return TokenStream::new();
    }
    let about = docs(&found.docs);
    let attributes = attributes(&found.attributes);
    let name = ident(&found.name);
    let variants = found.variants.iter().map(|variant| {
        let docs = docs(&variant.docs);
        let deprecated = deprecated_if(variant.deprecated);
        let name = ident(&variant.name);
        quote!(#docs #deprecated #name)
    });
    quote! {
        #about
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #attributes
        pub enum #name {
            #(#variants),*
        }
    }
}

/// Its mapper.
pub(super) fn mapper(found: &DomainEnum) -> TokenStream {
    let mapper = ident(&found.mapper);
    let (ty, proto) = (code(&found.ty), code(&found.proto));
    let about = doc(&format!(
        "Maps [`{}`] to and from the numbers of `{}`.",
        found.ty, found.full_name
    ));
    let allow = allow_deprecated(found.variants.iter().any(|variant| variant.deprecated));
    let to = found.variants.iter().map(|variant| {
        let name = ident(&variant.name);
        quote!(#ty::#name => #proto::#name)
    });
    let from = found.variants.iter().map(|variant| {
        let name = ident(&variant.name);
        quote!(Ok(#proto::#name) => Ok(#ty::#name))
    });
    let none = found.unspecified.iter().map(|name| {
        let name = ident(name);
        quote!(Ok(#proto::#name) => Err(map::MapError::missing()),)
    });
    let body = quote! {
        let value = match entity {
            #(#to),*
        };
        Ok(value as i32)
    };
    quote! {
        #about
        #[derive(Clone, Copy, Debug)]
        pub struct #mapper;

        #allow
        impl map::ProtobufMapper for #mapper {
            type Entity = #ty;
            type Proto = i32;
            type EncodeError = map::Infallible;
            const GRADE: map::Grade = map::Grade::Injective;

            #[inline]
            fn to_proto(entity: &#ty) -> Result<i32, map::Infallible> {
                #body
            }

            #[inline]
            fn into_proto(entity: #ty) -> Result<i32, map::Infallible> {
                Self::to_proto(&entity)
            }

            #[inline]
            fn from_proto(proto: i32) -> Result<#ty, map::MapError> {
                match #proto::try_from(proto) {
                    #(#from,)*
                    #(#none)*
                    Err(_) => Err(map::unknown_enum_value()),
                }
            }
        }
    }
}
