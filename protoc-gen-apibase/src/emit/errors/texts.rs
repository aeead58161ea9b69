//! Messages of errors, as Rust writes them.

use proc_macro2::TokenStream;
use quote::quote;

use super::{allow_deprecated_of, match_self, pattern};
use crate::emit::tokens::ident;
use crate::model::errors::{Catalogue, CatalogueError, Metadata, Piece};

/// `Display`, by the messages.
pub(super) fn display(catalogue: &Catalogue) -> TokenStream {
    let name = ident(&catalogue.ty);
    let allow = allow_deprecated_of(catalogue);
    let mut errors = catalogue.errors.iter();
    let allow_newline = errors.any(ends_in_newline).then(
        || quote!(#[allow(clippy::write_with_newline, reason = "the message ends with one")]),
    );
    let arms = catalogue.errors.iter().map(|error| {
        let pattern = pattern("Self", error, |metadata| has(&error.message, metadata));
        let write = write(&error.message);
        quote!(#pattern => #write)
    });
    let body = match_self(arms, &quote!(rt::fmt::Display::fmt(error, f)));
    quote! {
        #allow
        #allow_newline
        impl rt::fmt::Display for #name {
            fn fmt(&self, f: &mut rt::fmt::Formatter<'_>) -> rt::fmt::Result {
                #body
            }
        }
    }
}

/// The step that gives callers another message.
pub(super) fn public(message: &[Piece]) -> TokenStream {
    match message {
        [Piece::Text(text)] => quote!(.public(#text)),
        [Piece::Value(metadata)] => {
            let value = ident(&metadata.binding);
            quote!(.public(#value.clone()))
        }
        _ => {
            let format = format(message);
            quote!(.public(format!(#format)))
        }
    }
}

fn write(message: &[Piece]) -> TokenStream {
    match message {
        [Piece::Text(text)] => quote!(f.write_str(#text)),
        [Piece::Value(metadata)] => {
            let value = ident(&metadata.binding);
            quote!(f.write_str(#value))
        }
        _ => {
            let format = format(message);
            quote!(write!(f, #format))
        }
    }
}

/// The format string of a message. The values in it are variables.
fn format(message: &[Piece]) -> String {
    let pieces = message.iter().map(|piece| match piece {
        Piece::Text(text) => text.replace('{', "{{").replace('}', "}}"),
        Piece::Value(metadata) => format!("{{{}}}", metadata.binding),
    });
    pieces.collect()
}

fn has(message: &[Piece], metadata: &Metadata) -> bool {
    message
        .iter()
        .any(|piece| matches!(piece, Piece::Value(value) if value == metadata))
}

/// Whether `write!` gets a text that ends in a newline, which clippy takes for a mistake.
fn ends_in_newline(error: &CatalogueError) -> bool {
    matches!(error.message.as_slice(), [_, .., Piece::Text(last)] if last.ends_with('\n'))
}
