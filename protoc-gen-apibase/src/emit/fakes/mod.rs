//! Fakes of services, on request: servicers that answer as a test says.
//!
//! What they need of the runtime is behind its feature `testing`, so they are in a file of their own,
//! which the service layer doesn't include: who tests does, wherever that is.

mod tree;

use proc_macro2::TokenStream;
use quote::quote;

use super::tokens::{allow_self_convention, code, doc, docs, ident, ty};
use crate::layout::Banner;
use crate::model::{Kind, Method, Package, Service};

pub(super) use self::tree::tree;

/// Names that clippy takes for a trait's method where it has no arguments but `&self`.
const OF_TRAITS: &[&str] = &["borrow", "deref"];

/// All of a package's.
pub(super) fn file(package: &Package) -> TokenStream {
    let services = package.services.iter().map(|service| {
        let definition = definition(service);
        let servicer = servicer(service);
        let in_process = in_process(service);
        quote!(#definition #servicer #in_process)
    });
    quote! {
        use ::apibase::codegen as rt;
        use ::apibase::testing as rt_testing;

        #(#services)*
    }
}

fn definition(service: &Service) -> TokenStream {
    let banner = Banner(format!("Fake of {}", service.proto_name));
    let about = docs(&[
        format!("Serves `{}` as a test says.", service.full_name),
        String::new(),
        "Until it is told what to answer, a call is UNIMPLEMENTED. Clones are the same.".to_owned(),
    ]);
    let fake = ident(&service.fake);
    let module = ident(&service.module);
    let fields = service.methods.iter().map(|method| {
        let (name, ty) = (ident(&method.name), fake_method(service, method));
        quote!(#name: #ty)
    });
    let new = service.methods.iter().map(|method| {
        let (name, constant) = (ident(&method.name), ident(&method.constant));
        quote!(#name: rt_testing::FakeMethod::new(&#module::#constant))
    });
    let accessors = service
        .methods
        .iter()
        .map(|method| accessor(service, method));
    quote! {
        #banner
        #about
        #[derive(Clone, Debug)]
        pub struct #fake {
            #(#fields,)*
        }

        impl #fake {
            /// Nothing is told yet.
            #[must_use]
            pub fn new() -> Self {
                Self { #(#new,)* }
            }

            #(#accessors)*
        }

        impl Default for #fake {
            fn default() -> Self {
                Self::new()
            }
        }
    }
}

/// The type of a method's script.
fn fake_method(service: &Service, method: &Method) -> TokenStream {
    let kind = ident(match method.kind {
        Kind::Unary => "FakeUnary",
        Kind::ServerStream => "FakeServerStream",
        Kind::ClientStream => "FakeClientStream",
        Kind::Bidi => "FakeBidi",
    });
    let (request, response) = (ty(&method.request), ty(&method.response));
    let error = code(&service.error);
    quote!(rt_testing::#kind<#request, #response, #error>)
}

fn accessor(service: &Service, method: &Method) -> TokenStream {
    let about = doc(&format!(
        "What `{}` answers, and what it was asked.",
        method.proto_name
    ));
    let allow = allow_self_convention(method);
    let of_a_trait = OF_TRAITS
        .contains(&method.name.as_str())
        .then(|| quote!(#[allow(clippy::should_implement_trait, reason = "the RPC is named so")]));
    let (name, ty) = (ident(&method.name), fake_method(service, method));
    quote! {
        #about
        #allow
        #of_a_trait
        #[must_use]
        pub fn #name(&self) -> &#ty {
            &self.#name
        }
    }
}

fn servicer(service: &Service) -> TokenStream {
    let (trait_name, fake) = (ident(&service.servicer), ident(&service.fake));
    let error = code(&service.error);
    let functions = service.methods.iter().map(|method| {
        let name = ident(&method.name);
        let (request, response) = (ty(&method.request), ty(&method.response));
        let (argument, parameter) = match method.kind {
            Kind::Unary | Kind::ServerStream => (ident("request"), request),
            Kind::ClientStream | Kind::Bidi => (ident("requests"), quote!(rt::Inbound<#request>)),
        };
        let output = match method.kind {
            Kind::Unary | Kind::ClientStream => response,
            Kind::ServerStream | Kind::Bidi => quote!(rt::Streamed<#response, #error>),
        };
        quote! {
            async fn #name(
                &self,
                ctx: &rt::Context,
                #argument: #parameter,
            ) -> Result<#output, #error> {
                self.#name.answer(ctx, #argument).await
            }
        }
    });
    quote! {
        impl #trait_name for #fake {
            #(#functions)*
        }
    }
}

/// A trait, since the client may be another crate's.
fn in_process(service: &Service) -> TokenStream {
    let name = ident(&service.in_process);
    let about = doc(&format!(
        "Makes a [`{}`] whose calls don't leave the process.",
        service.client
    ));
    let (client, server) = (ident(&service.client), ident(&service.server));
    let servicer = ident(&service.servicer);
    quote! {
        #about
        pub trait #name {
            /// Calls `servicer`, with all that the wire does to a call.
            fn in_process(servicer: impl #servicer) -> Self;
        }

        impl #name for #client<rt_testing::InProcess> {
            fn in_process(servicer: impl #servicer) -> Self {
                Self::new(rt_testing::InProcess::new(#server::new(servicer)))
            }
        }
    }
}
