//! What can go wrong at which point of a call, and by which rule the call ends then.

mod frames;
mod peer;

use apibase::{Code, Kind};

pub(crate) use self::peer::Peer;

/// How far a call has come when something befalls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Point {
    /// The client has sent it, and the server has not read any of it.
    BeforeHead,
    /// The server has read the request's head.
    AfterHead,
    /// It has read the first of two requests.
    MidUpload,
    /// It has read all requests.
    AfterUpload,
    /// It has sent the head of its answer.
    Answered,
    /// It has sent a DATA frame: the first reply, or of the only one what stands before its bytes.
    BetweenData,
    /// It has sent a part of a reply.
    MidMessage,
    /// It has sent all replies, and no trailers.
    AfterLast,
    /// It has sent its trailers.
    AfterTrailers,
    /// It has sent all that it will, trailers and all, when it has read the first of two requests.
    AfterEarlyTrailers,
}

/// What befalls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its stream is reset.
    Reset(Reset),
    /// A GOAWAY frame comes with no error in it.
    Goodbye {
        last: Last,
        /// The connection closes right behind it.
        closes: bool,
    },
    /// The connection closes without a word.
    Closed,
}

/// With which reason a stream is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reset {
    Refused,
    Cancel,
    InternalError,
    NoError,
}

/// The last stream that a GOAWAY says was, or may be, processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// The one before this call's.
    Below,
    /// This call's.
    At,
    /// The highest there is: the first of two that a server sends which stops gracefully.
    Above,
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The replies that its caller gets, by their numbers.
    pub(crate) replies: Vec<u64>,
    pub(crate) code: Code,
    pub(crate) again: Again,
}

/// Whether and how it is sent a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    /// At once, and without its being counted (gRFC A6, "Transparent Retries").
    AtOnce,
    AfterBackoff,
}

impl Point {
    pub(crate) const ALL: [Self; 10] = [
        Self::BeforeHead,
        Self::AfterHead,
        Self::MidUpload,
        Self::AfterUpload,
        Self::Answered,
        Self::BetweenData,
        Self::MidMessage,
        Self::AfterLast,
        Self::AfterTrailers,
        Self::AfterEarlyTrailers,
    ];

    /// Whether calls of this kind come to it.
    pub(crate) fn is_in(self, kind: Kind) -> bool {
        let uploads = matches!(kind, Kind::ClientStream | Kind::Bidi);
        uploads || !matches!(self, Self::MidUpload | Self::AfterEarlyTrailers)
    }

    /// Whether the head of an answer is there.
    fn is_answered(self) -> bool {
        self >= Self::Answered
    }

    /// Whether the status is there, and with it the call's end.
    fn is_over(self) -> bool {
        self >= Self::AfterTrailers
    }
}

impl Fault {
    pub(crate) fn all() -> Vec<Self> {
        let resets = [
            Reset::Refused,
            Reset::Cancel,
            Reset::InternalError,
            Reset::NoError,
        ];
        let goodbyes = [Last::Below, Last::At, Last::Above].into_iter();
        let goodbyes =
            goodbyes.flat_map(|last| [false, true].map(|closes| Self::Goodbye { last, closes }));
        let resets = resets.into_iter().map(Self::Reset);
        resets.chain(goodbyes).chain([Self::Closed]).collect()
    }

    /// Whether it says that the call was never given to anybody (RFC 9113, 6.8 and 8.7).
    pub(crate) fn says_unprocessed(self) -> bool {
        match self {
            Self::Reset(reset) => reset == Reset::Refused,
            Self::Goodbye { last, .. } => last == Last::Below,
            Self::Closed => false,
        }
    }

    /// Whether it leaves the call to go on: it is about those that come after.
    fn spares_the_call(self) -> bool {
        matches!(
            self,
            Self::Goodbye {
                last: Last::At | Last::Above,
                closes: false
            }
        )
    }

    /// Whether calls need another connection from then on.
    pub(crate) fn takes_the_connection(self) -> bool {
        !matches!(self, Self::Reset(_))
    }

    /// Whether nothing more is read on the connection.
    pub(crate) fn closes(self) -> bool {
        matches!(self, Self::Closed | Self::Goodbye { closes: true, .. })
    }

    /// What it stands for (PROTOCOL-HTTP2.md, "HTTP2 Transport Mapping", "Errors").
    fn code(self) -> Code {
        match self {
            Self::Reset(Reset::Cancel) => Code::Cancelled,
            Self::Reset(Reset::InternalError | Reset::NoError) => Code::Internal,
            Self::Reset(Reset::Refused) | Self::Goodbye { .. } | Self::Closed => Code::Unavailable,
        }
    }
}

/// All replies that a call of this kind has.
pub(crate) fn all_replies(kind: Kind) -> Vec<u64> {
    match kind {
        Kind::Unary | Kind::ClientStream => vec![1],
        Kind::ServerStream | Kind::Bidi => vec![1, 2],
    }
}

/// What becomes of a call that meets `fault` at `point`, where another attempt would meet none.
///
/// gRFC A6, with the resilience rules 4 to 7 and 27: what the server says that it never saw is sent again
/// at once; what it may have acted on is sent again after the backoff if that does no harm; and what
/// an answer has begun for is committed. The one exception is a call with one request and one reply:
/// nobody has seen any of an answer that breaks off in it, and no memory goes into its request.
pub(crate) fn expected(point: Point, fault: Fault, kind: Kind, is_idempotent: bool) -> Expected {
    let success = |again| Expected {
        replies: all_replies(kind),
        code: Code::Ok,
        again,
    };
    if point.is_over() || fault.spares_the_call() {
        return success(Again::No);
    }
    // A server that has begun to answer has acted on the call, whatever it says then.
    if fault.says_unprocessed() && !point.is_answered() {
        return success(Again::AtOnce);
    }
    if is_idempotent && (!point.is_answered() || kind == Kind::Unary) {
        return success(Again::AfterBackoff);
    }
    let is_stream = matches!(kind, Kind::ServerStream | Kind::Bidi);
    Expected {
        // What was there before the fault is its caller's.
        replies: match point {
            Point::BetweenData | Point::MidMessage if is_stream => vec![1],
            Point::AfterLast if is_stream => vec![1, 2],
            _ => Vec::new(),
        },
        code: fault.code(),
        again: Again::No,
    }
}
