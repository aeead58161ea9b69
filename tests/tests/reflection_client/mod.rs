//! What a tool says and hears, in messages of its own, and files to ask for.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use apibase::codegen::Service;
use apibase::prost::{self, Message};
use apibase::prost_types::{FileDescriptorProto, FileDescriptorSet};
use apibase::{
    CallError, Caller, Context, DomainError, Interceptors, Reflection, Replies, TowerService,
    Transport,
};
use futures_util::TryStreamExt;
use futures_util::stream::{self, Stream};

/// A descriptor set whose files stay as they are.
#[derive(Clone, PartialEq, Message)]
pub struct RawSet {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub files: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ServerReflectionRequest {
    #[prost(string, tag = "1")]
    pub host: String,
    #[prost(oneof = "Ask", tags = "3, 4, 5, 6, 7")]
    pub message_request: Option<Ask>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Ask {
    #[prost(string, tag = "3")]
    File(String),
    #[prost(string, tag = "4")]
    Symbol(String),
    #[prost(message, tag = "5")]
    Extension(ExtensionRequest),
    #[prost(string, tag = "6")]
    Numbers(String),
    #[prost(string, tag = "7")]
    Services(String),
}

#[derive(Clone, PartialEq, Message)]
pub struct ExtensionRequest {
    #[prost(string, tag = "1")]
    pub containing_type: String,
    #[prost(int32, tag = "2")]
    pub extension_number: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct ServerReflectionResponse {
    #[prost(string, tag = "1")]
    pub valid_host: String,
    #[prost(message, optional, tag = "2")]
    pub original_request: Option<ServerReflectionRequest>,
    #[prost(oneof = "Answer", tags = "4, 5, 6, 7")]
    pub message_response: Option<Answer>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Answer {
    #[prost(message, tag = "4")]
    Files(FileDescriptorResponse),
    #[prost(message, tag = "5")]
    Numbers(ExtensionNumberResponse),
    #[prost(message, tag = "6")]
    Services(ListServiceResponse),
    #[prost(message, tag = "7")]
    Error(ErrorResponse),
}

#[derive(Clone, PartialEq, Message)]
pub struct FileDescriptorResponse {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub file_descriptor_proto: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ExtensionNumberResponse {
    #[prost(string, tag = "1")]
    pub base_type_name: String,
    #[prost(int32, repeated, tag = "2")]
    pub extension_number: Vec<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ListServiceResponse {
    #[prost(message, repeated, tag = "1")]
    pub service: Vec<ServiceResponse>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ServiceResponse {
    #[prost(string, tag = "1")]
    pub name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ErrorResponse {
    #[prost(int32, tag = "1")]
    pub error_code: i32,
    #[prost(string, tag = "2")]
    pub error_message: String,
}

pub fn file(name: &str) -> Ask {
    Ask::File(name.to_owned())
}

pub fn symbol(name: &str) -> Ask {
    Ask::Symbol(name.to_owned())
}

pub fn extension(containing_type: &str, extension_number: i32) -> Ask {
    Ask::Extension(ExtensionRequest {
        containing_type: containing_type.to_owned(),
        extension_number,
    })
}

pub fn numbers(name: &str) -> Ask {
    Ask::Numbers(name.to_owned())
}

pub fn services() -> Ask {
    Ask::Services(String::new())
}

pub fn request(ask: Ask) -> ServerReflectionRequest {
    ServerReflectionRequest {
        host: String::new(),
        message_request: Some(ask),
    }
}

impl Answer {
    /// The names of the files, in their order.
    #[track_caller]
    pub fn names(&self) -> Vec<String> {
        let files = self.files().iter();
        files
            .map(|bytes| {
                FileDescriptorProto::decode(&**bytes)
                    .unwrap()
                    .name()
                    .to_owned()
            })
            .collect()
    }

    /// The files as they came.
    #[track_caller]
    pub fn files(&self) -> &[Vec<u8>] {
        match self {
            Self::Files(files) => &files.file_descriptor_proto,
            other => panic!("no files: {other:?}"),
        }
    }

    /// The code of an error.
    #[track_caller]
    pub fn code(&self) -> i32 {
        match self {
            Self::Error(error) => {
                assert!(!error.error_message.is_empty());
                error.error_code
            }
            other => panic!("no error: {other:?}"),
        }
    }

    /// The numbers of extensions.
    #[track_caller]
    pub fn numbers(&self) -> &[i32] {
        match self {
            Self::Numbers(numbers) => &numbers.extension_number,
            other => panic!("no numbers: {other:?}"),
        }
    }

    /// The names of services.
    #[track_caller]
    pub fn services(&self) -> Vec<&str> {
        match self {
            Self::Services(list) => list.service.iter().map(|service| &*service.name).collect(),
            other => panic!("no services: {other:?}"),
        }
    }
}

/// What a stream of reflection yields.
pub type Responses = Replies<ServerReflectionResponse, DomainError>;

/// Opens a stream to the reflection service `S`.
pub async fn open<S: Service>(
    transport: impl Transport,
    requests: impl Stream<Item = ServerReflectionRequest> + Send + 'static,
) -> Result<Responses, CallError<DomainError>> {
    let method = S::METHODS.first().unwrap();
    Caller::new(transport, S::METHODS)
        .bidi(&Context::background(), method, requests)
        .await
}

/// The responses of one stream of `service` to these requests.
pub async fn respond<S: Service>(
    service: S,
    requests: Vec<ServerReflectionRequest>,
) -> Vec<ServerReflectionResponse> {
    let service = TowerService::new(service, Interceptors::none()).unwrap();
    let responses = open::<S>(service, stream::iter(requests)).await.unwrap();
    responses.try_collect().await.unwrap()
}

/// The answers of one stream, which both versions give.
pub async fn answers(reflection: &Reflection, asks: impl IntoIterator<Item = Ask>) -> Vec<Answer> {
    let requests: Vec<_> = asks.into_iter().map(request).collect();
    let responses = respond(reflection.v1(), requests.clone()).await;
    let alphas = respond(reflection.v1alpha(), requests.clone()).await;
    assert_eq!(responses, alphas);
    assert_eq!(responses.len(), requests.len());
    responses
        .into_iter()
        .map(|response| response.message_response.unwrap())
        .collect()
}

/// The answer to one question on a stream of its own.
pub async fn answer(reflection: &Reflection, ask: Ask) -> Answer {
    let mut answers = answers(reflection, [ask]).await;
    answers.remove(0)
}

/// Nothing but these descriptors.
pub fn reflecting(descriptors: &'static [u8]) -> Reflection {
    Reflection::new().add_descriptors(descriptors).unwrap()
}

/// A file that declares nothing, with these imports.
pub fn bare_file(name: &str, imports: &[&str]) -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some(name.to_owned()),
        dependency: imports.iter().map(ToString::to_string).collect(),
        ..FileDescriptorProto::default()
    }
}

/// An encoded set of these files.
pub fn set(files: impl Into<Vec<FileDescriptorProto>>) -> Vec<u8> {
    FileDescriptorSet { file: files.into() }.encode_to_vec()
}

/// The bytes of a file in an encoded set.
pub fn file_in(set: &[u8], name: &str) -> Vec<u8> {
    let set = RawSet::decode(set).unwrap();
    let mut files = set.files.into_iter();
    let found = files.find(|bytes| FileDescriptorProto::decode(&**bytes).unwrap().name() == name);
    found.unwrap()
}
