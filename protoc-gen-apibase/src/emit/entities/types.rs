//! The types of entities, where the user has none.

use proc_macro2::TokenStream;
use quote::quote;

use super::attributes;
use crate::emit::tokens::{code, deprecated_if, docs, ident};
use crate::model::entity::{Content, Entity, Field, Slot};

pub(super) fn definition(entity: &Entity) -> TokenStream {
    if !entity.generated {
        return TokenStream::new();
    }
    let about = docs(&entity.docs);
    let attributes = attributes(&entity.attributes);
    let name = ident(&entity.name);
    let all = fields(&entity.slots);
    let members = all.iter().map(|field| {
        let docs = docs(&field.docs);
        let deprecated = deprecated_if(field.deprecated);
        let name = ident(&field.name);
        let ty = code(&field.mapping.entity);
        quote!(#docs #deprecated pub #name: #ty)
    });
    let secret = all.iter().any(|field| field.sensitive);
    let printed = (!secret).then(|| quote!(Debug,));
    let default = entity.default.then(|| quote!(Default,));
    let debug = secret.then(|| debug(&entity.name, &all));
    quote! {
        #about
        #[derive(Clone, #printed #default PartialEq)]
        #attributes
        pub struct #name {
            #(#members),*
        }

        #debug
    }
}

/// What is printed of an entity, or a patch, with secrets.
pub(super) fn debug(text: &str, fields: &[&Field]) -> TokenStream {
    let name = ident(text);
    let allow = super::allow_deprecated(fields.iter().any(|f| f.deprecated));
    let members = fields.iter().map(|field| {
        let name = ident(&field.name);
        let text = field.name.trim_start_matches("r#");
        if field.sensitive {
            quote!(.field(#text, &rt::Redacted))
        } else {
            quote!(.field(#text, &self.#name))
        }
    });
    quote! {
        #allow
        impl rt::fmt::Debug for #name {
            fn fmt(&self, f: &mut rt::fmt::Formatter<'_>) -> rt::fmt::Result {
                f.debug_struct(#text)#(#members)*.finish()
            }
        }
    }
}

/// All fields of an entity, those that were flattened among them.
pub(super) fn fields(slots: &[Slot]) -> Vec<&Field> {
    let mut all = Vec::new();
    for slot in slots {
        match &slot.content {
            Content::Field(field) | Content::Patched { field, .. } => all.push(&**field),
            Content::Ignored | Content::Mask => {}
            Content::Flattened { slots, .. } => all.extend(fields(slots)),
        }
    }
    all
}
