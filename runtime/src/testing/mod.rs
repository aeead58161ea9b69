//! The laws of mappers, for property tests: feature `testing`.
//!
//! [`Lawful`] gives values to try a mapper with, and [`laws`] are what must hold of it. All mappers
//! of this crate are lawful; those of entities are when the generator was asked for their laws. A
//! mapper of one's own that stands inside of an entity has to be lawful too:
//!
//! ```
//! use apibase::ProtobufMapper;
//! use apibase::testing::proptest::prelude::{BoxedStrategy, Strategy};
//! use apibase::testing::{Lawful, Located, laws};
//! # use std::convert::Infallible;
//! # use apibase::{Grade, MapError, ViolationKind};
//! #
//! # struct Percent;
//! #
//! # impl ProtobufMapper for Percent {
//! #     type Entity = u8;
//! #     type Proto = i32;
//! #     type EncodeError = Infallible;
//! #     const GRADE: Grade = Grade::Injective;
//! #
//! #     fn to_proto(entity: &u8) -> Result<i32, Infallible> {
//! #         Ok(i32::from(*entity))
//! #     }
//! #     fn into_proto(entity: u8) -> Result<i32, Infallible> {
//! #         Ok(i32::from(entity))
//! #     }
//! #     fn from_proto(proto: i32) -> Result<u8, MapError> {
//! #         match u8::try_from(proto) {
//! #             Ok(percent @ 0..=100) => Ok(percent),
//! #             _ => Err(MapError::new(ViolationKind::OutOfRange, "must be from 0 to 100")),
//! #         }
//! #     }
//! # }
//!
//! impl Lawful for Percent {
//!     fn entities(_depth: u32) -> BoxedStrategy<u8> {
//!         (0..=100_u8).boxed()
//!     }
//!     fn protos(_depth: u32) -> BoxedStrategy<i32> {
//!         (0..=100).boxed()
//!     }
//!     fn corrupted(_depth: u32) -> Option<Located<i32>> {
//!         Some((101..).prop_map(|wrong| (wrong, String::new())).boxed())
//!     }
//!     fn same(a: &u8, b: &u8) -> bool {
//!         a == b
//!     }
//!     fn same_proto(a: &i32, b: &i32) -> bool {
//!         a == b
//!     }
//! }
//!
//! laws::field::<Percent>();
//! ```

mod fakes;
mod faults;
mod generated;
mod in_process;
mod lawful;
pub mod laws;
mod parts;
#[cfg(test)]
mod tests;
mod values;

use std::fmt;

use proptest::strategy::BoxedStrategy;

pub use proptest;

pub use self::fakes::{
    FakeBidi, FakeCall, FakeClientStream, FakeMethod, FakeReplies, FakeRequests, FakeServerStream,
    FakeUnary, Many, One,
};
pub use self::faults::{Counts, Fault, Faults, FaultyBody, SeenAttempt};
pub use self::generated::{broken_oneof, one_of, proto_of, wrapped};
pub use self::in_process::{InProcess, InProcessBody};
pub use self::lawful::unknown_numbers;
pub use self::parts::{any_of, at, broken, sampled};
pub use self::values::Value;
use crate::mapper::ProtobufMapper;

/// Values with something wrong in them, each with its path: `items[3].price`, or the empty text for
/// the value itself.
pub type Located<T> = BoxedStrategy<(T, String)>;

/// A mapper and the values that its laws are tried with.
///
/// `depth` is how many optional values, lists and maps may stand in one another: at 0 they are all
/// empty, so that a message that holds itself comes to an end. The shapes of this crate count it
/// down; others pass it on.
pub trait Lawful:
    ProtobufMapper<Entity: fmt::Debug + 'static, Proto: Clone + fmt::Debug + 'static> + 'static
{
    /// Entities that a message can say, those at the edges among them.
    fn entities(depth: u32) -> BoxedStrategy<Self::Entity>;

    /// Entities that no message can say, with the path of the error. None where there are none.
    fn unmappable(depth: u32) -> Option<Located<Self::Entity>> {
        let _ = depth;
        None
    }

    /// Messages that are entities, also such as another sender might write: a UUID in upper case.
    fn protos(depth: u32) -> BoxedStrategy<Self::Proto>;

    /// Messages with one thing wrong, and its path. None where nothing can be.
    fn corrupted(depth: u32) -> Option<Located<Self::Proto>>;

    /// Whether two entities are equal in the normal form: NaN is equal by its bits, −0.0 is 0.0.
    fn same(a: &Self::Entity, b: &Self::Entity) -> bool;

    /// Whether two messages are.
    fn same_proto(a: &Self::Proto, b: &Self::Proto) -> bool;
}
