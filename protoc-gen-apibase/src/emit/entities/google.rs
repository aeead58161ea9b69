//! Mappers of `google.type` messages, whose Rust lies in the user's crate: each takes its message
//! apart and leaves the rest to the runtime.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::encode_error;
use crate::emit::tokens::{code, doc, ident};
use crate::model::entity::{GoogleKind, GoogleMapper};

/// The body of each direction.
struct Bodies {
    to: TokenStream,
    from: TokenStream,
}

pub(super) fn mapper(google: &GoogleMapper) -> TokenStream {
    let mapper = ident(&google.mapper);
    let (ty, proto) = (code(&google.entity), code(&google.proto));
    let about = doc(&format!("Maps `{}`.", google.full_name));
    let error = encode_error(matches!(google.kind, GoogleKind::Date(_)));
    let Bodies { to, from } = bodies(google, &proto);
    quote! {
        #about
        #[derive(Clone, Copy, Debug)]
        pub struct #mapper;

        impl map::ProtobufMapper for #mapper {
            type Entity = #ty;
            type Proto = #proto;
            type EncodeError = #error;
            const GRADE: map::Grade = map::Grade::Injective;

            #[inline]
            fn to_proto(entity: &#ty) -> Result<#proto, #error> {
                #to
            }

            #[inline]
            fn into_proto(entity: #ty) -> Result<#proto, #error> {
                Self::to_proto(&entity)
            }

            #[inline]
            fn from_proto(proto: #proto) -> Result<#ty, map::MapError> {
                #from
            }
        }
    }
}

fn bodies(google: &GoogleMapper, proto: &TokenStream) -> Bodies {
    match google.kind {
        GoogleKind::Date(library) => {
            let read = format_ident!("{library}_date");
            let write = format_ident!("{library}_date_parts");
            Bodies {
                to: quote! {
                    let (year, month, day) = map::#write(entity)?;
                    Ok(#proto { year, month, day })
                },
                from: quote! {
                    let #proto { year, month, day } = proto;
                    map::#read(year, month, day)
                },
            }
        }
        GoogleKind::Decimal => Bodies {
            to: quote! {
                let value = map::to::<map::DecimalText>("value", entity)?;
                Ok(#proto { value })
            },
            from: quote! {
                let #proto { value } = proto;
                map::decimal_text(&value)
            },
        },
        GoogleKind::Money => Bodies {
            to: quote! {
                let (currency_code, units, nanos) = map::money_parts(entity);
                Ok(#proto { currency_code, units, nanos })
            },
            from: quote! {
                let #proto { currency_code, units, nanos } = proto;
                map::money(currency_code, units, nanos)
            },
        },
        GoogleKind::LatLng => Bodies {
            to: quote! {
                let (latitude, longitude) = map::lat_lng_parts(entity);
                Ok(#proto { latitude, longitude })
            },
            from: quote! {
                let #proto { latitude, longitude } = proto;
                map::lat_lng(latitude, longitude)
            },
        },
    }
}
