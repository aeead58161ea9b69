//! The module with a service's methods as constants.

use proc_macro2::TokenStream;
use quote::quote;

use super::tokens::{doc, duration, ident};
use crate::model::{Idempotency, Kind, Method, Service};

pub(super) fn module(service: &Service) -> TokenStream {
    let about = doc(&format!("The methods of `{}`.", service.full_name));
    let name = ident(&service.module);
    let constants = service.methods.iter().map(constant);
    let has_cap = |method: &Method| method.policy.deadline_cap.is_some();
    let names = if service.methods.iter().any(has_cap) {
        quote!(
            use ::apibase::codegen::{Duration, Method};
        )
    } else {
        quote!(
            use ::apibase::codegen::Method;
        )
    };
    let all = service.methods.iter().map(|method| ident(&method.constant));
    quote! {
        #about
        pub mod #name {
            #names

            #(#constants)*

            /// All of them, in the order of the proto.
            pub const METHODS: &[Method] = &[#(#all),*];
        }
    }
}

fn constant(method: &Method) -> TokenStream {
    let about = doc(&format!("`{}`: {}.", method.proto_name, summary(method)));
    let name = ident(&method.constant);
    let path = &method.path;
    let kind = match method.kind {
        Kind::Unary => ident("unary"),
        Kind::ServerStream => ident("server_stream"),
        Kind::ClientStream => ident("client_stream"),
        Kind::Bidi => ident("bidi"),
    };
    let idempotency = match method.idempotency {
        Idempotency::Unknown => TokenStream::new(),
        Idempotency::Idempotent => quote!(.idempotent()),
        Idempotency::NoSideEffects => quote!(.no_side_effects()),
    };
    let cap = method.policy.deadline_cap.map(|cap| {
        let cap = duration(cap);
        quote!(.deadline_cap(#cap))
    });
    let detached = method.policy.detached.then(|| quote!(.detached()));
    let declared = &method.policy.errors;
    let errors = (!declared.is_empty()).then(|| quote!(.errors(&[#(#declared),*])));
    quote! {
        #about
        pub const #name: Method = Method::#kind(#path) #idempotency #cap #detached #errors;
    }
}

fn summary(method: &Method) -> String {
    let kind = match method.kind {
        Kind::Unary => "unary",
        Kind::ServerStream => "server stream",
        Kind::ClientStream => "client stream",
        Kind::Bidi => "streams both ways",
    };
    let idempotency = match method.idempotency {
        Idempotency::Unknown => "",
        Idempotency::Idempotent => ", idempotent",
        Idempotency::NoSideEffects => ", no side effects",
    };
    let detached = match method.policy.detached {
        true => ", detached",
        false => "",
    };
    format!("{kind}{idempotency}{detached}")
}
