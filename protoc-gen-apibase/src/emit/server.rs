//! The type that serves a servicer.

use proc_macro2::TokenStream;
use quote::quote;

use super::tokens::{code, doc, ident, mapped};
use crate::model::{Kind, Method, Service};

pub(super) fn definition(service: &Service) -> TokenStream {
    let server = ident(&service.server);
    let servicer = ident(&service.servicer);
    let article = if service.servicer.starts_with(['A', 'E', 'I', 'O', 'U']) {
        "an"
    } else {
        "a"
    };
    let about = doc(&format!(
        "Serves {article} [`{}`] as `{}`.",
        service.servicer, service.full_name
    ));
    let implementation = implementation(service);
    quote! {
        #about
        #[derive(Debug)]
        pub struct #server<S>(rt::Dispatcher<S>);

        impl<S: #servicer> #server<S> {
            /// Serves `servicer`.
            pub fn new(servicer: S) -> Self {
                Self(rt::Dispatcher::new(servicer))
            }

            /// Becomes a tower service, for tonic's server or an axum router.
            ///
            /// # Errors
            ///
            /// When a method asks for what `chain` does not have.
            pub fn into_service(
                self,
                chain: rt::Interceptors,
            ) -> Result<rt::TowerService<Self>, rt::ChainError> {
                rt::TowerService::new(self, chain)
            }
        }

        #implementation
    }
}

fn implementation(service: &Service) -> TokenStream {
    let server = ident(&service.server);
    let servicer = ident(&service.servicer);
    let module = ident(&service.module);
    let full_name = &service.full_name;
    let errors = service.policy.errors.is_some().then(|| {
        let error = code(&service.error);
        quote!(const ERRORS: &'static rt::ErrorTable = <#error as rt::ServiceError>::TABLE;)
    });
    let dispatch = if service.methods.is_empty() {
        dispatch_nothing()
    } else {
        dispatch(service)
    };
    quote! {
        impl<S: #servicer> rt::Service for #server<S> {
            const NAME: &'static str = #full_name;
            const METHODS: &'static [rt::Method] = #module::METHODS;
            #errors
            const DESCRIPTORS: &'static [u8] = FILE_DESCRIPTOR_SET;

            #dispatch
        }
    }
}

fn dispatch(service: &Service) -> TokenStream {
    let arms = service.methods.iter().map(arm);
    quote! {
        fn dispatch(
            &self,
            mut call: rt::Call,
        ) -> impl Future<Output = rt::Reply> + Send + 'static {
            let servicer = self.0.servicer();
            async move {
                match call.rpc() {
                    #(#arms)*
                    _ => call.unimplemented(),
                }
            }
        }
    }
}

fn dispatch_nothing() -> TokenStream {
    quote! {
        fn dispatch(
            &self,
            call: rt::Call,
        ) -> impl Future<Output = rt::Reply> + Send + 'static {
            let _servicer = self.0.servicer();
            async move { call.unimplemented() }
        }
    }
}

fn arm(method: &Method) -> TokenStream {
    let rpc = &method.proto_name;
    let name = ident(&method.name);
    let (kind, argument) = match method.kind {
        Kind::Unary => ("unary", "request"),
        Kind::ServerStream => ("server_stream", "request"),
        Kind::ClientStream => ("client_stream", "requests"),
        Kind::Bidi => ("bidi", "requests"),
    };
    let (kind, argument) = (ident(kind), ident(argument));
    let mapped = mapped(method);
    quote! {
        #rpc => call #mapped.#kind(|ctx, #argument| servicer.#name(ctx, #argument)).await,
    }
}
