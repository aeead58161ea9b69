//! The generated code in a crate of edition 2021, compiled as strictly as in one of 2024.

#![deny(warnings, missing_docs, clippy::all, unused_qualifications)]
#![allow(
    clippy::doc_markdown,
    reason = "the comments of protos are not written for rustdoc"
)]

macro_rules! fixtures {
    ($($name:ident)*) => {
        $(
            /// A fixture.
            #[allow(clippy::module_inception, reason = "fixtures are named like their packages")]
            pub mod $name {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/mod.rs"));

                /// Its fakes, beside it as `apibase::include_fakes!()` puts them.
                #[cfg(test)]
                pub mod fakes {
                    mod __protos {
                        #[allow(unused_imports, reason = "there may be no package")]
                        pub use super::super::*;
                    }

                    include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "/fakes.rs"));
                }
            }
        )*
    };
}

fixtures! {
    deprecated
    entity_calls
    entity_enums
    entity_fields
    entity_names
    entity_oneofs
    entity_patch
    errors_basic
    errors_calls
    errors_empty
    errors_names
    keywords
    kinds
    no_package
    prelude
    proto2
    rpc_types
    shapes
    well_known
}

/// A servicer, as someone would write it in this edition.
#[derive(Debug)]
pub struct Notes;

impl kinds::kinds::api::WithoutCommentsServicer for Notes {
    async fn without_comment(
        &self,
        _ctx: &apibase::Context,
        request: kinds::kinds::Ask,
    ) -> Result<kinds::kinds::Answer, apibase::DomainError> {
        Ok(kinds::kinds::Answer { text: request.text })
    }
}
