//! Calls whose requests and replies are generated entities, end to end over a socket: what a request
//! gets that is wrong, and what becomes of an entity that no message can say.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::HashSet;

use apibase::codegen::map::{ProtobufMapper as _, ViolationKind};
use apibase::prost::Message as _;
use apibase::{CallError, Code, Context, DomainError, FailureKind, Inbound, Server, Streamed};
use apibase_tests::entity_calls::entity_calls as proto;
use common::{Answer, Running, failure, frame, post};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use proto::api::{
    Done, Thing, ThingLook, ThingMapper, ThingServiceClient, ThingServiceServer, ThingServicer,
};
use uuid::Uuid;

/// The name of a thing that the servicer makes one of that no message can say.
const UNSAYABLE: &str = "unsayable";

/// What a server says is wrong with [`wrong`].
const WRONG: [(&str, &str); 6] = [
    ("id", "is not a UUID"),
    ("name", "is required"),
    ("count", "must be from 0 to 255"),
    ("parts[1].name", "is required"),
    ("parts[1].parts[0].picture", "is not a UUID"),
    ("picture", "is not a UUID"),
];

struct Things;

impl ThingServicer for Things {
    async fn put(&self, _: &Context, request: Thing) -> Result<Thing, DomainError> {
        Ok(answer(request))
    }

    async fn split(
        &self,
        _: &Context,
        request: Thing,
    ) -> Result<Streamed<Thing, DomainError>, DomainError> {
        let parts = request.parts.into_iter().map(answer).map(Ok);
        Ok(Streamed::from_iter(parts))
    }

    async fn put_all(
        &self,
        _: &Context,
        mut requests: Inbound<Thing>,
    ) -> Result<Done, DomainError> {
        let mut done = Done {
            count: 0,
            ids: HashSet::new(),
            word: "done".to_owned(),
        };
        while let Some(thing) = requests.message().await? {
            done.count += 1;
            done.ids.insert(thing.id);
        }
        Ok(done)
    }

    async fn echo(
        &self,
        _: &Context,
        requests: Inbound<Thing>,
    ) -> Result<Streamed<Thing, DomainError>, DomainError> {
        Ok(Streamed::new(requests.map(|thing| Ok(answer(thing?)))))
    }
}

fn answer(thing: Thing) -> Thing {
    let name = match thing.name.as_str() {
        UNSAYABLE => String::new(),
        _ => thing.name,
    };
    Thing { name, ..thing }
}

fn thing(name: &str) -> Thing {
    Thing {
        id: Uuid::from_u128(7),
        name: name.to_owned(),
        count: 255,
        parts: Vec::new(),
        look: Some(ThingLook::Color("red".to_owned())),
    }
}

fn with_parts(parts: &[&str]) -> Thing {
    Thing {
        parts: parts.iter().copied().map(thing).collect(),
        ..thing("whole")
    }
}

/// A message of which most is wrong.
fn wrong() -> proto::Thing {
    let picture = || Some(proto::thing::Look::Picture("hunter2".to_owned()));
    let leaf = proto::Thing {
        look: picture(),
        ..ThingMapper::to_proto(&thing("leaf")).unwrap()
    };
    let branch = proto::Thing {
        name: String::new(),
        parts: vec![leaf],
        ..ThingMapper::to_proto(&thing("branch")).unwrap()
    };
    proto::Thing {
        id: "hunter2".to_owned(),
        name: String::new(),
        count: 256,
        parts: vec![ThingMapper::to_proto(&thing("fine")).unwrap(), branch],
        look: picture(),
    }
}

async fn things() -> Running {
    Running::of(Server::new().add_servicer(ThingServiceServer::new(Things))).await
}

async fn client(server: &Running) -> ThingServiceClient {
    ThingServiceClient::connect(server.target()).await.unwrap()
}

#[tokio::test]
async fn every_kind_of_method_speaks_entities() {
    let ctx = Context::background();
    let server = things().await;
    let client = client(&server).await;

    let whole = with_parts(&["a", "b"]);
    assert_eq!(client.put(&ctx, whole.clone()).await.unwrap(), whole);

    let parts = client.split(&ctx, whole.clone()).await.unwrap();
    let parts: Vec<Thing> = parts.try_collect().await.unwrap();
    assert_eq!(parts, whole.parts);

    let requests = stream::iter([thing("a"), thing("b")]);
    let done = client.put_all(&ctx, requests).await.unwrap();
    assert_eq!((done.count, done.ids.len()), (2, 1));

    let requests = stream::iter([thing("a"), whole.clone()]);
    let echoes = client.echo(&ctx, requests).await.unwrap();
    let echoes: Vec<Thing> = echoes.try_collect().await.unwrap();
    assert_eq!(echoes, [thing("a"), whole]);
}

#[tokio::test]
async fn a_wrong_request_is_told_all_that_is_wrong_whatever_the_kind() {
    let server = things().await;
    let mut raw = server.raw().await;
    for method in ["Put", "Split", "PutAll", "Echo"] {
        let path = format!("http://localhost/entity_calls.ThingService/{method}");
        let answer = raw.call(post("").uri(path), [frame(&wrong())]).await;
        assert_eq!(answer.code(), Code::InvalidArgument, "{method}");
        let expected = WRONG.map(|(field, what)| (field.to_owned(), what.to_owned()));
        assert_eq!(violations(&answer), expected, "{method}");
        assert!(!format!("{answer:?}").contains("hunter2"), "{method}");
    }
}

#[tokio::test]
async fn what_came_before_a_wrong_item_is_answered() {
    let server = things().await;
    let mut raw = server.raw().await;
    let path = "http://localhost/entity_calls.ThingService/Echo";
    let first = ThingMapper::to_proto(&thing("a")).unwrap();
    let frames = [frame(&first), frame(&wrong())];
    let answer = raw.call(post("").uri(path), frames).await;
    assert_eq!(answer.messages::<proto::Thing>(), [first]);
    assert_eq!(answer.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_request_that_no_message_can_say_is_not_sent() {
    let server = things().await;
    let client = client(&server).await;
    let nameless = with_parts(&["a", ""]);
    let failure = failure(client.put(&Context::background(), nameless).await);
    assert_eq!(failure.kind(), FailureKind::Encode);
    let violations = failure.map_error().unwrap().violations();
    let violations: Vec<_> = violations.iter().map(|v| (v.path(), v.kind())).collect();
    assert_eq!(violations, [("parts[1].name", ViolationKind::Missing)]);
}

#[tokio::test]
async fn a_reply_that_no_message_can_say_is_internal_and_says_no_more() {
    let ctx = Context::background();
    let server = things().await;
    let client = client(&server).await;
    let error = client.put(&ctx, thing(UNSAYABLE)).await.unwrap_err();
    assert!(matches!(error, CallError::Failed(_)), "{error:?}");
    assert_eq!(error.code(), Code::Internal);
    assert!(!error.to_string().contains("name"), "{error}");

    let parts = with_parts(&["a", UNSAYABLE, "c"]);
    let replies = client.split(&ctx, parts).await.unwrap();
    let replies: Vec<_> = replies.collect().await;
    let [Ok(first), Err(error)] = replies.as_slice() else {
        panic!("{replies:?}")
    };
    assert_eq!((first, error.code()), (&thing("a"), Code::Internal));
}

/// The violations of `google.rpc.BadRequest` in the status of an answer.
fn violations(answer: &Answer) -> Vec<(String, String)> {
    let heads = [answer.trailers.as_ref(), Some(&answer.headers)];
    let mut heads = heads.into_iter().flatten();
    let status = heads.find_map(tonic::Status::from_header_map).unwrap();
    let status = Status::decode(status.details()).unwrap();
    let bad_request = status
        .details
        .into_iter()
        .find(|detail| detail.type_url == "type.googleapis.com/google.rpc.BadRequest");
    let bad_request = BadRequest::decode(bad_request.unwrap().value.as_slice()).unwrap();
    let violations = bad_request.violations.into_iter();
    violations
        .map(|violation| (violation.field, violation.description))
        .collect()
}

/// `google.rpc.Status`, as far as it is looked at.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<apibase::prost_types::Any>,
}

/// `google.rpc.BadRequest`.
#[derive(Clone, PartialEq, prost::Message)]
struct BadRequest {
    #[prost(message, repeated, tag = "1")]
    violations: Vec<FieldViolation>,
}

/// `google.rpc.BadRequest.FieldViolation`.
#[derive(Clone, PartialEq, prost::Message)]
struct FieldViolation {
    #[prost(string, tag = "1")]
    field: String,
    #[prost(string, tag = "2")]
    description: String,
}
