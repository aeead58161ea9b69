//! What must hold of a mapper.
//!
//! Each law is tried with 256 cases, or with as many as `PROPTEST_CASES` says, and fails as a test
//! does: by panicking, with the smallest case that was found.
//!
//! Values are compared in the normal form ([`Lawful::same`]). Of a mapper whose grade is
//! [`Lossy`](crate::Grade::Lossy) it is only asked that its values map, not that they come back.

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::{any, prop_oneof};
use proptest::sample::Index;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use proptest::{prop_assert, prop_assert_eq};
use prost::Message;

use super::Lawful;
use crate::mapper::{Grade, MapError, Violation};

/// How many optional values, lists and maps stand in one another at most.
const DEPTH: u32 = 3;

/// All laws of a message's mapper.
///
/// # Panics
///
/// When one doesn't hold.
pub fn all<M: Lawful<Proto: Message + Default>>() {
    field::<M>();
    bytes_round_trip::<M>();
    never_panics::<M>();
}

/// The laws of a mapper of anything, a field too: all but those about bytes.
///
/// # Panics
///
/// When one doesn't hold.
pub fn field<M: Lawful>() {
    entity_round_trip::<M>();
    message_round_trip::<M>();
    corruption_is_located::<M>();
    unmappable_is_located::<M>();
}

/// An entity comes back from its message as it was; and by value it becomes the same message as by
/// reference.
///
/// # Panics
///
/// When it doesn't hold.
pub fn entity_round_trip<M: Lawful>() {
    check(&M::entities(DEPTH), |entity| {
        let proto = maps(M::to_proto(&entity))?;
        let back = maps(M::from_proto(proto.clone()))?;
        if M::GRADE.is_lossless() {
            prop_assert!(
                M::same(&entity, &back),
                "the entity came back as {back:?} from {proto:?}"
            );
        }
        let by_value = maps(M::into_proto(entity))?;
        prop_assert!(
            M::same_proto(&proto, &by_value),
            "by reference it is {proto:?}, by value {by_value:?}"
        );
        Ok(())
    });
}

/// A message that is an entity comes back from it: as it was where the grade is
/// [`Iso`](Grade::Iso), else in a form that stays.
///
/// # Panics
///
/// When it doesn't hold.
pub fn message_round_trip<M: Lawful>() {
    check(&M::protos(DEPTH), |proto| {
        let entity = maps(M::from_proto(proto.clone()))?;
        let once = maps(M::to_proto(&entity))?;
        if M::GRADE == Grade::Iso {
            prop_assert!(
                M::same_proto(&proto, &once),
                "the message came back as {once:?}"
            );
        }
        let back = maps(M::from_proto(once.clone()))?;
        if M::GRADE.is_lossless() {
            prop_assert!(M::same(&entity, &back), "{entity:?} came back as {back:?}");
            let twice = maps(M::to_proto(&back))?;
            prop_assert!(
                M::same_proto(&once, &twice),
                "{once:?} came back as {twice:?}"
            );
        }
        Ok(())
    });
}

/// An entity comes back from the bytes of its message.
///
/// # Panics
///
/// When it doesn't hold.
pub fn bytes_round_trip<M: Lawful<Proto: Message + Default>>() {
    check(&M::entities(DEPTH), |entity| {
        let bytes = maps(M::to_proto(&entity))?.encode_to_vec();
        let decoded = M::Proto::decode(bytes.as_slice());
        let decoded = decoded.map_err(|error| failed("its bytes don't decode", &error))?;
        let back = maps(M::from_proto(decoded))?;
        if M::GRADE.is_lossless() {
            prop_assert!(
                M::same(&entity, &back),
                "the entity came back as {back:?} from {bytes:?}"
            );
        }
        Ok(())
    });
}

/// Whatever bytes there are: nothing panics, and an entity that comes out of them has a message, out
/// of which it comes again.
///
/// # Panics
///
/// When it doesn't hold.
pub fn never_panics<M: Lawful<Proto: Message + Default>>() {
    let random = vec(any::<u8>(), 0..64);
    let changes = vec((any::<Index>(), any::<u8>()), 0..4);
    let broken = (M::protos(DEPTH), changes, any::<Option<Index>>());
    let broken = broken.prop_map(|(proto, changes, end)| damage(&proto, &changes, end));
    check(&prop_oneof![1 => random, 7 => broken], |bytes| {
        let Ok(proto) = M::Proto::decode(bytes.as_slice()) else {
            return Ok(());
        };
        let Ok(entity) = M::from_proto(proto) else {
            return Ok(());
        };
        let back = maps(M::from_proto(maps(M::to_proto(&entity))?))?;
        if M::GRADE.is_lossless() {
            prop_assert!(M::same(&entity, &back), "{entity:?} came back as {back:?}");
        }
        Ok(())
    });
}

/// The message's bytes with some of them changed, and cut off somewhere.
fn damage(proto: &impl Message, changes: &[(Index, u8)], end: Option<Index>) -> Vec<u8> {
    let mut bytes = proto.encode_to_vec();
    if bytes.is_empty() {
        return bytes;
    }
    for (index, value) in changes {
        *index.get_mut(&mut bytes) = *value;
    }
    if let Some(end) = end {
        bytes.truncate(end.index(bytes.len()));
    }
    bytes
}

/// A message with one thing wrong is an error at its path.
///
/// # Panics
///
/// When it doesn't hold.
pub fn corruption_is_located<M: Lawful>() {
    let Some(corrupted) = M::corrupted(DEPTH) else {
        return;
    };
    check(&corrupted, |(proto, path)| {
        located(M::from_proto(proto), &path)
    });
}

/// An entity that no message can say is an error at its path, by reference and by value.
///
/// # Panics
///
/// When it doesn't hold.
pub fn unmappable_is_located<M: Lawful>() {
    let Some(unmappable) = M::unmappable(DEPTH) else {
        return;
    };
    check(&unmappable, |(entity, path)| {
        located(M::to_proto(&entity), &path)?;
        located(M::into_proto(entity), &path)
    });
}

fn located<T: Debug>(mapped: Result<T, impl Into<MapError>>, path: &str) -> TestCaseResult {
    match mapped.map_err(Into::into) {
        Ok(value) => Err(failed("it maps", &format!("{value:?}"))),
        Err(error) => {
            let paths: Vec<_> = error.violations().iter().map(Violation::path).collect();
            prop_assert_eq!(paths, [path], "it fails elsewhere: {}", error);
            Ok(())
        }
    }
}

fn maps<T>(
    mapped: Result<T, impl Into<MapError>>,
) -> Result<T, proptest::test_runner::TestCaseError> {
    mapped.map_err(|error| failed("it doesn't map", &error.into()))
}

fn failed(what: &str, why: &dyn std::fmt::Display) -> proptest::test_runner::TestCaseError {
    proptest::test_runner::TestCaseError::fail(format!("{what}: {why}"))
}

#[allow(clippy::panic, reason = "a law that doesn't hold fails its test")]
fn check<S: Strategy>(cases: &S, law: impl Fn(S::Value) -> TestCaseResult) {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if let Err(error) = TestRunner::new(config).run(cases, law) {
        panic!("{error}");
    }
}
