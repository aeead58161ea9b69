//! `google.protobuf.Empty` and the wrappers are plain values of Rust, in every position of the four
//! kinds, and arrive as what they were.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use apibase::{Context, DomainError, Inbound, Interceptors, Streamed};
use apibase_tests::well_known::well_known::api;
use futures_util::{TryStreamExt, stream};

/// A value that is not its type's default, so that it has to travel.
trait Sample: Clone + PartialEq + std::fmt::Debug {
    fn sample() -> Self;
}

macro_rules! samples {
    ($($type:ty = $value:expr;)*) => {
        $(impl Sample for $type {
            fn sample() -> Self {
                $value
            }
        })*
    };
}

samples! {
    () = ();
    bool = true;
    Vec<u8> = vec![0, 1, 255];
    f64 = -0.5;
    f32 = 1.5;
    i32 = -3;
    i64 = i64::MIN;
    String = "text".to_owned();
    u32 = u32::MAX;
    u64 = u64::MAX;
}

/// Each stream has three: a value, a default, which is a message without a byte, and a value.
fn samples<T: Sample + Default>() -> [T; 3] {
    [T::sample(), T::default(), T::sample()]
}

/// Hands the methods of all four services to `$then`, each with its types.
macro_rules! methods {
    ($then:ident) => {
        $then! {
            empty: () => bool;
            bool: bool => Vec<u8>;
            bytes: Vec<u8> => f64;
            double: f64 => f32;
            float: f32 => i32;
            int32: i32 => i64;
            int64: i64 => String;
            string: String => u32;
            u_int32: u32 => u64;
            u_int64: u64 => ();
        }
    };
}

struct Values;

macro_rules! servicers {
    ($($name:ident: $request:ty => $response:ty);*;) => {
        impl api::UnaryServicer for Values {
            $(async fn $name(&self, _: &Context, request: $request) -> Result<$response, DomainError> {
                assert_eq!(request, <$request>::sample());
                Ok(<$response>::sample())
            })*
        }

        impl api::ServerStreamServicer for Values {
            $(async fn $name(
                &self,
                _: &Context,
                request: $request,
            ) -> Result<Streamed<$response, DomainError>, DomainError> {
                assert_eq!(request, <$request>::sample());
                Ok(Streamed::from_iter(samples::<$response>().map(Ok)))
            })*
        }

        impl api::ClientStreamServicer for Values {
            $(async fn $name(
                &self,
                _: &Context,
                requests: Inbound<$request>,
            ) -> Result<$response, DomainError> {
                let requests: Vec<_> = requests.try_collect().await.unwrap();
                assert_eq!(requests, samples::<$request>());
                Ok(<$response>::sample())
            })*
        }

        impl api::BidiServicer for Values {
            $(async fn $name(
                &self,
                _: &Context,
                requests: Inbound<$request>,
            ) -> Result<Streamed<$response, DomainError>, DomainError> {
                let requests: Vec<_> = requests.try_collect().await.unwrap();
                assert_eq!(requests, samples::<$request>());
                Ok(Streamed::from_iter(samples::<$response>().map(Ok)))
            })*
        }
    };
}

methods!(servicers);

#[tokio::test]
async fn empty_and_wrappers_are_values_in_unary_methods() {
    let service = api::UnaryServiceServer::new(Values).into_service(Interceptors::none());
    let client = api::UnaryServiceClient::new(service.unwrap());
    let ctx = Context::background();
    macro_rules! calls {
        ($($name:ident: $request:ty => $response:ty);*;) => {
            $(
                let response = client.$name(&ctx, <$request>::sample()).await.unwrap();
                assert_eq!(response, <$response>::sample());
            )*
        };
    }
    methods!(calls);
}

#[tokio::test]
async fn empty_and_wrappers_are_values_in_server_streams() {
    let service = api::ServerStreamServiceServer::new(Values).into_service(Interceptors::none());
    let client = api::ServerStreamServiceClient::new(service.unwrap());
    let ctx = Context::background();
    macro_rules! calls {
        ($($name:ident: $request:ty => $response:ty);*;) => {
            $(
                let replies = client.$name(&ctx, <$request>::sample()).await.unwrap();
                let replies: Vec<$response> = replies.try_collect().await.unwrap();
                assert_eq!(replies, samples::<$response>());
            )*
        };
    }
    methods!(calls);
}

#[tokio::test]
async fn empty_and_wrappers_are_values_in_client_streams() {
    let service = api::ClientStreamServiceServer::new(Values).into_service(Interceptors::none());
    let client = api::ClientStreamServiceClient::new(service.unwrap());
    let ctx = Context::background();
    macro_rules! calls {
        ($($name:ident: $request:ty => $response:ty);*;) => {
            $(
                let requests = stream::iter(samples::<$request>());
                let response = client.$name(&ctx, requests).await.unwrap();
                assert_eq!(response, <$response>::sample());
            )*
        };
    }
    methods!(calls);
}

#[tokio::test]
async fn empty_and_wrappers_are_values_in_both_streams() {
    let service = api::BidiServiceServer::new(Values).into_service(Interceptors::none());
    let client = api::BidiServiceClient::new(service.unwrap());
    let ctx = Context::background();
    macro_rules! calls {
        ($($name:ident: $request:ty => $response:ty);*;) => {
            $(
                let requests = stream::iter(samples::<$request>());
                let replies = client.$name(&ctx, requests).await.unwrap();
                let replies: Vec<$response> = replies.try_collect().await.unwrap();
                assert_eq!(replies, samples::<$response>());
            )*
        };
    }
    methods!(calls);
}
