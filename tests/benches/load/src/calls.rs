//! What is called: the bytes of each request.

use std::fmt;
use std::str::FromStr;

use bench_harness::{shop, token};

use crate::hpack;

/// How many messages a stream of a `SyncItems` call has, in each direction.
pub(crate) const SYNCED: usize = 1_000;
/// How many of them share a frame. One each would be frames so small that h2 counts them towards a flood,
/// and so many streams at once are cut off.
const SYNCED_IN_FRAME: usize = 10;

/// A call that every server of a comparison answers alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `GetItem`.
    Get,
    /// `ListItems`, a thousand of them.
    List,
    /// `SyncItems`: a thousand actions, sent as fast as they are taken, each answered.
    Sync,
    /// `CreateItem`, which takes a while.
    Create,
    /// `Check` of the server's health.
    Health,
    /// `GET /items/{id}` over HTTP/1.1, answered by JSON.
    Json,
}

impl Call {
    /// The call of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "get" => Some(Self::Get),
            "list" => Some(Self::List),
            "sync" => Some(Self::Sync),
            "create" => Some(Self::Create),
            "health" => Some(Self::Health),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Sync => "sync",
            Self::Create => "create",
            Self::Health => "health",
            Self::Json => "json",
        }
    }

    /// Messages in one answer.
    #[must_use]
    pub fn replies(self) -> usize {
        match self {
            Self::Get | Self::Create | Self::Health | Self::Json => 1,
            Self::List => shop::LISTED,
            Self::Sync => SYNCED,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::List => "/examples.ItemService/ListItems",
            Self::Sync => "/examples.ItemService/SyncItems",
            Self::Create => "/examples.ItemService/CreateItem",
            Self::Health => "/grpc.health.v1.Health/Check",
            Self::Get | Self::Json => "/examples.ItemService/GetItem",
        }
    }

    /// The frames of data of one call, each with what it holds.
    pub(crate) fn body(self) -> Vec<Vec<u8>> {
        match self {
            Self::Get | Self::Json => vec![message(&text_field(1, shop::ID))],
            Self::Create => vec![message(&text_field(1, shop::NAME))],
            Self::Health => vec![message(&[])],
            Self::List => vec![message(&int_field(1, shop::LISTED))],
            Self::Sync => {
                let frame = message(&text_field(2, shop::ID)).repeat(SYNCED_IN_FRAME);
                vec![frame; SYNCED / SYNCED_IN_FRAME]
            }
        }
    }
}

/// A call, and whether it comes with a token: `get`, `get+token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is called.
    pub call: Call,
    /// Whether it comes with [`TOKEN`](bench_harness::token::TOKEN).
    pub has_token: bool,
}

impl Request {
    /// The header blocks of the first call on a connection and of those after it.
    pub(crate) fn heads(self) -> (Vec<u8>, Vec<u8>) {
        hpack::heads(self.call.path(), self.has_token.then_some(token::TOKEN))
    }
}

impl From<Call> for Request {
    fn from(call: Call) -> Self {
        Self {
            call,
            has_token: false,
        }
    }
}

impl FromStr for Request {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, has_token) = match text.strip_suffix(WITH_TOKEN) {
            Some(name) => (name, true),
            None => (text, false),
        };
        let call = Call::named(name).ok_or(format!("{name} is no call: get, list or sync"))?;
        Ok(Self { call, has_token })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.call.name())?;
        f.write_str(if self.has_token { WITH_TOKEN } else { "" })
    }
}

/// Behind the name of a call that comes with a token.
const WITH_TOKEN: &str = "+token";

/// A request of HTTP/1.1 for the item.
pub(crate) fn json_request() -> Vec<u8> {
    format!(
        "GET /items/{} HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench/1\r\naccept: */*\r\n\r\n",
        shop::ID
    )
    .into_bytes()
}

/// A message in gRPC's frame.
fn message(message: &[u8]) -> Vec<u8> {
    bench_harness::frame(message).to_vec()
}

/// A field of protobuf that is a text of less than 128 bytes.
fn text_field(number: u8, text: &str) -> Vec<u8> {
    let mut field = vec![number << 3 | 2, text.len() as u8];
    field.extend_from_slice(text.as_bytes());
    field
}

/// A field of protobuf that is a number.
fn int_field(number: u8, mut value: usize) -> Vec<u8> {
    let mut field = vec![number << 3];
    while value >= 0x80 {
        field.push(value as u8 | 0x80);
        value >>= 7;
    }
    field.push(value as u8);
    field
}
