//! The messages that details are made of, as they are read. `google/rpc/status.proto` and
//! `google/rpc/error_details.proto` have them.

use std::collections::HashMap;

use prost::{Message, Name};

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RichStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<prost_types::Any>,
}

/// Why a call failed, for programs.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(crate) reason: String,
    #[prost(string, tag = "2")]
    pub(crate) domain: String,
    #[prost(map = "string, string", tag = "3")]
    pub(crate) metadata: HashMap<String, String>,
}

/// The fields of a request that are wrong.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) field_violations: Vec<Violation>,
}

/// One of them.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Violation {
    #[prost(string, tag = "1")]
    pub(crate) field: String,
    #[prost(string, tag = "2")]
    pub(crate) description: String,
}

/// When to try again.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(crate) retry_delay: Option<prost_types::Duration>,
}

/// Which call it was, for whoever reads logs.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RequestInfo {
    #[prost(string, tag = "1")]
    pub(crate) request_id: String,
    #[prost(string, tag = "2")]
    pub(crate) serving_data: String,
}

/// What happened inside, for development.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DebugInfo {
    #[prost(string, repeated, tag = "1")]
    pub(crate) stack_entries: Vec<String>,
    #[prost(string, tag = "2")]
    pub(crate) detail: String,
}

macro_rules! rpc_names {
    ($($message:ident),*) => {
        $(
            impl Name for $message {
                const PACKAGE: &'static str = "google.rpc";
                const NAME: &'static str = stringify!($message);

                fn type_url() -> String {
                    Self::URL.to_owned()
                }
            }

            impl $message {
                pub(crate) const URL: &'static str =
                    concat!("type.googleapis.com/google.rpc.", stringify!($message));
            }
        )*
    };
}

rpc_names!(ErrorInfo, BadRequest, RetryInfo, RequestInfo, DebugInfo);

/// Whether a detail is an `M`: the last segment of its URL says so, whatever is before.
pub(crate) fn is<M: Name>(detail: &prost_types::Any) -> bool {
    let name = detail
        .type_url
        .rsplit_once('/')
        .map_or("", |(_, name)| name);
    name == M::full_name()
}
