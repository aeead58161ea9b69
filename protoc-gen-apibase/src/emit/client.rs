//! The type that calls a service.

use proc_macro2::TokenStream;
use quote::quote;

use super::tokens::{allow_self_convention, code, deprecated, doc, docs, ident, mapped, ty};
use crate::model::{Kind, Method, Service};

pub(super) fn definition(service: &Service) -> TokenStream {
    let client = ident(&service.client);
    let about = doc(&format!("Calls `{}`.", service.full_name));
    let module = ident(&service.module);
    let functions = service
        .methods
        .iter()
        .map(|method| function(service, method));
    quote! {
        #about
        #[derive(Clone, Debug)]
        pub struct #client<T = rt::Channel> {
            caller: rt::Caller<T>,
        }

        impl #client {
            /// Connects to `target`.
            ///
            /// # Errors
            ///
            /// When `target` is not valid or cannot be reached.
            pub async fn connect(target: impl Into<rt::Target>) -> Result<Self, rt::ConnectError> {
                Ok(Self::new(rt::Channel::connect(target).await?))
            }

            /// Connects to `target` when the first call is made.
            ///
            /// # Errors
            ///
            /// When `target` is not valid.
            pub fn connect_lazy(target: impl Into<rt::Target>) -> Result<Self, rt::ConnectError> {
                Ok(Self::new(rt::Channel::connect_lazy(target)?))
            }
        }

        impl<T: rt::Transport> #client<T> {
            /// Calls over `transport`.
            pub fn new(transport: T) -> Self {
                Self { caller: rt::Caller::new(transport, #module::METHODS) }
            }

            /// The same client, with `options` on every call made through it.
            #[must_use]
            pub fn with(&self, options: rt::CallOptions) -> Self {
                Self { caller: self.caller.with(options) }
            }

            #(#functions)*
        }
    }
}

fn function(service: &Service, method: &Method) -> TokenStream {
    let docs = docs(&method.docs);
    let allow = allow_self_convention(method);
    let deprecated = deprecated(method);
    let name = ident(&method.name);
    let module = ident(&service.module);
    let constant = ident(&method.constant);
    let request = ty(&method.request);
    let response = ty(&method.response);
    let error = code(&service.error);
    let (parameter, argument) = match method.kind {
        Kind::Unary | Kind::ServerStream => (quote!(request: #request), quote!(request)),
        Kind::ClientStream | Kind::Bidi => (
            quote!(requests: impl rt::Stream<Item = #request> + Send + 'static),
            quote!(requests),
        ),
    };
    let output = match method.kind {
        Kind::Unary | Kind::ClientStream => response,
        Kind::ServerStream | Kind::Bidi => quote!(rt::Replies<#response, #error>),
    };
    let mapped = mapped(method);
    let call = match method.kind {
        Kind::Unary => ident("unary"),
        Kind::ServerStream => ident("server_stream"),
        Kind::ClientStream => ident("client_stream"),
        Kind::Bidi => ident("bidi"),
    };
    quote! {
        #docs
        #allow
        #deprecated
        pub async fn #name(
            &self,
            ctx: &rt::Context,
            #parameter,
        ) -> Result<#output, rt::CallError<#error>> {
            self.caller #mapped.#call(ctx, &#module::#constant, #argument).await
        }
    }
}
