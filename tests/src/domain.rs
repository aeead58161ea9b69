//! Types and mappers that a user would have: the fixture `entity_own_types` names them in its
//! parameters.

use std::convert::Infallible;
use std::fmt;

use apibase::{Grade, MapError, ProtobufMapper, Unmappable as _, ViolationKind};

use crate::entity_own_types::entity_own_types as proto;

/// A customer, for `entity=…Customer=crate::domain::Customer`.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    /// The number.
    pub id: CustomerId,
    /// The name.
    pub name: Name,
    /// How good the customer is.
    pub tier: Tier,
    /// How the customer is reached.
    pub contact: Option<Contact>,
    /// What the customer owes, in hundredths.
    pub balance: i64,
    /// What the customer has paid, in hundredths.
    pub payments: Vec<i64>,
    /// Where the customer lives.
    pub home: Option<Point>,
    /// Where the customer works.
    pub office: Point,
    /// Who sent the customer.
    pub referrer: Option<Box<Customer>>,
    /// From which hour to which the customer is there.
    pub opening: Option<(u8, u8)>,
    /// How often the customer was here. No message says so: `extra=…Customer=visits=0`.
    pub visits: u32,
}

/// A customer's number, for `kind=customer-id=crate::domain::CustomerId`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CustomerId(u64);

/// A name that isn't empty, for `newtype=…Customer.name=crate::domain::Name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// How good a customer is, for `entity=…Tier=crate::domain::Tier`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// As any.
    Plain,
    /// A good one.
    Gold,
}

/// How a customer is reached, for `entity=…Customer.contact=crate::domain::Contact`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// By mail.
    Email(String),
    /// By phone.
    Phone(String),
}

/// A point with a name for each of its numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the east.
    pub east: f64,
    /// To the north.
    pub north: f64,
}

/// Why a text is no number or name of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// Maps `12.34` to 1234, for `with=…Customer.balance=crate::domain::Cents`.
#[derive(Clone, Copy, Debug)]
pub struct Cents;

/// Maps a whole message, for `with=…Point=crate::domain::PointMapper`.
#[derive(Clone, Copy, Debug)]
pub struct PointMapper;

/// Maps a whole message to a pair, for `with=…Span=crate::domain::SpanMapper`.
#[derive(Clone, Copy, Debug)]
pub struct SpanMapper;

impl TryFrom<String> for CustomerId {
    type Error = Refused;

    fn try_from(text: String) -> Result<Self, Refused> {
        let digits = text.strip_prefix("C-").ok_or(Refused)?;
        let canonical = digits == "0" || !digits.starts_with(['0', '+']);
        let number = digits.parse().ok().filter(|_| canonical);
        number.map(Self).ok_or(Refused)
    }
}

impl From<CustomerId> for String {
    fn from(id: CustomerId) -> Self {
        format!("C-{}", id.0)
    }
}

impl CustomerId {
    /// The customer with this number.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }
}

impl TryFrom<String> for Name {
    type Error = Refused;

    fn try_from(text: String) -> Result<Self, Refused> {
        if text.is_empty() {
            Err(Refused)
        } else {
            Ok(Self(text))
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl ProtobufMapper for Cents {
    type Entity = i64;
    type Proto = String;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    fn to_proto(entity: &i64) -> Result<String, MapError> {
        if *entity < 0 {
            return Err(MapError::new(
                ViolationKind::OutOfRange,
                "must not be negative",
            ));
        }
        Ok(format!("{}.{:02}", entity / 100, entity % 100))
    }

    fn into_proto(entity: i64) -> Result<String, MapError> {
        Self::to_proto(&entity)
    }

    fn from_proto(proto: String) -> Result<i64, MapError> {
        let malformed = || MapError::new(ViolationKind::Malformed, "is not an amount");
        let (whole, cents) = proto.split_once('.').ok_or_else(malformed)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| malformed());
        let (whole, hundredths) = (number(whole)?, number(cents)?);
        if cents.len() == 2 {
            Ok(i64::from(whole) * 100 + i64::from(hundredths))
        } else {
            Err(malformed())
        }
    }
}

impl ProtobufMapper for PointMapper {
    type Entity = Point;
    type Proto = proto::Point;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    fn to_proto(entity: &Point) -> Result<proto::Point, MapError> {
        let Point { east, north } = *entity;
        if !east.is_finite() {
            return Err(MapError::new(ViolationKind::OutOfRange, "must be finite").at("x"));
        }
        Ok(proto::Point { x: east, y: north })
    }

    fn into_proto(entity: Point) -> Result<proto::Point, MapError> {
        Self::to_proto(&entity)
    }

    fn from_proto(proto: proto::Point) -> Result<Point, MapError> {
        let proto::Point { x, y } = proto;
        if !x.is_finite() {
            return Err(MapError::new(ViolationKind::OutOfRange, "must be finite").at("x"));
        }
        Ok(Point { east: x, north: y })
    }
}

impl ProtobufMapper for SpanMapper {
    type Entity = (u8, u8);
    type Proto = proto::Span;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Injective;

    fn to_proto(entity: &(u8, u8)) -> Result<proto::Span, Infallible> {
        Self::into_proto(*entity)
    }

    fn into_proto((from, to): (u8, u8)) -> Result<proto::Span, Infallible> {
        Ok(proto::Span {
            from: from.into(),
            to: to.into(),
        })
    }

    fn from_proto(proto: proto::Span) -> Result<(u8, u8), MapError> {
        let proto::Span { from, to } = proto;
        match (u8::try_from(from), u8::try_from(to)) {
            (Ok(from), Ok(to @ 0..=24)) if from <= to => Ok((from, to)),
            _ => Err(MapError::new(ViolationKind::OutOfRange, "is no span of a day").at("to")),
        }
    }
}
