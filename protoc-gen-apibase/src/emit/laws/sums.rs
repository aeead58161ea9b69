//! Values of enums, oneofs and `google.type` messages.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use crate::emit::entities::allow_deprecated;
use crate::emit::tokens::{code, ident};
use crate::model::entity::{DomainEnum, DomainOneof, GoogleKind, GoogleMapper};

/// An enum, whose values need not be `Clone`.
pub(super) fn enumeration(found: &DomainEnum) -> TokenStream {
    let mapper = ident(&found.mapper);
    let (ty, proto) = (code(&found.ty), code(&found.proto));
    let allow = allow_deprecated(found.variants.iter().any(|variant| variant.deprecated));
    let variants: Vec<_> = found
        .variants
        .iter()
        .map(|variant| ident(&variant.name))
        .collect();
    // By their places, since the values of a user's type need not be `Clone`.
    let entities = match variants.as_slice() {
        [only] => quote! {
            ::apibase::testing::proptest::strategy::Just(()).prop_map(|()| #ty::#only).boxed()
        },
        all => {
            let count = Literal::usize_unsuffixed(all.len());
            let arms = all.iter().enumerate().map(|(at, name)| {
                if at + 1 == all.len() {
                    quote!(_ => #ty::#name)
                } else {
                    let at = Literal::usize_unsuffixed(at);
                    quote!(#at => #ty::#name)
                }
            });
            quote!((0..#count).prop_map(|at| match at { #(#arms),* }).boxed())
        }
    };
    let none = found.unspecified.iter().map(|name| {
        let name = ident(name);
        quote!(Some(
            ::apibase::testing::proptest::strategy::Just((#proto::#name as i32, String::new())).boxed()
        ))
    });
    quote! {
        #allow
        impl rt_laws::Lawful for #mapper {
            fn entities(_depth: u32) -> RtStrategy<#ty> {
                #entities
            }

            fn protos(depth: u32) -> RtStrategy<i32> {
                Self::entities(depth).prop_map(|entity| rt_laws::proto_of::<Self>(&entity)).boxed()
            }

            fn corrupted(_depth: u32) -> Option<rt_laws::Located<i32>> {
                rt_laws::any_of([
                    Some(
                        rt_laws::unknown_numbers::<Self>()
                            .prop_map(|number| (number, String::new()))
                            .boxed()
                    ),
                    #(#none,)*
                ])
            }

            fn same(a: &#ty, b: &#ty) -> bool {
                rt_laws::proto_of::<Self>(a) == rt_laws::proto_of::<Self>(b)
            }

            fn same_proto(a: &i32, b: &i32) -> bool {
                a == b
            }
        }
    }
}

pub(super) fn oneof(oneof: &DomainOneof) -> TokenStream {
    let mapper = ident(&oneof.mapper);
    let (ty, proto) = (code(&oneof.ty), code(&oneof.proto));
    let allow = allow_deprecated(oneof.variants.iter().any(|variant| variant.deprecated));
    let (entities, protos) = (each(oneof, "entities", &ty), each(oneof, "protos", &proto));
    let (unmappable, corrupted) = (
        wrong(oneof, "unmappable", &ty),
        wrong(oneof, "corrupted", &proto),
    );
    let (same, same_proto) = (same(oneof, "same", &ty), same(oneof, "same_proto", &proto));
    quote! {
        #allow
        impl rt_laws::Lawful for #mapper {
            fn entities(depth: u32) -> RtStrategy<#ty> {
                rt_laws::one_of(#entities)
            }

            fn unmappable(depth: u32) -> Option<rt_laws::Located<#ty>> {
                rt_laws::any_of(#unmappable)
            }

            fn protos(depth: u32) -> RtStrategy<#proto> {
                rt_laws::one_of(#protos)
            }

            fn corrupted(depth: u32) -> Option<rt_laws::Located<#proto>> {
                rt_laws::any_of(#corrupted)
            }

            fn same(a: &#ty, b: &#ty) -> bool {
                #same
            }

            fn same_proto(a: &#proto, b: &#proto) -> bool {
                #same_proto
            }
        }
    }
}

/// The values of each member. One that leads back to the oneof's message is left out in the end.
fn each(oneof: &DomainOneof, function: &str, target: &TokenStream) -> TokenStream {
    let function = ident(function);
    let strategies = oneof.variants.iter().map(|variant| {
        let name = ident(&variant.name);
        let inner = code(&variant.mapping.mapper);
        if variant.recursive {
            quote! {
                (depth > 0).then(|| <#inner>::#function(depth - 1).prop_map(#target::#name).boxed())
            }
        } else {
            quote!(Some(<#inner>::#function(depth).prop_map(#target::#name).boxed()))
        }
    });
    quote!([#(#strategies),*])
}

/// The same for values with something wrong in them.
fn wrong(oneof: &DomainOneof, function: &str, target: &TokenStream) -> TokenStream {
    let function = ident(function);
    let strategies = oneof.variants.iter().map(|variant| {
        let name = ident(&variant.name);
        let path = variant.path.as_str();
        let inner = code(&variant.mapping.mapper);
        if variant.recursive {
            quote! {
                rt_laws::wrapped(
                    (depth > 0).then(|| <#inner>::#function(depth - 1)).flatten(),
                    #path,
                    #target::#name,
                )
            }
        } else {
            quote!(rt_laws::wrapped(<#inner>::#function(depth), #path, #target::#name))
        }
    });
    quote!([#(#strategies),*])
}

fn same(oneof: &DomainOneof, function: &str, target: &TokenStream) -> TokenStream {
    let function = ident(function);
    let arms = oneof.variants.iter().map(|variant| {
        let name = ident(&variant.name);
        let inner = code(&variant.mapping.mapper);
        quote!((#target::#name(a), #target::#name(b)) => <#inner>::#function(a, b))
    });
    let other = (oneof.variants.len() > 1).then(|| quote!(_ => false));
    quote!(match (a, b) { #(#arms,)* #other })
}

/// A `google.type` message: of its values only the runtime knows which are right.
pub(super) fn google(google: &GoogleMapper) -> TokenStream {
    let mapper = ident(&google.mapper);
    let (ty, proto) = (code(&google.entity), code(&google.proto));
    let Samples {
        entities,
        unmappable,
        corrupted,
    } = samples(google, &proto);
    quote! {
        impl rt_laws::Lawful for #mapper {
            fn entities(_depth: u32) -> RtStrategy<#ty> {
                #entities
            }

            fn unmappable(_depth: u32) -> Option<rt_laws::Located<#ty>> {
                #unmappable
            }

            fn protos(depth: u32) -> RtStrategy<#proto> {
                Self::entities(depth).prop_map(|entity| rt_laws::proto_of::<Self>(&entity)).boxed()
            }

            fn corrupted(_depth: u32) -> Option<rt_laws::Located<#proto>> {
                #corrupted
            }

            fn same(a: &#ty, b: &#ty) -> bool {
                a == b
            }

            fn same_proto(a: &#proto, b: &#proto) -> bool {
                a == b
            }
        }
    }
}

struct Samples {
    entities: TokenStream,
    unmappable: TokenStream,
    corrupted: TokenStream,
}

fn samples(google: &GoogleMapper, proto: &TokenStream) -> Samples {
    let wrong = |function: &str, parts: TokenStream| {
        let function = ident(function);
        quote! {
            Some(
                map::samples::#function()
                    .prop_map(|((#parts), path)| (#proto { #parts }, path))
                    .boxed()
            )
        }
    };
    match google.kind {
        GoogleKind::Date(library) => {
            let right = format_ident!("{library}_dates");
            let unmappable = format_ident!("wrong_{library}_dates");
            Samples {
                entities: quote!(map::samples::#right()),
                unmappable: quote!(Some(map::samples::#unmappable())),
                corrupted: wrong("wrong_dates", quote!(year, month, day)),
            }
        }
        GoogleKind::Money => Samples {
            entities: quote!(map::samples::moneys()),
            unmappable: quote!(None),
            corrupted: wrong("wrong_moneys", quote!(currency_code, units, nanos)),
        },
        GoogleKind::LatLng => Samples {
            entities: quote!(map::samples::lat_lngs()),
            unmappable: quote!(None),
            corrupted: wrong("wrong_lat_lngs", quote!(latitude, longitude)),
        },
        GoogleKind::Decimal => Samples {
            entities: quote!(<map::DecimalText as rt_laws::Lawful>::entities(0)),
            unmappable: quote!(None),
            corrupted: quote! {
                let wrong = map::samples::wrong_decimals()?;
                Some(wrong.prop_map(|(value, path)| (#proto { value }, path)).boxed())
            },
        },
    }
}
