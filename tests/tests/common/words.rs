//! Words in place of the messages of the echo service: entities, and a mapper for each.

use apibase::codegen::map;

use super::{CollectReply, CountRequest, EchoReply, EchoRequest};

/// The tone in which a reply becomes one that no message can say.
pub(crate) const UNSAYABLE: &str = "unsayable";

/// The tone in which what is wrong with a request ends the call.
pub(crate) const STRICT: &str = "strict";

/// An `EchoRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) word: String,
    pub(crate) tone: String,
}

/// An `EchoReply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) word: String,
    pub(crate) number: u32,
}

/// A `CountRequest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HowMany {
    pub(crate) count: u32,
    pub(crate) tone: String,
}

/// A `CollectReply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collected {
    pub(crate) count: u32,
    pub(crate) words: String,
}

pub(crate) fn ask_for(word: &str) -> Ask {
    Ask {
        word: word.to_owned(),
        tone: "plain".to_owned(),
    }
}

pub(crate) fn said(word: &str, number: u32) -> Said {
    Said {
        word: word.to_owned(),
        number,
    }
}

pub(crate) fn how_many(count: u32) -> HowMany {
    HowMany {
        count,
        tone: "plain".to_owned(),
    }
}

/// Text in `bytes`: read where it is UTF-8, written where it has no NUL.
pub(crate) struct Text;

/// A tone: not empty, and without a NUL as well.
pub(crate) struct Tone;

pub(crate) type Number = map::Narrow<u64, u32>;

impl map::ProtobufMapper for Text {
    type Entity = String;
    type Proto = Vec<u8>;
    type EncodeError = map::MapError;
    const GRADE: map::Grade = map::Grade::Injective;

    fn to_proto(entity: &String) -> Result<Vec<u8>, map::MapError> {
        Self::into_proto(entity.clone())
    }

    fn into_proto(entity: String) -> Result<Vec<u8>, map::MapError> {
        without_nul(entity).map(String::into_bytes)
    }

    fn from_proto(proto: Vec<u8>) -> Result<String, map::MapError> {
        String::from_utf8(proto).map_err(|error| {
            map::MapError::new(map::ViolationKind::Malformed, "is not text").with_source(error)
        })
    }
}

impl map::ProtobufMapper for Tone {
    type Entity = String;
    type Proto = String;
    type EncodeError = map::MapError;
    const GRADE: map::Grade = map::Grade::Injective;

    fn to_proto(entity: &String) -> Result<String, map::MapError> {
        Self::into_proto(entity.clone())
    }

    fn into_proto(entity: String) -> Result<String, map::MapError> {
        without_nul(entity)
    }

    fn from_proto(proto: String) -> Result<String, map::MapError> {
        match proto.is_empty() {
            true => Err(map::MapError::missing()),
            false => Ok(proto),
        }
    }
}

fn without_nul(text: String) -> Result<String, map::MapError> {
    match text.contains('\0') {
        true => Err(map::MapError::new(
            map::ViolationKind::NotAllowed,
            "must have no NUL",
        )),
        false => Ok(text),
    }
}

/// A mapper of a message with two fields, as generated ones are.
macro_rules! mapper {
    ($mapper:ident: $entity:ident { $a:ident: $ma:ty, $b:ident: $mb:ty } = $proto:ident { $pa:ident, $pb:ident }) => {
        pub(crate) struct $mapper;

        impl map::ProtobufMapper for $mapper {
            type Entity = $entity;
            type Proto = $proto;
            type EncodeError = map::MapError;
            const GRADE: map::Grade = map::Grade::Injective;

            fn to_proto(entity: &$entity) -> Result<$proto, map::MapError> {
                Self::into_proto(entity.clone())
            }

            #[allow(
                clippy::needless_update,
                reason = "one of the messages has a third field"
            )]
            fn into_proto(entity: $entity) -> Result<$proto, map::MapError> {
                let $entity { $a, $b } = entity;
                Ok($proto {
                    $pa: map::into::<$ma>(stringify!($pa), $a)?,
                    $pb: map::into::<$mb>(stringify!($pb), $b)?,
                    ..$proto::default()
                })
            }

            fn from_proto(proto: $proto) -> Result<$entity, map::MapError> {
                let mut fields = map::Fields::new();
                let $a = fields.map::<$ma>(stringify!($pa), proto.$pa);
                let $b = fields.map::<$mb>(stringify!($pb), proto.$pb);
                let (Some($a), Some($b)) = ($a, $b) else {
                    return Err(fields.into_error());
                };
                Ok($entity { $a, $b })
            }
        }
    };
}

mapper!(AskMapper: Ask { word: Text, tone: Tone } = EchoRequest { payload, behaviour });
mapper!(SaidMapper: Said { word: Text, number: Number } = EchoReply { payload, number });
mapper!(HowManyMapper: HowMany { count: Number, tone: Tone } = CountRequest { count, behaviour });
mapper!(CollectedMapper: Collected { count: Number, words: Text } = CollectReply { count, payloads });
