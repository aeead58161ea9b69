//! A status with details, by hand.

use std::collections::HashMap;

use prost::{Message, Name};
use prost_types::Any;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::google::{ErrorInfo, RequestInfo, Rich};
use crate::protos::common::ErrorDetail;

pub(crate) fn out_of_stock(item: String, left: u32, correlation_id: &str) -> Status {
    let code = Code::FailedPrecondition;
    let message = format!("item {item} is there {left} times only");
    let info = ErrorInfo {
        reason: "OUT_OF_STOCK".to_owned(),
        domain: "shop.example.com".to_owned(),
        metadata: HashMap::from([
            ("item_id".to_owned(), item),
            ("left".to_owned(), left.to_string()),
        ]),
    };
    let call = RequestInfo {
        request_id: correlation_id.to_owned(),
        serving_data: String::new(),
    };
    let rich = Rich {
        code: code as i32,
        message,
        details: vec![any(&info), any(&call)],
    };
    let details = rich.encode_to_vec();
    let detail = ErrorDetail {
        code: info.reason,
        message: rich.message,
        field: String::new(),
        metadata: info.metadata,
    };
    let mut metadata = MetadataMap::new();
    let value = MetadataValue::from_bytes(&detail.encode_to_vec());
    metadata.insert_bin("error-detail-bin", value);
    Status::with_details_and_metadata(code, detail.message, details.into(), metadata)
}

fn any<M: Message + Name>(message: &M) -> Any {
    Any {
        type_url: M::type_url(),
        value: message.encode_to_vec(),
    }
}
