//! Failed calls as they are on the wire, read without the runtime.

use std::collections::HashMap;

use apibase::prost::{self, Message, Name};
use apibase::{Code, ErrorRow, MetadataMap, ServiceError, Status, prost_types};
use apibase_tests::protos::common::ErrorDetail;
use http::HeaderMap;

use super::Answer;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RichStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<prost_types::Any>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ErrorInfo {
    #[prost(string, tag = "1")]
    pub(crate) reason: String,
    #[prost(string, tag = "2")]
    pub(crate) domain: String,
    #[prost(map = "string, string", tag = "3")]
    pub(crate) metadata: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) field_violations: Vec<FieldViolation>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FieldViolation {
    #[prost(string, tag = "1")]
    pub(crate) field: String,
    #[prost(string, tag = "2")]
    pub(crate) description: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(crate) retry_delay: Option<prost_types::Duration>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RequestInfo {
    #[prost(string, tag = "1")]
    pub(crate) request_id: String,
    #[prost(string, tag = "2")]
    pub(crate) serving_data: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DebugInfo {
    #[prost(string, repeated, tag = "1")]
    pub(crate) stack_entries: Vec<String>,
    #[prost(string, tag = "2")]
    pub(crate) detail: String,
}

macro_rules! google_rpc {
    ($($message:ident)*) => {
        $(
            impl Name for $message {
                const PACKAGE: &'static str = "google.rpc";
                const NAME: &'static str = stringify!($message);
            }
        )*
    };
}

google_rpc!(ErrorInfo BadRequest RetryInfo RequestInfo DebugInfo);

/// A detail of a status.
pub(crate) fn any<M: Message + Name>(message: &M) -> prost_types::Any {
    prost_types::Any {
        type_url: format!("type.googleapis.com/{}.{}", M::PACKAGE, M::NAME),
        value: message.encode_to_vec(),
    }
}

/// A status with these details.
pub(crate) fn rich(code: Code, message: &str, details: Vec<prost_types::Any>) -> Status {
    let rich = RichStatus {
        code: code as i32,
        message: message.to_owned(),
        details,
    };
    Status::with_details(code, message, rich.encode_to_vec().into())
}

/// Why a call failed, for programs.
pub(crate) fn error_info(domain: &str, reason: &str, metadata: &[(&str, &str)]) -> ErrorInfo {
    let metadata = metadata.iter();
    ErrorInfo {
        reason: reason.to_owned(),
        domain: domain.to_owned(),
        metadata: metadata
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// The error of this row, with a text of its own for each key of its metadata.
pub(crate) fn sample<E: ServiceError>(row: &ErrorRow) -> E {
    let texts: Vec<_> = row.metadata.iter().map(|key| text_of(row, key)).collect();
    let texts = row.metadata.iter().zip(&texts);
    let metadata: Vec<_> = texts.map(|(key, text)| (*key, text.as_str())).collect();
    let info = error_info(E::TABLE.domain(), row.reason, &metadata);
    E::from_status(rich(row.code, "", vec![any(&info)])).unwrap()
}

/// What a [`sample`] has for this key.
pub(crate) fn text_of(row: &ErrorRow, key: &str) -> String {
    format!("{key} of {}: \u{fc} {{}} 100%", row.reason)
}

/// A failed call as it is on the wire.
#[derive(Debug)]
pub(crate) struct OnTheWire {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// `grpc-status-details-bin`.
    pub(crate) rich: RichStatus,
    /// `error-detail-bin`.
    pub(crate) detail: Option<ErrorDetail>,
    /// `grpc-retry-pushback-ms`.
    pub(crate) pushback: Option<String>,
    /// All of the headers or trailers that it is in.
    pub(crate) trailers: HeaderMap,
    is_head: bool,
}

impl Answer {
    /// How the call failed: with the head or with the trailers.
    pub(crate) fn failed(&self) -> OnTheWire {
        let is_head = self.headers.contains_key("grpc-status");
        let trailers = match &self.trailers {
            Some(trailers) if !is_head => trailers,
            _ => &self.headers,
        };
        let status = Status::from_header_map(trailers).unwrap();
        assert_ne!(status.code(), Code::Ok, "{self:?}");
        let metadata = MetadataMap::from_headers(trailers.clone());
        let detail = metadata.get_bin("error-detail-bin").map(|value| {
            let bytes = value.to_bytes().unwrap();
            ErrorDetail::decode(bytes).unwrap()
        });
        let pushback = trailers.get("grpc-retry-pushback-ms");
        OnTheWire {
            code: status.code(),
            message: status.message().to_owned(),
            rich: RichStatus::decode(status.details()).unwrap(),
            detail,
            pushback: pushback.map(|value| value.to_str().unwrap().to_owned()),
            trailers: trailers.clone(),
            is_head,
        }
    }
}

impl OnTheWire {
    /// The one detail of this type.
    pub(crate) fn find<M: Message + Name + Default>(&self) -> Option<M> {
        let url = format!("type.googleapis.com/{}.{}", M::PACKAGE, M::NAME);
        let details = self.rich.details.iter();
        let mut found = details.filter(|detail| detail.type_url == url);
        let detail = found.next()?;
        assert!(found.next().is_none(), "{self:?}");
        Some(M::decode(&*detail.value).unwrap())
    }

    /// Why it failed, which is always there.
    pub(crate) fn info(&self) -> ErrorInfo {
        self.find().unwrap()
    }

    /// The id of an error that is redacted, which its message has too.
    pub(crate) fn error_id(&self) -> String {
        let id = self.info().metadata.remove("error_id").unwrap();
        assert_eq!(id.len(), 32, "{self:?}");
        let said = "the call failed; the server's log has why, under the error id";
        assert_eq!(self.message, format!("{said} {id}"));
        id
    }

    /// What its headers or trailers take, as peers count it (RFC 9113, section 6.5.2).
    pub(crate) fn size(&self) -> usize {
        let fields = self.trailers.iter();
        let size: usize = fields
            .map(|(name, value)| name.as_str().len() + value.len() + 32)
            .sum();
        let status = if self.is_head {
            ":status200".len() + 32
        } else {
            0
        };
        size + status
    }
}
