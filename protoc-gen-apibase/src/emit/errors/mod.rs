//! Error catalogues: an enum each, its table, and the trait that makes another service's errors of
//! it.

mod texts;
mod translator;

use proc_macro2::TokenStream;
use quote::quote;

use super::entities::allow_deprecated;
use super::tokens::{deprecated_if, doc, docs, duration, ident};
use crate::layout::Banner;
use crate::model::errors::{Catalogue, CatalogueError, Metadata, Public};

/// All catalogues of a package.
pub(super) fn section(catalogues: &[Catalogue]) -> TokenStream {
    if catalogues.is_empty() {
        return TokenStream::new();
    }
    let banner = Banner("Errors".to_owned());
    let catalogues = catalogues.iter().map(items);
    quote!(#banner #(#catalogues)*)
}

fn items(catalogue: &Catalogue) -> TokenStream {
    let definition = definition(catalogue);
    let display = texts::display(catalogue);
    let error = error(catalogue);
    let service_error = service_error(catalogue);
    let table = table(catalogue);
    let translator = translator::definition(catalogue);
    quote!(#definition #display #error #service_error #table #translator)
}

fn definition(catalogue: &Catalogue) -> TokenStream {
    let about = docs(&catalogue.docs);
    let large = catalogue.errors.iter().any(CatalogueError::is_large);
    let allow = large.then(
        || quote!(#[allow(clippy::large_enum_variant, reason = "the proto asks for the metadata")]),
    );
    let name = ident(&catalogue.ty);
    let variants = catalogue.errors.iter().map(|error| {
        let docs = docs(&error.docs);
        let deprecated = deprecated_if(error.deprecated);
        let name = ident(&error.variant);
        let fields = fields(error);
        quote!(#docs #deprecated #name #fields,)
    });
    quote! {
        #about
        #allow
        #[derive(Clone, Debug)]
        pub enum #name {
            #(#variants)*
            /// One of the errors that every service has, or any other status.
            Domain(rt::DomainError),
        }
    }
}

/// The fields of a variant, if it has any.
fn fields(error: &CatalogueError) -> Option<TokenStream> {
    let fields = error.metadata.iter().map(|metadata| {
        let about = doc(&format!("`{}` of the error's metadata.", metadata.key));
        let name = ident(&metadata.field);
        quote!(#about #name: String)
    });
    (!error.metadata.is_empty()).then(|| quote!({ #(#fields),* }))
}

fn error(catalogue: &Catalogue) -> TokenStream {
    let name = ident(&catalogue.ty);
    let body = if catalogue.errors.is_empty() {
        quote! {
            let Self::Domain(error) = self;
            rt::Error::source(error)
        }
    } else {
        quote! {
            match self {
                Self::Domain(error) => rt::Error::source(error),
                _ => None,
            }
        }
    };
    quote! {
        impl rt::Error for #name {
            fn source(&self) -> Option<&(dyn rt::Error + 'static)> {
                #body
            }
        }

        rt::into_domain!(#name);
    }
}

fn service_error(catalogue: &Catalogue) -> TokenStream {
    let name = ident(&catalogue.ty);
    let table = ident(&catalogue.table);
    let allow = allow_deprecated_of(catalogue);
    let parts = parts(catalogue);
    let from_reason = from_reason(catalogue);
    quote! {
        #allow
        impl rt::ServiceError for #name {
            const TABLE: &'static rt::ErrorTable = &#table;

            fn parts(&self) -> rt::ErrorParts<'_> {
                #parts
            }

            #from_reason
        }
    }
}

fn parts(catalogue: &Catalogue) -> TokenStream {
    let arms = catalogue.errors.iter().map(|error| {
        let pattern = pattern("Self", error, |_| true);
        let reason = &error.reason;
        let metadata = error.metadata.iter().map(|metadata| {
            let key = &metadata.key;
            let value = ident(&metadata.binding);
            quote!((#key, #value))
        });
        let public = match &error.public {
            Public::Own | Public::Redacted => None,
            Public::Other(message) => Some(texts::public(message)),
        };
        quote!(#pattern => rt::ErrorParts::reason(#reason, [#(#metadata),*]) #public)
    });
    match_self(arms, &quote!(rt::ErrorParts::domain(error)))
}

fn from_reason(catalogue: &Catalogue) -> TokenStream {
    if catalogue.errors.is_empty() {
        return quote! {
            fn from_reason(_reason: &str, _metadata: &mut rt::ErrorMetadata) -> Option<Self> {
                None
            }
        };
    }
    let mut errors = catalogue.errors.iter();
    let metadata = if errors.all(|error| error.metadata.is_empty()) {
        ident("_metadata")
    } else {
        ident("metadata")
    };
    let arms = catalogue.errors.iter().map(|error| {
        let reason = &error.reason;
        let variant = ident(&error.variant);
        let fields = error.metadata.iter().map(|metadata| {
            let (field, key) = (ident(&metadata.field), &metadata.key);
            quote!(#field: metadata.take(#key))
        });
        let fields = (!error.metadata.is_empty()).then(|| quote!({ #(#fields),* }));
        quote!(#reason => Self::#variant #fields)
    });
    quote! {
        fn from_reason(reason: &str, #metadata: &mut rt::ErrorMetadata) -> Option<Self> {
            let error = match reason {
                #(#arms,)*
                _ => return None,
            };
            Some(error)
        }
    }
}

fn table(catalogue: &Catalogue) -> TokenStream {
    let about = doc(&format!("`{}`: reason → status.", catalogue.full_name));
    let name = ident(&catalogue.table);
    let domain = &catalogue.domain;
    let rows = catalogue.errors.iter().map(row);
    quote! {
        #about
        pub const #name: rt::ErrorTable = rt::ErrorTable::new(#domain, &[#(#rows),*]);
    }
}

fn row(error: &CatalogueError) -> TokenStream {
    let reason = &error.reason;
    // tonic's variants are named as the codes of our options are.
    let code = ident(&format!("{:?}", error.code));
    let keys = error.metadata.iter().map(|metadata| &metadata.key);
    let metadata = (!error.metadata.is_empty()).then(|| quote!(.metadata(&[#(#keys),*])));
    let retry = match (error.retryable, error.retry_delay) {
        (false, _) => None,
        (true, None) => Some(quote!(.retryable())),
        (true, Some(delay)) => {
            let delay = duration(delay);
            Some(quote!(.retry_after(rt::#delay)))
        }
    };
    let redacted = (error.public == Public::Redacted).then(|| quote!(.redacted()));
    let http = error.http.map(|http| {
        let http = proc_macro2::Literal::u16_unsuffixed(http);
        quote!(.http(#http))
    });
    quote!(rt::ErrorRow::new(#reason, rt::Code::#code) #metadata #retry #redacted #http)
}

/// `match self` with an arm for each error, and one for those that every service has, whose value is
/// `error`.
fn match_self(arms: impl Iterator<Item = TokenStream>, domain: &TokenStream) -> TokenStream {
    let arms: Vec<TokenStream> = arms.collect();
    if arms.is_empty() {
        return quote! {
            let Self::Domain(error) = self;
            #domain
        };
    }
    quote! {
        match self {
            #(#arms,)*
            Self::Domain(error) => #domain,
        }
    }
}

/// The pattern of an error, with the values that `is_used` holds for.
fn pattern(ty: &str, error: &CatalogueError, is_used: impl Fn(&Metadata) -> bool) -> TokenStream {
    let (ty, variant) = (ident(ty), ident(&error.variant));
    if error.metadata.is_empty() {
        return quote!(#ty::#variant);
    }
    let used = error.metadata.iter().filter(|metadata| is_used(metadata));
    let mut values: Vec<TokenStream> = used
        .map(|metadata| {
            let (field, binding) = (ident(&metadata.field), ident(&metadata.binding));
            if field == binding {
                quote!(#field)
            } else {
                quote!(#field: #binding)
            }
        })
        .collect();
    if values.len() < error.metadata.len() {
        values.push(quote!(..));
    }
    quote!(#ty::#variant { #(#values),* })
}

fn allow_deprecated_of(catalogue: &Catalogue) -> TokenStream {
    allow_deprecated(catalogue.errors.iter().any(|error| error.deprecated))
}
