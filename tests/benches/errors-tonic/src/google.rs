//! `google/rpc/status.proto` and `google/rpc/error_details.proto`, as prost writes them.

use std::collections::HashMap;

use prost::{Message, Name};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Rich {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<prost_types::Any>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(crate) reason: String,
    #[prost(string, tag = "2")]
    pub(crate) domain: String,
    #[prost(map = "string, string", tag = "3")]
    pub(crate) metadata: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RequestInfo {
    #[prost(string, tag = "1")]
    pub(crate) request_id: String,
    #[prost(string, tag = "2")]
    pub(crate) serving_data: String,
}

impl Name for ErrorInfo {
    const PACKAGE: &'static str = "google.rpc";
    const NAME: &'static str = "ErrorInfo";

    fn type_url() -> String {
        "type.googleapis.com/google.rpc.ErrorInfo".to_owned()
    }
}

impl Name for RequestInfo {
    const PACKAGE: &'static str = "google.rpc";
    const NAME: &'static str = "RequestInfo";

    fn type_url() -> String {
        "type.googleapis.com/google.rpc.RequestInfo".to_owned()
    }
}
