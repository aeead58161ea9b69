//! The trait that a user implements.

use proc_macro2::TokenStream;
use quote::quote;

use super::tokens::{allow_self_convention, code, docs, ident, ty};
use crate::layout::Banner;
use crate::model::{Kind, Method, Service};

pub(super) fn definition(service: &Service, banner: &Banner) -> TokenStream {
    let docs = docs(&service.docs);
    let name = ident(&service.servicer);
    let functions = service
        .methods
        .iter()
        .map(|method| function(service, method));
    quote! {
        #banner
        #docs
        pub trait #name: Send + Sync + 'static {
            #(#functions)*
        }
    }
}

fn function(service: &Service, method: &Method) -> TokenStream {
    let docs = docs(&method.docs);
    let allow = allow_self_convention(method);
    let name = ident(&method.name);
    let request = ty(&method.request);
    let response = ty(&method.response);
    let error = code(&service.error);
    let argument = match method.kind {
        Kind::Unary | Kind::ServerStream => quote!(request: #request),
        Kind::ClientStream | Kind::Bidi => quote!(requests: rt::Inbound<#request>),
    };
    let output = match method.kind {
        Kind::Unary | Kind::ClientStream => response,
        Kind::ServerStream | Kind::Bidi => quote!(rt::Streamed<#response, #error>),
    };
    quote! {
        #docs
        #allow
        fn #name(
            &self,
            ctx: &rt::Context,
            #argument,
        ) -> impl Future<Output = Result<#output, #error>> + Send;
    }
}
