//! Schemas that trip generators: servicers and clients that people can write against them, run in
//! one process.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use apibase::{CallError, Context, DomainError, Inbound, Interceptors, Streamed};
use apibase_tests::deprecated::deprecated as old;
use apibase_tests::keywords::keyword::r#type::crate_::{Plain, plain};
use apibase_tests::keywords::keyword::r#type::r#fn as keyword;
use apibase_tests::prelude::prelude::nested;
use apibase_tests::rpc_names::rpc_names::{M, api as rpc_names};
use apibase_tests::services_only::services_only as alone;
use futures_util::stream;

type Outcome<T> = Result<T, DomainError>;

/// What a servicer answers with to show which of its functions ran.
fn ran<T>(function: &str) -> Outcome<T> {
    Err(DomainError::not_found(format!("<{function}>")))
}

/// The function that ran, by the error that came back.
fn which<T>(outcome: Result<T, CallError<DomainError>>) -> String {
    match outcome {
        Ok(_) => panic!("a call did not fail"),
        Err(error) => error.to_string(),
    }
}

/// A servicer whose unary methods all fail with their function's name, and what they are called.
macro_rules! unary {
    ($request:ty => $response:ty: $($function:ident)*) => {
        $(
            async fn $function(&self, _: &Context, _: $request) -> Outcome<$response> {
                ran(stringify!($function))
            }
        )*
    };
}

macro_rules! assert_reaches {
    ($client:ident, $request:expr, $($function:ident)*) => {
        $(
            let outcome = $client.$function(&Context::background(), $request).await;
            let error = which(outcome);
            let expected = concat!("<", stringify!($function), ">");
            assert!(error.contains(expected), "{expected}: {error}");
        )*
    };
}

struct Names;

impl rpc_names::NameServicer for Names {
    unary! { M => M:
        connect_ connect_lazy_ new_ with_ in_process_ drop_ into_ try_into_ from as_ref_
        from_text into_text to_text as_text is_good add next borrow deref call r#type caller
        dispatch into_service servicer name rpc unary unimplemented fmt
        eq request ctx options rt methods descriptors file_descriptor_set default poll type_id
        lower_case http_get2_xx x hidden
    }
    unary! { M => Streamed<M, DomainError>: to_owned_ }
    unary! { Inbound<M> => M: domain requests }
    unary! { Inbound<M> => Streamed<M, DomainError>: clone_ }
}

#[tokio::test]
async fn methods_named_like_the_layers_own_are_called() {
    let service = rpc_names::NameServiceServer::new(Names).into_service(Interceptors::none());
    let client = rpc_names::NameServiceClient::new(service.unwrap());
    assert_reaches! { client, M {},
        connect_ connect_lazy_ new_ with_ in_process_ drop_ into_ try_into_ from as_ref_
        from_text into_text to_text as_text is_good add next borrow deref call r#type caller
        dispatch into_service servicer name rpc unary unimplemented fmt
        eq request ctx options rt methods descriptors file_descriptor_set default poll type_id
        lower_case http_get2_xx x hidden to_owned_
    }
    assert_reaches! { client, stream::iter([M {}]), domain requests clone_ }
}

struct Keywords;

impl keyword::api::FnServicer for Keywords {
    unary! { keyword::Self_ => keyword::Self_:
        r#type super_ crate_ extern_ r#match r#try r#yield r#static r#const r#true union
        macro_rules i32
    }
    unary! { keyword::Self_ => keyword::self_::Super: self_ }
    unary! { keyword::Self_ => Plain: r#impl }
    unary! { plain::Type => keyword::Self_: r#box }
    unary! { keyword::Self_ => Streamed<keyword::Self_, DomainError>: r#async }
    unary! { Inbound<keyword::Self_> => keyword::Self_: r#await }
    unary! { Inbound<keyword::Self_> => Streamed<keyword::Self_, DomainError>: r#gen }
}

#[tokio::test]
async fn keyword_methods_are_called() {
    let service = keyword::api::FnServer::new(Keywords).into_service(Interceptors::none());
    let client = keyword::api::FnClient::new(service.unwrap());
    assert_reaches! { client, keyword::Self_::default(),
        r#type super_ crate_ extern_ r#match r#try r#yield r#static r#const r#true union
        macro_rules i32 self_ r#impl r#async
    }
    assert_reaches! { client, plain::Type {}, r#box }
    assert_reaches! { client, stream::iter([keyword::Self_::default()]), r#await r#gen }
}

/// A servicer in a module where every name of the prelude is a message.
mod shadowed {
    #[allow(
        unused_imports,
        reason = "it is what someone who imports a whole package gets"
    )]
    use apibase_tests::prelude::prelude::*;

    pub(super) struct Nested;

    impl super::nested::api::NestedServicer for Nested {
        async fn get(
            &self,
            _: &super::Context,
            request: super::nested::outer::Option,
        ) -> super::Outcome<super::nested::outer::String> {
            let text = request.string.unwrap_or_default();
            super::Outcome::Ok(super::nested::outer::String { text })
        }
    }
}

#[tokio::test]
async fn messages_named_like_the_prelude_are_served() {
    let server = nested::api::NestedServiceServer::new(shadowed::Nested);
    let service = server.into_service(Interceptors::none()).unwrap();
    let client = nested::api::NestedServiceClient::new(service);
    let request = nested::outer::Option {
        string: Some("text".to_owned()),
        option: None,
    };
    let response = client.get(&Context::background(), request).await.unwrap();
    assert_eq!(response.text, "text");
}

struct Alone;

impl alone::api::PingServicer for Alone {
    async fn ping(&self, _: &Context, _: alone::messages::Ping) -> Outcome<alone::messages::Pong> {
        Ok(alone::messages::Pong {})
    }
}

impl alone::nothing::api::IdleServicer for Alone {}

#[tokio::test]
async fn service_without_messages_of_its_own_is_served() {
    let server = alone::api::PingServiceServer::new(Alone);
    let service = server.into_service(Interceptors::none()).unwrap();
    let client = alone::api::PingServiceClient::new(service);
    let ctx = Context::background();
    let pong = client.ping(&ctx, alone::messages::Ping {}).await;
    assert_eq!(pong.unwrap(), alone::messages::Pong {});
    // One without methods is a service like any other.
    let idle = alone::nothing::api::IdleServiceServer::new(Alone);
    assert!(idle.into_service(Interceptors::none()).is_ok());
}

struct Old;

impl old::api::OldServicer for Old {
    unary! { old::Request => old::Response: good bad bad_without_comment }

    #[allow(deprecated, reason = "the message is")]
    async fn takes(&self, _: &Context, _: old::OldMessage) -> Outcome<old::old_message::Inner> {
        ran("takes")
    }

    #[allow(deprecated, reason = "the message is")]
    async fn bad_stream(
        &self,
        _: &Context,
        _: Inbound<old::OldMessage>,
    ) -> Outcome<Streamed<old::OldMessage, DomainError>> {
        ran("bad_stream")
    }
}

/// Only the caller of a deprecated method is warned: it can still be implemented and served.
#[tokio::test]
async fn deprecated_method_warns_its_caller_alone() {
    let service = old::api::OldServiceServer::new(Old).into_service(Interceptors::none());
    let client = old::api::OldServiceClient::new(service.unwrap());
    let request = old::Request::default();
    assert_reaches! { client, request.clone(), good }
    #[expect(
        deprecated,
        reason = "the proto says so; without the warning this fails"
    )]
    let outcome = client.bad(&Context::background(), request).await;
    assert!(which(outcome).contains("<bad>"));
}
