//! The messages of `apibase/v1/options.proto`, field by field. A test holds the two together.
//!
//! What a field means stands in the proto; here is what reading it gives.

use prost::{Enumeration, Message};
use prost_types::Duration;

/// `apibase.v1.FileRule`: what holds for a whole file.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FileRule {
    /// Every message of the file is an entity, but for those that say `skip`.
    #[prost(bool, tag = "1")]
    pub(crate) entities: bool,
}

/// `apibase.v1.ServiceRule`: what holds for all methods of a service that don't say otherwise.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ServiceRule {
    /// How long a call may take when neither the caller nor the method says.
    #[prost(message, optional, tag = "1")]
    pub(crate) deadline: Option<Duration>,
    /// The full name of the enum that is the service's error catalogue; empty for none.
    #[prost(string, tag = "2")]
    pub(crate) errors: String,
    /// When clients stop calling for a while.
    #[prost(message, optional, tag = "3")]
    pub(crate) breaker: Option<Breaker>,
    /// When clients stop retrying.
    #[prost(message, optional, tag = "4")]
    pub(crate) retry_throttle: Option<RetryThrottle>,
    /// Who may call.
    #[prost(message, optional, tag = "5")]
    pub(crate) auth: Option<Auth>,
}

/// `apibase.v1.MethodRule`: the policy of a method.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MethodRule {
    /// How long a call may take when the caller doesn't say.
    #[prost(message, optional, tag = "1")]
    pub(crate) deadline: Option<Duration>,
    /// How long the server works on a call at most.
    #[prost(message, optional, tag = "2")]
    pub(crate) deadline_cap: Option<Duration>,
    /// When a client sends the request again.
    #[prost(message, optional, tag = "3")]
    pub(crate) retry: Option<Retry>,
    /// When a client sends the request again before it has an answer.
    #[prost(message, optional, tag = "4")]
    pub(crate) hedging: Option<Hedging>,
    /// The errors of the service's catalogue that it fails with, without the enum's prefix.
    #[prost(string, repeated, tag = "5")]
    pub(crate) errors: Vec<String>,
    /// Who may call.
    #[prost(message, optional, tag = "6")]
    pub(crate) auth: Option<Auth>,
    /// How often it may be called.
    #[prost(message, optional, tag = "7")]
    pub(crate) rate_limit: Option<RateLimit>,
    /// The work goes on when the caller has gone.
    #[prost(bool, tag = "8")]
    pub(crate) detached: bool,
    /// When clients stop calling it for a while.
    #[prost(message, optional, tag = "9")]
    pub(crate) breaker: Option<Breaker>,
    /// What its service says of a deadline isn't for it.
    #[prost(bool, tag = "10")]
    pub(crate) no_deadline: bool,
}

/// `apibase.v1.Retry`: when a client sends a request again (gRFC A6).
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Retry {
    /// How often it is sent at most, the first time included.
    #[prost(uint32, tag = "1")]
    pub(crate) max_attempts: u32,
    /// The wait before the second attempt.
    #[prost(message, optional, tag = "2")]
    pub(crate) initial_backoff: Option<Duration>,
    /// The longest wait.
    #[prost(message, optional, tag = "3")]
    pub(crate) max_backoff: Option<Duration>,
    /// How much longer each wait is than the one before.
    #[prost(double, tag = "4")]
    pub(crate) backoff_multiplier: f64,
    /// The codes that are tried again; UNAVAILABLE alone when empty.
    #[prost(enumeration = "Code", repeated, tag = "5")]
    pub(crate) codes: Vec<i32>,
    /// Gives up an attempt after this time.
    #[prost(message, optional, tag = "6")]
    pub(crate) attempt_timeout: Option<Duration>,
}

/// `apibase.v1.Hedging`: when a client sends a request again before it has an answer (gRFC A6).
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Hedging {
    /// How often it is sent at most, the first time included.
    #[prost(uint32, tag = "1")]
    pub(crate) max_attempts: u32,
    /// The wait before each further attempt.
    #[prost(message, optional, tag = "2")]
    pub(crate) delay: Option<Duration>,
    /// The codes after which the other attempts go on.
    #[prost(enumeration = "Code", repeated, tag = "3")]
    pub(crate) non_fatal_codes: Vec<i32>,
}

/// `apibase.v1.RetryThrottle`: when clients stop retrying (gRFC A6).
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RetryThrottle {
    /// More than 0, at most 1000.
    #[prost(double, tag = "1")]
    pub(crate) max_tokens: f64,
    /// More than 0.
    #[prost(double, tag = "2")]
    pub(crate) token_ratio: f64,
}

/// `apibase.v1.Breaker`: when clients stop calling for a while.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Breaker {
    /// It opens after this many failures in a row.
    #[prost(uint32, tag = "1")]
    pub(crate) failure_threshold: u32,
    /// How long it stays open.
    #[prost(message, optional, tag = "2")]
    pub(crate) timeout: Option<Duration>,
    /// It opens when so large a part of the calls fails.
    #[prost(message, optional, tag = "3")]
    pub(crate) rate: Option<FailureRate>,
    /// How many calls it lets through at once to see; 0 for one.
    #[prost(uint32, tag = "4")]
    pub(crate) half_open_probes: u32,
}

/// `apibase.v1.FailureRate`: the part of the calls that fails when a breaker opens.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FailureRate {
    /// From 0.001 to 1.
    #[prost(double, tag = "1")]
    pub(crate) threshold: f64,
    /// It doesn't open while there are fewer calls; 0 for the client's own.
    #[prost(uint32, tag = "2")]
    pub(crate) minimum_calls: u32,
    /// The calls that ended within this time count.
    #[prost(message, optional, tag = "3")]
    pub(crate) window: Option<Duration>,
}

/// `apibase.v1.Auth`: who may call. One of the three.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Auth {
    /// A caller needs a valid token.
    #[prost(bool, tag = "1")]
    pub(crate) required: bool,
    /// Anybody may.
    #[prost(bool, tag = "2")]
    pub(crate) public: bool,
    /// A caller needs a valid token with all of these scopes.
    #[prost(string, repeated, tag = "3")]
    pub(crate) scopes: Vec<String>,
}

/// `apibase.v1.RateLimit`: how often a method may be called by one principal.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RateLimit {
    /// This many calls in each period.
    #[prost(uint32, tag = "1")]
    pub(crate) requests: u32,
    /// The period.
    #[prost(message, optional, tag = "2")]
    pub(crate) per: Option<Duration>,
    /// This many more at once, saved up while there were none.
    #[prost(uint32, tag = "3")]
    pub(crate) burst: u32,
}

/// `apibase.v1.EntityRule`: makes a message an entity.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct EntityRule {
    /// The name of the type; the message's own when empty.
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// This one is no entity, in a file whose messages are.
    #[prost(bool, tag = "2")]
    pub(crate) skip: bool,
    /// Nothing may be lost.
    #[prost(bool, tag = "3")]
    pub(crate) lossless: bool,
    /// There is also a patch type.
    #[prost(bool, tag = "4")]
    pub(crate) patch: bool,
    /// The message says what to change.
    #[prost(bool, tag = "5")]
    pub(crate) changes: bool,
}

/// `apibase.v1.FieldRule`: how a field of an entity is mapped.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct FieldRule {
    /// What the value is; read it with `format()`.
    #[prost(enumeration = "Format", tag = "1")]
    pub(crate) format: i32,
    /// Whether a value must be there; none when the proto doesn't say.
    #[prost(bool, optional, tag = "2")]
    pub(crate) required: Option<bool>,
    /// The name of the field in the entity; the field's own when empty.
    #[prost(string, tag = "3")]
    pub(crate) rename: String,
    /// The entity does not have the field.
    #[prost(bool, tag = "4")]
    pub(crate) ignore: bool,
    /// The value is a secret.
    #[prost(bool, tag = "5")]
    pub(crate) sensitive: bool,
    /// That a value may change on its way is known, and well.
    #[prost(bool, tag = "6")]
    pub(crate) lossy_ok: bool,
    /// A logical type that the configuration binds; empty for none.
    #[prost(string, tag = "7")]
    pub(crate) kind: String,
    /// The empty value means that there is none.
    #[prost(bool, tag = "8")]
    pub(crate) empty_is_absent: bool,
    /// What becomes of unknown numbers; read it with `unknown()`.
    #[prost(enumeration = "Unknown", tag = "9")]
    pub(crate) unknown: i32,
    /// With `Unknown::Fallback`: the name of the enum's value.
    #[prost(string, tag = "10")]
    pub(crate) fallback: String,
    /// The integer is not zero.
    #[prost(bool, tag = "11")]
    pub(crate) nonzero: bool,
    /// How many bytes there are; 0 when that isn't fixed.
    #[prost(uint32, tag = "12")]
    pub(crate) length: u32,
    /// A list without order and doubles.
    #[prost(bool, tag = "13")]
    pub(crate) set: bool,
    /// The fields of the message stand in the entity in place of it.
    #[prost(bool, tag = "14")]
    pub(crate) flatten: bool,
    /// The name of the field mask beside it; empty for none.
    #[prost(string, tag = "15")]
    pub(crate) mask: String,
    /// Set by the service.
    #[prost(bool, tag = "16")]
    pub(crate) output_only: bool,
    /// Never changes once it is set.
    #[prost(bool, tag = "17")]
    pub(crate) immutable: bool,
    /// Says which one the entity is.
    #[prost(bool, tag = "18")]
    pub(crate) identifier: bool,
}

/// `apibase.v1.OneofRule`: how a oneof of an entity is mapped.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct OneofRule {
    /// One of the fields must be set.
    #[prost(bool, tag = "1")]
    pub(crate) required: bool,
    /// The name of the type; the entity's and the oneof's when empty.
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    /// The name of the field in the entity; the oneof's own when empty.
    #[prost(string, tag = "3")]
    pub(crate) rename: String,
}

/// `apibase.v1.ErrorsRule`: makes an enum an error catalogue.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct ErrorsRule {
    /// The domain of `google.rpc.ErrorInfo`.
    #[prost(string, tag = "1")]
    pub(crate) domain: String,
}

/// `apibase.v1.ErrorRule`: an error of a catalogue.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ErrorRule {
    /// The code on the wire; read it with `code()`.
    #[prost(enumeration = "Code", tag = "1")]
    pub(crate) code: i32,
    /// The message, with the metadata's values in it.
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    /// The keys of the error's metadata.
    #[prost(string, repeated, tag = "3")]
    pub(crate) metadata: Vec<String>,
    /// Whether the same call may succeed later.
    #[prost(bool, tag = "4")]
    pub(crate) retryable: bool,
    /// How long to wait until then.
    #[prost(message, optional, tag = "5")]
    pub(crate) retry_delay: Option<Duration>,
    /// What callers are told in place of the message; empty for the message.
    #[prost(string, tag = "6")]
    pub(crate) public_message: String,
    /// Callers are told that something failed, and not what.
    #[prost(bool, tag = "7")]
    pub(crate) redacted: bool,
    /// The HTTP status; 0 for the code's own.
    #[prost(uint32, tag = "8")]
    pub(crate) http: u32,
}

/// `apibase.v1.FieldRule.Format`: what a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub(crate) enum Format {
    /// The field's own type.
    Unspecified = 0,
    /// A UUID, in a string or in bytes.
    Uuid = 1,
    /// A decimal number, in a string.
    Decimal = 2,
    /// An absolute URI, in a string.
    Uri = 3,
    /// An IPv4 or IPv6 address, in a string.
    Ip = 4,
    /// A JSON value, in a string.
    Json = 5,
    /// A shared buffer, in bytes.
    Buffer = 6,
    /// An integer of 8 bits.
    Int8 = 7,
    /// An integer of 16 bits.
    Int16 = 8,
    /// An integer of 32 bits.
    Int32 = 9,
    /// An integer of 64 bits.
    Int64 = 10,
    /// An unsigned integer of 8 bits.
    Uint8 = 11,
    /// An unsigned integer of 16 bits.
    Uint16 = 12,
    /// An unsigned integer of 32 bits.
    Uint32 = 13,
    /// An unsigned integer of 64 bits.
    Uint64 = 14,
    /// An unsigned integer as wide as an address.
    Size = 15,
}

/// `apibase.v1.FieldRule.Unknown`: what becomes of a number that the enum doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub(crate) enum Unknown {
    /// As [`Unknown::Reject`].
    Unspecified = 0,
    /// It is an error of the request.
    Reject = 1,
    /// The number is kept.
    Keep = 2,
    /// It is read as the value that `fallback` names.
    Fallback = 3,
}

/// `apibase.v1.ErrorRule.Code`: the codes of gRPC, with their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub(crate) enum Code {
    /// No code.
    Unspecified = 0,
    /// The operation was cancelled.
    Cancelled = 1,
    /// Nothing better is known.
    Unknown = 2,
    /// The request is wrong.
    InvalidArgument = 3,
    /// Time ran out.
    DeadlineExceeded = 4,
    /// What was asked for doesn't exist.
    NotFound = 5,
    /// What was to be made is there already.
    AlreadyExists = 6,
    /// Who calls is known, and may not.
    PermissionDenied = 7,
    /// A limit is reached.
    ResourceExhausted = 8,
    /// The system is not in the state that this needs.
    FailedPrecondition = 9,
    /// Another operation was in the way.
    Aborted = 10,
    /// Past the end of what there is.
    OutOfRange = 11,
    /// There is no such operation.
    Unimplemented = 12,
    /// Something that must hold doesn't.
    Internal = 13,
    /// It can't be done now; later it may.
    Unavailable = 14,
    /// Data is lost for good.
    DataLoss = 15,
    /// Who calls is not known.
    Unauthenticated = 16,
}
