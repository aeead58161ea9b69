//! Small pieces of Rust that several emitters need.

use std::time::Duration;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use crate::model::{Method, Type};

/// Lines of rustdoc.
pub(super) fn docs(lines: &[String]) -> TokenStream {
    let lines = lines.iter().map(|line| match line.as_str() {
        "" => String::new(),
        line => format!(" {line}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// One line of rustdoc.
pub(super) fn doc(line: &str) -> TokenStream {
    docs(&[line.to_owned()])
}

/// An identifier of the model, which may be raw (`r#type`).
pub(super) fn ident(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(name) => Ident::new_raw(name, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

/// A type of the model, as written inside `api`.
pub(super) fn ty(ty: &Type) -> TokenStream {
    code(&ty.rust)
}

/// Rust that the model holds as text: types, paths, attributes and expressions.
pub(super) fn code(rust: &str) -> TokenStream {
    // Of our own making, or the user's, which the options checked. Should it not parse, the
    // layout's proof says so.
    rust.parse().unwrap_or_default()
}

/// `#[deprecated]` where the proto says so.
pub(super) fn deprecated_if(yes: bool) -> TokenStream {
    if yes {
        quote!(#[deprecated])
    } else {
        TokenStream::new()
    }
}

/// `#[deprecated]` where the proto says so.
pub(super) fn deprecated(method: &Method) -> TokenStream {
    deprecated_if(method.deprecated)
}

/// For functions whose names clippy expects another `self` of.
pub(super) fn allow_self_convention(method: &Method) -> TokenStream {
    if ["from_", "into_"]
        .iter()
        .any(|prefix| method.name.starts_with(prefix))
    {
        quote!(#[allow(clippy::wrong_self_convention, reason = "the RPC is named so")])
    } else {
        TokenStream::new()
    }
}

/// The step that names the mappers of a call, where one of its messages is an entity.
pub(super) fn mapped(method: &Method) -> TokenStream {
    if method.request.mapper.is_none() && method.response.mapper.is_none() {
        return TokenStream::new();
    }
    let mapper = |ty: &Type| match &ty.mapper {
        // A unit struct is its own value.
        Some(mapper) => code(mapper),
        None => quote!(rt::plain()),
    };
    let (request, response) = (mapper(&method.request), mapper(&method.response));
    quote!(.mapped(#request, #response))
}

/// A duration as an expression for a constant, with `Duration` as the last part of its path.
pub(super) fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let whole = Literal::u64_unsuffixed(seconds);
    if nanos == 0 {
        return quote!(Duration::from_secs(#whole));
    }
    let millis = u64::try_from(duration.as_millis()).ok();
    if let Some(millis) = millis.filter(|_| nanos % 1_000_000 == 0) {
        let millis = Literal::u64_unsuffixed(millis);
        return quote!(Duration::from_millis(#millis));
    }
    let nanos = Literal::u32_unsuffixed(nanos);
    quote!(Duration::new(#whole, #nanos))
}
