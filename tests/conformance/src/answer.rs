//! What the runner wants to be answered.

use std::time::Duration;

use apibase::prost::Message;
use apibase::prost_types::Any;
use apibase::{Code, Context, DomainError, Status};
use tokio::time::sleep;

use crate::connectrpc::conformance::v1::conformance_payload::RequestInfo;
use crate::connectrpc::conformance::v1::unary_response_definition::Response;
use crate::connectrpc::conformance::v1::{ConformancePayload, Error, UnaryResponseDefinition};
use crate::metadata::{observed, send};

/// `google.rpc.Status`, which is what the details of a status are in.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RichStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<Any>,
}

/// The one answer to these requests.
pub(crate) async fn single(
    ctx: &Context,
    definition: Option<UnaryResponseDefinition>,
    requests: Vec<Any>,
) -> Result<ConformancePayload, DomainError> {
    let info = observed(ctx, requests);
    let definition = definition.unwrap_or_default();
    send(
        ctx,
        &definition.response_headers,
        &definition.response_trailers,
    )?;
    delay(definition.response_delay_ms).await;
    match definition.response {
        Some(Response::Error(error)) => Err(failure(error, Some(&info))),
        Some(Response::ResponseData(data)) => Ok(payload(data, Some(info))),
        None => Ok(payload(Vec::new(), Some(info))),
    }
}

pub(crate) fn payload(data: Vec<u8>, request_info: Option<RequestInfo>) -> ConformancePayload {
    ConformancePayload { data, request_info }
}

pub(crate) async fn delay(milliseconds: u32) {
    if milliseconds > 0 {
        sleep(Duration::from_millis(milliseconds.into())).await;
    }
}

/// The raw status that the runner asks for, with what came in among its details.
pub(crate) fn failure(error: Error, info: Option<&RequestInfo>) -> DomainError {
    let mut details = error.details;
    details.extend(info.map(|info| packed("ConformancePayload.RequestInfo", info)));
    let message = error.message.unwrap_or_default();
    let rich = RichStatus {
        code: error.code,
        message: message.clone(),
        details,
    };
    let code = Code::from(error.code);
    Status::with_details(code, message, rich.encode_to_vec().into()).into()
}

/// A message of this service, of any type.
pub(crate) fn packed(name: &str, message: &impl Message) -> Any {
    Any {
        type_url: format!("type.googleapis.com/connectrpc.conformance.v1.{name}"),
        value: message.encode_to_vec(),
    }
}
