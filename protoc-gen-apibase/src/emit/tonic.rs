//! Tonic's own client and server modules, for those who migrate.

use proc_macro2::TokenStream;
use quote::quote;
use tonic_build::CodeGenBuilder;

use crate::layout;
use crate::model::{Kind, Method, Package, Service, Type};
use crate::names;

pub(super) fn modules(package: &Package) -> TokenStream {
    let allow = layout::allow_foreign();
    let modules = package.services.iter().map(|service| {
        let service = Adapter::new(package, service);
        let mut builder = CodeGenBuilder::new();
        builder.build_transport(true);
        let client = builder.generate_client(&service, "");
        let server = builder.generate_server(&service, "");
        quote! {
            #(#allow)*
            #client
            #(#allow)*
            #server
        }
    });
    quote!(#(#modules)*)
}

/// A service as tonic-build wants to see it.
struct Adapter<'a> {
    package: &'a str,
    service: &'a Service,
    name: String,
    methods: Vec<MethodAdapter>,
}

struct MethodAdapter {
    /// Apart from the method, since its `name` is another.
    name: String,
    method: Method,
}

impl<'a> Adapter<'a> {
    fn new(package: &'a Package, service: &'a Service) -> Self {
        Self {
            package: &package.proto,
            service,
            name: names::upper_camel(&service.proto_name),
            methods: service.methods.iter().map(MethodAdapter::new).collect(),
        }
    }
}

impl tonic_build::Service for Adapter<'_> {
    type Comment = String;
    type Method = MethodAdapter;

    fn name(&self) -> &str {
        &self.name
    }

    fn package(&self) -> &str {
        self.package
    }

    fn identifier(&self) -> &str {
        &self.service.proto_name
    }

    fn methods(&self) -> &[Self::Method] {
        &self.methods
    }

    fn comment(&self) -> &[Self::Comment] {
        &self.service.docs
    }
}

impl MethodAdapter {
    fn new(method: &Method) -> Self {
        Self {
            name: method.tonic_name.clone(),
            method: method.clone(),
        }
    }
}

impl tonic_build::Method for MethodAdapter {
    type Comment = String;

    fn name(&self) -> &str {
        &self.name
    }

    fn identifier(&self) -> &str {
        &self.method.proto_name
    }

    fn codec_path(&self) -> &str {
        "::tonic_prost::ProstCodec"
    }

    fn client_streaming(&self) -> bool {
        matches!(self.method.kind, Kind::ClientStream | Kind::Bidi)
    }

    fn server_streaming(&self) -> bool {
        matches!(self.method.kind, Kind::ServerStream | Kind::Bidi)
    }

    fn comment(&self) -> &[Self::Comment] {
        &self.method.docs
    }

    fn deprecated(&self) -> bool {
        self.method.deprecated
    }

    fn request_response_name(&self, _: &str, _: bool) -> (TokenStream, TokenStream) {
        (ty(&self.method.request), ty(&self.method.response))
    }
}

/// Tonic's modules lie where `api` does, but have no `rt`.
fn ty(ty: &Type) -> TokenStream {
    let path = match ty.rust.strip_prefix("rt::") {
        Some(rest) => format!("::apibase::codegen::{rest}"),
        None => ty.rust.clone(),
    };
    path.parse().unwrap_or_default()
}
