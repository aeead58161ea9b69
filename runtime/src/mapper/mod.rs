//! [`ProtobufMapper`]: between the types of a domain and the messages on the wire.
//!
//! Generated code names a mapper for each entity and for each of its fields; they are all of this
//! one trait, and those with a type parameter make a mapper of another one: `Optional<UuidText>`.

mod bytes;
mod change;
mod collections;
mod empty;
mod enums;
mod error;
mod fields;
mod gather;
mod google;
mod grade;
mod integers;
#[cfg(feature = "json")]
mod json;
mod lists;
mod maps;
mod mask;
mod plain;
mod presence;
mod shapes;
mod streams;
#[cfg(test)]
mod tests;
mod text;
mod time;

use futures_core::Stream;

#[cfg(feature = "uuid")]
pub use self::bytes::UuidBytes;
pub use self::bytes::{ByteArray, BytesBuffer};
pub use self::change::{Change, Changed, Clearable, NestedChange};
pub use self::collections::{BTreeSetOf, HashSetOf, Repeated};
pub use self::empty::IsEmpty;
#[cfg(feature = "testing")]
pub(crate) use self::enums::is_unknown;
pub use self::enums::{Fallback, Keep, Open, OptionalEnum, ProstEnum, ZeroIsNone};
pub use self::error::{MapError, Unmappable, Violation, ViolationKind};
pub use self::fields::{Fields, Redacted, from, into, to, unknown_enum_value, within};
#[cfg(feature = "decimal")]
pub use self::google::decimal_text;
#[cfg(feature = "testing")]
pub use self::google::samples;
pub use self::google::{LatLng, Money, lat_lng, lat_lng_parts, money, money_parts};
#[cfg(feature = "chrono")]
pub use self::google::{chrono_date, chrono_date_parts};
#[cfg(feature = "jiff")]
pub use self::google::{jiff_date, jiff_date_parts};
#[cfg(feature = "time")]
pub use self::google::{time_date, time_date_parts};
pub use self::grade::Grade;
pub use self::integers::{AnyInteger, Integer, Narrow};
#[cfg(feature = "json")]
pub use self::json::{JsonList, JsonStruct, JsonText, JsonValue};
pub use self::maps::{BTreeMapOf, HashMapOf, MapKey, MapOf, MapType, SortedMapOf};
pub use self::mask::{Mask, MaskBuilder, MaskField, Selection};
pub use self::plain::{Plain, plain};
pub use self::presence::{AbsentIfEmpty, NonEmpty, Optional, Required};
pub use self::shapes::{Boxed, Newtype, NotZero, Same, Sensitive};
pub use self::streams::{EntityStream, ProtoStream};
#[cfg(feature = "decimal")]
pub use self::text::DecimalText;
pub use self::text::IpText;
#[cfg(feature = "url")]
pub use self::text::UrlText;
#[cfg(feature = "uuid")]
pub use self::text::UuidText;
#[cfg(feature = "chrono")]
pub use self::time::{ChronoDuration, ChronoTimestamp};
#[cfg(feature = "jiff")]
pub use self::time::{JiffDuration, JiffTimestamp};
pub use self::time::{StdDuration, SystemTimestamp};
#[cfg(feature = "time")]
pub use self::time::{TimeDuration, TimeTimestamp};

/// Maps entities to messages and back; the specification's `ProtobufMapper`.
///
/// The generator writes one for each entity, `ItemMapper` for `Item`. A type of one's own that
/// implements it is named in the generator's configuration (`with`), for a field or a whole
/// message.
///
/// What it promises, where its [`GRADE`](Self::GRADE) is not lossy: an entity that became a message
/// comes back as it was, but for −0.0, which is 0.0. An entity that a message can't say is an error,
/// never changed in silence. Nothing panics, whatever a message holds.
///
/// ```
/// use std::convert::Infallible;
/// use apibase::{Grade, MapError, ProtobufMapper, ViolationKind};
///
/// /// A percentage in an `int32`.
/// struct Percent;
///
/// impl ProtobufMapper for Percent {
///     type Entity = u8;
///     type Proto = i32;
///     type EncodeError = Infallible;
///     const GRADE: Grade = Grade::Injective;
///
///     fn to_proto(entity: &u8) -> Result<i32, Infallible> {
///         Ok(i32::from(*entity))
///     }
///     fn into_proto(entity: u8) -> Result<i32, Infallible> {
///         Ok(i32::from(entity))
///     }
///     fn from_proto(proto: i32) -> Result<u8, MapError> {
///         match u8::try_from(proto) {
///             Ok(percent @ 0..=100) => Ok(percent),
///             _ => Err(MapError::new(ViolationKind::OutOfRange, "must be from 0 to 100")),
///         }
///     }
/// }
///
/// assert_eq!(Percent::from_proto(70).unwrap(), 70);
/// assert_eq!(Percent::from_proto(101).unwrap_err().to_string(), "must be from 0 to 100");
/// ```
pub trait ProtobufMapper {
    /// The type of the domain.
    type Entity;

    /// The message, or what a message's field holds.
    type Proto;

    /// [`Infallible`](std::convert::Infallible) where a message can say every entity, else
    /// [`MapError`].
    type EncodeError: Unmappable;

    /// What survives the way to the wire and back.
    const GRADE: Grade;

    /// The message of an entity that stays.
    ///
    /// # Errors
    ///
    /// When a message can't say what the entity holds; with its path.
    fn to_proto(entity: &Self::Entity) -> Result<Self::Proto, Self::EncodeError>;

    /// The message of an entity that goes: texts and lists are moved, not copied.
    ///
    /// # Errors
    ///
    /// As [`to_proto`](Self::to_proto).
    fn into_proto(entity: Self::Entity) -> Result<Self::Proto, Self::EncodeError>;

    /// The entity of a message.
    ///
    /// # Errors
    ///
    /// When a field is missing or wrong; all of them together, each with its path.
    fn from_proto(proto: Self::Proto) -> Result<Self::Entity, MapError>;

    /// The messages of a list that stays.
    ///
    /// # Errors
    ///
    /// The first entity that a message can't say, with its place: `[3].price`.
    #[inline]
    fn to_proto_list(entities: &[Self::Entity]) -> Result<Vec<Self::Proto>, Self::EncodeError>
    where
        Self: Sized,
    {
        lists::to_protos::<Self>(entities.iter())
    }

    /// The messages of a list that goes.
    ///
    /// # Errors
    ///
    /// As [`to_proto_list`](Self::to_proto_list).
    #[inline]
    fn into_proto_list(entities: Vec<Self::Entity>) -> Result<Vec<Self::Proto>, Self::EncodeError>
    where
        Self: Sized,
    {
        lists::list_into_protos::<Self>(entities)
    }

    /// The entities of a list of messages.
    ///
    /// # Errors
    ///
    /// When any message is wrong; all that is wrong with all of them, each with its path:
    /// `[3].price`.
    #[inline]
    fn from_proto_list(protos: Vec<Self::Proto>) -> Result<Vec<Self::Entity>, MapError>
    where
        Self: Sized,
    {
        lists::from_protos::<Self>(protos)
    }

    /// The messages of a stream of entities. One that a message can't say is its item's error, and
    /// the stream goes on.
    #[inline]
    fn to_proto_stream<S: Stream<Item = Self::Entity>>(entities: S) -> ProtoStream<Self, S>
    where
        Self: Sized,
    {
        ProtoStream::new(entities)
    }

    /// The entities of a stream of messages. One that is wrong is its item's error, and the stream
    /// goes on.
    #[inline]
    fn from_proto_stream<S: Stream<Item = Self::Proto>>(protos: S) -> EntityStream<Self, S>
    where
        Self: Sized,
    {
        EntityStream::new(protos)
    }
}
