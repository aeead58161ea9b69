//! Mappers between JSON values and fields that hold them: as text, and as the messages of
//! `google/protobuf/struct.proto`.

mod tree;

use prost_types::{ListValue, Struct, Value as ProtoValue};
use serde_json::{Map, Value};

use self::tree::Room;
use super::text::malformed;
use super::{Grade, MapError, ProtobufMapper, ViolationKind};

/// A JSON value as text. Written without spaces; what is nested deeper than `serde_json` reads, 127
/// levels, is an error both ways.
#[derive(Debug)]
pub struct JsonText;

/// A JSON object as a `google.protobuf.Struct`.
///
/// Its numbers are doubles on the wire. An integer that no double is (2⁵³ + 1) is an error, and a
/// number without a fraction comes back as an integer: 5.0 as 5. What is nested deeper than readers
/// of protobuf go (100 messages in one another, each level taking two or three) is an error both
/// ways, as are NaN and the infinities, which JSON doesn't have.
#[derive(Debug)]
pub struct JsonStruct;

/// A JSON value as a `google.protobuf.Value`, under the rules of [`JsonStruct`].
#[derive(Debug)]
pub struct JsonValue;

/// A JSON array as a `google.protobuf.ListValue`, under the rules of [`JsonStruct`].
#[derive(Debug)]
pub struct JsonList;

impl ProtobufMapper for JsonText {
    type Entity = Value;
    type Proto = String;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    fn to_proto(entity: &Value) -> Result<String, MapError> {
        if tree::depth_is_over(entity, JSON_DEPTH) {
            return Err(too_deep());
        }
        Ok(entity.to_string())
    }

    fn into_proto(entity: Value) -> Result<String, MapError> {
        Self::to_proto(&entity)
    }

    fn from_proto(proto: String) -> Result<Value, MapError> {
        serde_json::from_str(&proto).map_err(|error| malformed("is not JSON", error))
    }
}

/// So deep does `serde_json` read.
const JSON_DEPTH: usize = 127;

#[cold]
fn too_deep() -> MapError {
    MapError::new(ViolationKind::OutOfRange, "is nested too deep")
}

impl ProtobufMapper for JsonStruct {
    type Entity = Map<String, Value>;
    type Proto = Struct;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Lossy;

    fn to_proto(entity: &Self::Entity) -> Result<Struct, MapError> {
        tree::object_to(entity, Room::new())
    }

    fn into_proto(entity: Self::Entity) -> Result<Struct, MapError> {
        tree::object_into(entity, Room::new())
    }

    fn from_proto(proto: Struct) -> Result<Self::Entity, MapError> {
        tree::object_from(proto, Room::new())
    }
}

impl ProtobufMapper for JsonValue {
    type Entity = Value;
    type Proto = ProtoValue;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Lossy;

    fn to_proto(entity: &Value) -> Result<ProtoValue, MapError> {
        tree::value_to(entity, Room::new())
    }

    fn into_proto(entity: Value) -> Result<ProtoValue, MapError> {
        tree::value_into(entity, Room::new())
    }

    fn from_proto(proto: ProtoValue) -> Result<Value, MapError> {
        tree::value_from(proto, Room::new())
    }
}

impl ProtobufMapper for JsonList {
    type Entity = Vec<Value>;
    type Proto = ListValue;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Lossy;

    fn to_proto(entity: &Self::Entity) -> Result<ListValue, MapError> {
        tree::list_to(entity, Room::new())
    }

    fn into_proto(entity: Self::Entity) -> Result<ListValue, MapError> {
        tree::list_into(entity, Room::new())
    }

    fn from_proto(proto: ListValue) -> Result<Self::Entity, MapError> {
        tree::list_from(proto, Room::new())
    }
}
