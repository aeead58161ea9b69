//! A service of parcels that fails as its requests ask, and all the ways in which its calls can fail.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use apibase::codegen::Transport;
use apibase::{CallError, Context, DomainError, Inbound, Interceptors, Server, Streamed};
use apibase_tests::errors_calls::errors_calls::Stored;
pub(crate) use apibase_tests::errors_calls::errors_calls::api::{
    Parcel, ParcelError, ParcelServiceClient, ParcelServiceServer, ParcelServicer,
};
use futures_util::{Stream, StreamExt, stream};
use uuid::Uuid;

use super::{Answer, RawClient, Running, frame, once, post_to, soon};

type Replies = Streamed<Parcel, ParcelError>;
type Make = Arc<dyn Fn() -> ParcelError + Send + Sync>;

/// Fails with the errors that it was given.
#[derive(Clone, Default)]
pub(crate) struct Depot(BTreeMap<String, Make>);

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The servicer returns the error.
    AtOnce,
    /// It is the first item of the stream that the servicer returns.
    First,
    /// It comes after two replies, or after two requests.
    Later,
}

/// How a call can fail: its method and when.
pub(crate) const WAYS: [(&str, When); 9] = [
    ("Put", When::AtOnce),
    ("Unpack", When::AtOnce),
    ("Unpack", When::First),
    ("Unpack", When::Later),
    ("PutAll", When::AtOnce),
    ("PutAll", When::Later),
    ("Weigh", When::AtOnce),
    ("Weigh", When::First),
    ("Weigh", When::Later),
];

/// A request that fails with the error of this name.
pub(crate) fn failing_parcel(name: &str, when: When) -> Parcel {
    Parcel {
        id: Uuid::from_u128(7),
        weight: match when {
            When::AtOnce => 0,
            When::First => 1,
            When::Later => 2,
        },
        fails: name.to_owned(),
    }
}

fn when(parcel: &Parcel) -> When {
    match parcel.weight {
        0 => When::AtOnce,
        1 => When::First,
        _ => When::Later,
    }
}

impl Depot {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// It, and an error that it fails with when it is asked for it by this name.
    pub(crate) fn with(self, name: impl Into<String>, error: impl Into<ParcelError>) -> Self {
        let error = error.into();
        self.making(name, move || error.clone())
    }

    /// It, and what makes the error of this name when it is asked for it, where that is wanted.
    pub(crate) fn making(
        mut self,
        name: impl Into<String>,
        make: impl Fn() -> ParcelError + Send + Sync + 'static,
    ) -> Self {
        self.0.insert(name.into(), Arc::new(make));
        self
    }

    pub(crate) async fn start(self) -> Running {
        self.start_with(Interceptors::none()).await
    }

    pub(crate) async fn start_with(self, chain: Interceptors) -> Running {
        let server = Server::new().add_servicer(ParcelServiceServer::new(self));
        Running::of(server.interceptors(chain)).await
    }

    fn error(&self, parcel: &Parcel) -> Make {
        let make = self.0.get(&parcel.fails).cloned();
        make.unwrap_or_else(|| Arc::new(|| DomainError::validation("no such error").into()))
    }

    /// What comes of `request`, after these replies.
    fn replies(
        &self,
        request: &Parcel,
        before: impl Stream<Item = Result<Parcel, ParcelError>> + Send + 'static,
    ) -> Result<Replies, ParcelError> {
        let error = self.error(request);
        let before = match when(request) {
            When::AtOnce => return Err(error()),
            When::First => before.take(0),
            When::Later => before.take(2),
        };
        let end = stream::once(async move { Err(error()) });
        Ok(Streamed::new(before.chain(end)))
    }
}

impl ParcelServicer for Depot {
    async fn put(&self, _: &Context, request: Parcel) -> Result<Parcel, ParcelError> {
        match &*request.fails {
            "" => Ok(request),
            _ => Err(self.error(&request)()),
        }
    }

    async fn unpack(&self, _: &Context, request: Parcel) -> Result<Replies, ParcelError> {
        self.replies(&request, stream::repeat(request.clone()).map(Ok))
    }

    async fn put_all(
        &self,
        _: &Context,
        mut requests: Inbound<Parcel>,
    ) -> Result<Stored, ParcelError> {
        let first = first(&mut requests).await?;
        if when(&first) == When::Later {
            for _ in 0..2 {
                requests.message().await?;
            }
        }
        Err(self.error(&first)())
    }

    async fn weigh(
        &self,
        _: &Context,
        mut requests: Inbound<Parcel>,
    ) -> Result<Replies, ParcelError> {
        let first = first(&mut requests).await?;
        self.replies(&first, requests.map(|request| Ok(request?)))
    }
}

async fn first(requests: &mut Inbound<Parcel>) -> Result<Parcel, ParcelError> {
    let first = requests.message().await?;
    first.ok_or_else(|| DomainError::validation("no request").into())
}

impl Running {
    /// A client of parcels.
    pub(crate) async fn parcels(&self) -> ParcelServiceClient {
        let channel = soon(once().connect(self.target())).await;
        ParcelServiceClient::new(channel.unwrap())
    }
}

/// How a call fails with the error of this name, after the replies that are to come before.
pub(crate) async fn fail<T: Transport>(
    client: &ParcelServiceClient<T>,
    ctx: &Context,
    name: &str,
    (method, when): (&str, When),
) -> CallError<ParcelError> {
    let request = failing_parcel(name, when);
    // The caller has not said that these are all.
    let requests = stream::iter(vec![request.clone(); 3]).chain(stream::pending());
    let replies = match method {
        "Put" => return soon(client.put(ctx, request)).await.unwrap_err(),
        "PutAll" => return soon(client.put_all(ctx, requests)).await.unwrap_err(),
        "Unpack" => soon(client.unpack(ctx, request)).await,
        _ => soon(client.weigh(ctx, requests)).await,
    };
    let mut replies = match (replies, when) {
        (Err(error), When::AtOnce | When::First) => return error,
        (Err(error), When::Later) => panic!("{method}: too early: {error}"),
        (Ok(replies), _) => replies,
    };
    let mut before = 0;
    loop {
        match soon(replies.message()).await {
            Ok(Some(_)) => before += 1,
            Ok(None) => panic!("{method}: a stream that failed looks like one that ended"),
            Err(error) => {
                assert_eq!(before, if when == When::Later { 2 } else { 0 }, "{method}");
                assert!(soon(replies.message()).await.unwrap().is_none(), "{method}");
                return error;
            }
        }
    }
}

/// The head of a call of this method.
pub(crate) fn post_parcel(method: &str) -> http::request::Builder {
    post_to(&format!("/errors_calls.ParcelService/{method}"))
}

/// What [`failing_parcel`] is on the wire.
pub(crate) fn parcel_frame(name: &str, when: When) -> bytes::Bytes {
    frame(&apibase_tests::errors_calls::errors_calls::Parcel::from(
        failing_parcel(name, when),
    ))
}

impl RawClient {
    /// The answer to a call that fails with the error of this name.
    pub(crate) async fn fail(
        &mut self,
        head: http::request::Builder,
        name: &str,
        (method, when): (&str, When),
    ) -> Answer {
        let frames = match method {
            "Put" | "Unpack" => 1,
            _ => 3,
        };
        let request = parcel_frame(name, when);
        self.call(head, std::iter::repeat_n(request, frames)).await
    }

    /// Puts a parcel as one should, on this connection, and gets what one should.
    pub(crate) async fn takes_parcels(&mut self) {
        let request = [parcel_frame("", When::AtOnce)];
        let answer = self.call(post_parcel("Put"), request).await;
        assert_eq!(answer.code(), apibase::Code::Ok, "{answer:?}");
        assert_eq!(answer.body, parcel_frame("", When::AtOnce));
    }
}

impl fmt::Debug for Depot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtOnce => "at once",
            Self::First => "as the first item",
            Self::Later => "in mid-stream",
        })
    }
}
