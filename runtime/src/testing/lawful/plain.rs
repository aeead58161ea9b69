use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::{any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Just, Strategy};
use prost::Message;
use prost::bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::super::{Lawful, Located};
use crate::mapper::Plain;

/// Messages out of random fields, of which those are taken that decode.
impl<M> Lawful for Plain<M>
where
    M: Message + Clone + Debug + Default + PartialEq + 'static,
{
    fn entities(_depth: u32) -> BoxedStrategy<M> {
        prop_oneof![
            1 => Just(()).prop_map(|()| M::default()),
            7 => vec(field(3), 0..8).prop_map(|fields| message(&fields)),
        ]
        .boxed()
    }

    fn protos(depth: u32) -> BoxedStrategy<M> {
        Self::entities(depth)
    }

    fn corrupted(_depth: u32) -> Option<Located<M>> {
        None
    }

    fn same(a: &M, b: &M) -> bool {
        same(a, b)
    }

    fn same_proto(a: &M, b: &M) -> bool {
        same(a, b)
    }
}

fn same<M: Message + PartialEq>(a: &M, b: &M) -> bool {
    // NaN is no NaN's equal but by its bits, and hash maps have no order.
    let sorted = |message: &M| {
        let mut bytes = message.encode_to_vec();
        bytes.sort_unstable();
        bytes
    };
    a == b || sorted(a) == sorted(b)
}

/// A message of those fields that decode.
fn message<M: Message + Clone + Debug + Default>(fields: &[Vec<u8>]) -> M {
    fields.iter().fold(M::default(), |message, field| {
        let mut more = message.clone();
        match more.merge(field.as_slice()) {
            Ok(()) => more,
            Err(_) => message,
        }
    })
}

/// One field of any type, whose bytes may be fields themselves.
fn field(depth: u32) -> BoxedStrategy<Vec<u8>> {
    let bytes = match depth.checked_sub(1) {
        Some(depth) => prop_oneof![
            any::<String>().prop_map(String::into_bytes),
            vec(any::<u8>(), 0..8),
            vec(field(depth), 0..3).prop_map(|fields| fields.concat()),
        ]
        .boxed(),
        None => any::<String>().prop_map(String::into_bytes).boxed(),
    };
    let varints = prop_oneof![any::<u64>(), 0..5_u64];
    prop_oneof![
        (tag(), varints).prop_map(|(tag, value)| {
            written(tag, WireType::Varint, |buffer| encode_varint(value, buffer))
        }),
        (tag(), any::<u64>()).prop_map(|(tag, value)| {
            written(tag, WireType::SixtyFourBit, |buffer| {
                buffer.put_u64_le(value);
            })
        }),
        (tag(), any::<u32>()).prop_map(|(tag, value)| {
            written(tag, WireType::ThirtyTwoBit, |buffer| {
                buffer.put_u32_le(value);
            })
        }),
        (tag(), bytes).prop_map(|(tag, value)| {
            written(tag, WireType::LengthDelimited, |buffer| {
                encode_varint(value.len() as u64, buffer);
                buffer.extend_from_slice(&value);
            })
        }),
    ]
    .boxed()
}

fn tag() -> impl Strategy<Value = u32> {
    prop_oneof![7 => 1..16_u32, 1 => select(vec![16, 100, 536_870_911])]
}

fn written(tag: u32, wire: WireType, value: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut field = Vec::new();
    encode_key(tag, wire, &mut field);
    value(&mut field);
    field
}
