//! What the tests of entities share: an entity both ways and through bytes, and what is wrong where.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::fmt::Debug;

use apibase::prost::Message;
use apibase::{MapError, ProtobufMapper, ViolationKind};

/// The message of an entity: the same by reference and by value, and the entity comes back from it
/// and from its bytes.
#[track_caller]
pub fn survives<M>(entity: &M::Entity) -> M::Proto
where
    M: ProtobufMapper<
            Entity: Clone + PartialEq + Debug,
            Proto: Message + Default + Clone + PartialEq + Debug,
        >,
{
    let proto = message::<M>(entity);
    assert_eq!(&M::from_proto(proto.clone()).unwrap(), entity);
    let read = M::Proto::decode(proto.encode_to_vec().as_slice()).unwrap();
    assert_eq!(read, proto);
    assert_eq!(&M::from_proto(read).unwrap(), entity);
    proto
}

/// The message of an entity, the same by reference and by value.
#[track_caller]
pub fn message<M>(entity: &M::Entity) -> M::Proto
where
    M: ProtobufMapper<Entity: Clone, Proto: PartialEq + Debug>,
{
    let proto = M::to_proto(entity).map_err(Into::into).unwrap();
    let moved = M::into_proto(entity.clone()).map_err(Into::into).unwrap();
    assert_eq!(proto, moved);
    proto
}

/// A message is no entity, for all of these reasons, in this order.
#[track_caller]
pub fn refused<M>(proto: M::Proto, expected: &[(&str, ViolationKind)]) -> MapError
where
    M: ProtobufMapper<Entity: Debug>,
{
    let error = M::from_proto(proto).unwrap_err();
    assert_eq!(wrong(&error), expected, "{error}");
    error
}

/// No message can say an entity, by reference and by value alike, for this reason.
#[track_caller]
pub fn unsayable<M>(entity: &M::Entity, path: &str, kind: ViolationKind) -> MapError
where
    M: ProtobufMapper<Entity: Clone, Proto: Debug>,
{
    let moved = M::into_proto(entity.clone()).map_err(Into::into);
    let error = M::to_proto(entity).map_err(Into::into).unwrap_err();
    assert_eq!(wrong(&error), [(path, kind)], "{error}");
    assert_eq!(moved.unwrap_err().to_string(), error.to_string());
    error
}

/// The paths of what is wrong, and the kinds.
pub fn wrong(error: &MapError) -> Vec<(&str, ViolationKind)> {
    let violations = error.violations().iter();
    violations
        .map(|violation| (violation.path(), violation.kind()))
        .collect()
}
