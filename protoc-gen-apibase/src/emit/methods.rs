//! The module with a service's methods as constants.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::policies;
use super::tokens::{doc, duration, ident};
use crate::model::policy::{Auth, RateLimit};
use crate::model::{Idempotency, Kind, Method, Service};

pub(super) fn module(service: &Service) -> TokenStream {
    let about = doc(&format!("The methods of `{}`.", service.full_name));
    let name = ident(&service.module);
    let constants = service.methods.iter().map(constant);
    let names = names(service);
    let all = service.methods.iter().map(|method| ident(&method.constant));
    quote! {
        #about
        pub mod #name {
            use ::apibase::codegen::#names;

            #(#constants)*

            /// All of them, in the order of the proto.
            pub const METHODS: &[Method] = &[#(#all),*];
        }
    }
}

/// What the constants name.
fn names(service: &Service) -> TokenStream {
    let policies = || service.methods.iter().map(|method| &method.policy);
    let lasts = policies().any(|policy| {
        policy.rate_limit.is_some() || policy.deadline_cap.is_some() || policies::lasts(policy)
    });
    let limits = policies().any(|policy| policy.rate_limit.is_some());
    let mut names = vec!["Method"];
    names.extend(lasts.then_some("Duration"));
    names.extend(limits.then_some("RateLimit"));
    names.extend(policies().flat_map(policies::names));
    names.sort_unstable();
    names.dedup();
    let names: Vec<_> = names.into_iter().map(ident).collect();
    match names.as_slice() {
        [name] => quote!(#name),
        names => quote!({ #(#names),* }),
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
    let limit = method.policy.rate_limit.map(|limit| {
        let limit = rate_limit(limit);
        quote!(.rate_limit(#limit))
    });
    let callers = method.policy.auth.as_ref().map(|auth| match auth {
        Auth::Required => quote!(.authenticated()),
        Auth::Public => quote!(.public()),
        Auth::Scopes(scopes) => quote!(.scopes(&[#(#scopes),*])),
    });
    let calls = policies::steps(&method.policy);
    let detached = method.policy.detached.then(|| quote!(.detached()));
    let declared = &method.policy.errors;
    let errors = (!declared.is_empty()).then(|| quote!(.errors(&[#(#declared),*])));
    quote! {
        #about
        pub const #name: Method = Method::#kind(#path) #idempotency #calls #cap #limit #callers #detached #errors;
    }
}

fn rate_limit(limit: RateLimit) -> TokenStream {
    let requests = Literal::u32_unsuffixed(limit.requests);
    let per = duration(limit.per);
    let burst = (limit.burst > 0).then(|| {
        let burst = Literal::u32_unsuffixed(limit.burst);
        quote!(.burst(#burst))
    });
    quote!(RateLimit::new(#requests, #per) #burst)
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
    let repeated = match method.policy.repeated_by_config {
        true => ", repeated as its service config says",
        false => "",
    };
    format!("{kind}{idempotency}{repeated}{detached}")
}
