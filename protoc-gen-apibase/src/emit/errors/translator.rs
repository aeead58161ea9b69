//! The trait that makes another service's errors of a catalogue's, one function a reason.

use std::iter;

use proc_macro2::TokenStream;
use quote::quote;

use super::{allow_deprecated_of, pattern};
use crate::emit::tokens::{doc, docs, ident};
use crate::model::errors::{Catalogue, CatalogueError};

pub(super) fn definition(catalogue: &Catalogue) -> TokenStream {
    let about = about(catalogue);
    let name = ident(&catalogue.translator);
    let many = catalogue.errors.iter().any(CatalogueError::has_many_values);
    let allow_many = many.then(
        || quote!(#[allow(clippy::too_many_arguments, reason = "the proto asks for the metadata")]),
    );
    let functions = catalogue.errors.iter().map(|error| {
        let about = doc(&format!("[`{}::{}`].", catalogue.ty, error.variant));
        let name = ident(&error.function);
        let values = error.metadata.iter().map(|metadata| {
            let value = ident(&metadata.binding);
            quote!(#value: String)
        });
        quote! {
            #about
            fn #name(#(#values),*) -> Self;
        }
    });
    let domain = doc(&format!("[`{}::Domain`].", catalogue.ty));
    let translate = translate(catalogue);
    quote! {
        #about
        #allow_many
        pub trait #name: Sized {
            #(#functions)*

            #domain
            fn domain(error: rt::DomainError) -> Self;

            /// A call that failed other than by an error of the service.
            fn failed(failure: rt::Failure) -> Self;

            #translate
        }
    }
}

fn about(catalogue: &Catalogue) -> TokenStream {
    let what = format!(
        "What each error of `{}` is to the callers of a",
        catalogue.full_name
    );
    let rest = [
        "service that gets it from a client.",
        "",
        "A service's own error implements it, so that a reason which is added later",
        "doesn't compile until it is handled.",
    ];
    let rest = rest.iter().map(ToString::to_string);
    docs(&iter::once(what).chain(rest).collect::<Vec<_>>())
}

fn translate(catalogue: &Catalogue) -> TokenStream {
    let name = ident(&catalogue.translate);
    let ty = ident(&catalogue.ty);
    let allow = allow_deprecated_of(catalogue);
    let arms = catalogue.errors.iter().map(|error| {
        let pattern = pattern(&catalogue.ty, error, |_| true);
        let function = ident(&error.function);
        let values = error
            .metadata
            .iter()
            .map(|metadata| ident(&metadata.binding));
        quote!(Ok(#pattern) => Self::#function(#(#values),*))
    });
    quote! {
        /// What a failed call is.
        #allow
        fn #name(error: rt::CallError<#ty>) -> Self {
            match error.into_service() {
                #(#arms,)*
                Ok(#ty::Domain(error)) => Self::domain(error),
                Err(failure) => Self::failed(*failure),
            }
        }
    }
}
