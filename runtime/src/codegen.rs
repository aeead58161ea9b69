//! All that generated code names. Not for people: it may change with the generator.

pub use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
pub use std::error::Error;
pub use std::fmt;
pub use std::future::Future;
pub use std::net::IpAddr;
pub use std::num::NonZero;
pub use std::time::{Duration, SystemTime};

pub use bytes::Bytes;
#[cfg(feature = "chrono")]
pub use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
pub use futures_core::Stream;
#[cfg(feature = "jiff")]
pub use jiff::{SignedDuration, Timestamp as JiffTimestamp, civil::Date as CivilDate};
pub use prost_types;
#[cfg(feature = "decimal")]
pub use rust_decimal::Decimal;
#[cfg(feature = "time")]
pub use time::{Date as TimeDate, Duration as TimeDuration, OffsetDateTime};
#[cfg(feature = "url")]
pub use url::Url;
#[cfg(feature = "uuid")]
pub use uuid::Uuid;

pub use crate::__into_domain as into_domain;
pub use crate::Code;
pub use crate::client::{
    CallError, CallOptions, Caller, Channel, ConnectError, Failure, Replies, Target, Transport,
};
pub use crate::context::Context;
pub use crate::errors::{
    DomainError, ErrorMetadata, ErrorParts, ErrorRow, ErrorTable, ServiceError,
};
pub use crate::interceptors::{ChainError, Interceptors};
pub use crate::mapper::{Change, LatLng, Money, NestedChange, Open, Redacted, plain};
pub use crate::method::Method;
pub use crate::policy::{BreakerPolicy, HedgingPolicy, RetryPolicy, RetryThrottle};
pub use crate::rate::RateLimit;
pub use crate::server::{Call, Dispatcher, Reply, Service, TowerService};
pub use crate::stream::{Inbound, Streamed};

/// One constant per surface that generated files were written against: a file that names one which
/// this runtime doesn't have fails to compile.
pub mod surface {
    /// The surface of 0.1.
    pub const R1: () = ();
}

/// JSON values.
#[cfg(feature = "json")]
pub mod json {
    pub use serde_json::{Map, Value};
}

/// The mappers that generated ones are made of.
pub mod map {
    pub use std::convert::Infallible;

    #[cfg(feature = "url")]
    pub use crate::mapper::UrlText;
    #[cfg(feature = "testing")]
    pub use crate::mapper::samples;
    pub use crate::mapper::{
        AbsentIfEmpty, AnyInteger, BTreeMapOf, BTreeSetOf, Boxed, ByteArray, BytesBuffer,
        EntityStream, Fallback, Fields, Grade, HashMapOf, HashSetOf, Integer, IpText, IsEmpty,
        Keep, MapError, MapKey, MapOf, MapType, Narrow, Newtype, NonEmpty, NotZero, Optional,
        OptionalEnum, Plain, ProstEnum, ProtoStream, ProtobufMapper, Repeated, Required, Same,
        Sensitive, SortedMapOf, Unmappable, Violation, ViolationKind, ZeroIsNone, from, into,
        plain, to, unknown_enum_value, within,
    };
    pub use crate::mapper::{
        Changed, Clearable, Mask, MaskBuilder, MaskField, Selection, StdDuration, SystemTimestamp,
        lat_lng, lat_lng_parts, money, money_parts,
    };
    #[cfg(feature = "chrono")]
    pub use crate::mapper::{ChronoDuration, ChronoTimestamp, chrono_date, chrono_date_parts};
    #[cfg(feature = "decimal")]
    pub use crate::mapper::{DecimalText, decimal_text};
    #[cfg(feature = "jiff")]
    pub use crate::mapper::{JiffDuration, JiffTimestamp, jiff_date, jiff_date_parts};
    #[cfg(feature = "json")]
    pub use crate::mapper::{JsonList, JsonStruct, JsonText, JsonValue};
    #[cfg(feature = "time")]
    pub use crate::mapper::{TimeDuration, TimeTimestamp, time_date, time_date_parts};
    #[cfg(feature = "uuid")]
    pub use crate::mapper::{UuidBytes, UuidText};
}
