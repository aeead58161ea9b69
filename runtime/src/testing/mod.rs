//! What tests of services and their clients need: feature `testing`.
//!
//! # Calls without a socket
//!
//! [`InProcess`] serves a servicer in the test's own process, with all that the wire does to a call.
//! [`Faults`] makes things go wrong on the way, and counts what passes. With `emit=fakes`, the generator
//! writes a servicer for each service that answers as a test says and remembers what it was asked; what
//! each of its methods can be told is at [`FakeMethod`].
//!
//! Nothing here waits for the network, so tests can run in virtual time: under
//! `#[tokio::test(start_paused = true)]` the clock stands still while anything runs, and jumps to the next
//! timer when nothing does. Deadlines, delays and backoffs of hours take no time, and tests can say to the
//! millisecond when something happens:
//!
//! ```ignore
//! use apibase::testing::{Fault, Faults, InProcess, SeenAttempt};
//!
//! // Where the test is another crate than the one with the services, else `include_fakes!()` beside
//! // `include_protos!()`.
//! apibase::include_fakes!(shop::protos);
//! use fakes::parcels::api::{FakeParcelService, ParcelServiceClient, ParcelServiceServer};
//!
//! #[tokio::test(start_paused = true)]
//! async fn an_idempotent_call_is_tried_again_until_it_is_answered() {
//!     // What the server answers, and what goes wrong on the way to it.
//!     let parcels = FakeParcelService::new();
//!     parcels.put().returns(parcel(1));
//!     let faults = Faults::new(InProcess::new(ParcelServiceServer::new(parcels.clone())));
//!     faults.next(Fault::lost()).next(Fault::code(Code::Unavailable));
//!     let client = ParcelServiceClient::new(faults.clone());
//!
//!     let started = Instant::now(); // tokio's
//!     client.put(&Context::background(), parcel(1)).await.unwrap();
//!     // The waits are 1 and 2 seconds, give or take a fifth.
//!     let waited = started.elapsed();
//!     assert!(waited >= Duration::from_millis(2400) && waited <= Duration::from_millis(3610));
//!     let attempts = faults.seen();
//!     let previous: Vec<_> = attempts.iter().map(SeenAttempt::previous_attempts).collect();
//!     assert_eq!(previous, [None, Some(1), Some(2)]);
//!     assert_eq!(parcels.put().count(), 1);
//! }
//! ```
//!
//! An error that a method doesn't declare fails the test: a fake refuses it where it is said, and
//! [`InProcess`] panics where the call is made.
//!
//! # The laws of mappers
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

/// Includes the fakes that `emit=fakes` wrote in the build script, as a module `fakes` in which each
/// package has its fakes, and all else that is in it.
///
/// It stands where [`include_protos!`](crate::include_protos) does, or anywhere else with the path of
/// the module that has the packages; in a test of the package whose build script it is, for example:
///
/// ```ignore
/// apibase::include_fakes!(items::protos);
/// use fakes::examples::api::{FakeItemService, InProcessItemService as _, ItemServiceClient};
/// ```
///
/// With a literal in front, or alone, it includes the file of that name, for a build script that has
/// several trees.
#[macro_export]
macro_rules! include_fakes {
    () => {
        $crate::include_fakes!("fakes.rs", super::super);
    };
    ($file:literal) => {
        $crate::include_fakes!($file, super::super);
    };
    ($file:literal, $($packages:tt)+) => {
        /// Fakes of services, for tests.
        #[allow(dead_code, reason = "a test uses a part of it")]
        pub mod fakes {
            mod __protos {
                #[allow(
                    unused_imports,
                    unreachable_pub,
                    reason = "it depends on where the tree is included, and there may be no package"
                )]
                pub use $($packages)+::*;
            }

            include!(concat!(env!("OUT_DIR"), "/", $file));
        }
    };
    ($($packages:tt)+) => {
        $crate::include_fakes!("fakes.rs", $($packages)+);
    };
}

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
