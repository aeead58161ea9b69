use std::fmt::Debug;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::super::parts::itself;
use super::super::{Lawful, Located, Value};
use crate::mapper::{ByteArray, BytesBuffer};

impl Lawful for BytesBuffer {
    fn entities(_depth: u32) -> BoxedStrategy<Bytes> {
        Bytes::values()
    }

    fn protos(_depth: u32) -> BoxedStrategy<Vec<u8>> {
        Value::values()
    }

    fn corrupted(_depth: u32) -> Option<Located<Vec<u8>>> {
        None
    }

    fn same(a: &Bytes, b: &Bytes) -> bool {
        a == b
    }

    fn same_proto(a: &Vec<u8>, b: &Vec<u8>) -> bool {
        a == b
    }
}

impl<const N: usize, B> Lawful for ByteArray<N, B>
where
    B: AsRef<[u8]> + Clone + Debug + From<Vec<u8>> + 'static,
{
    fn entities(_depth: u32) -> BoxedStrategy<[u8; N]> {
        any::<[u8; N]>().boxed()
    }

    fn protos(_depth: u32) -> BoxedStrategy<B> {
        vec(any::<u8>(), N).prop_map(B::from).boxed()
    }

    fn corrupted(_depth: u32) -> Option<Located<B>> {
        let wrong = vec(any::<u8>(), 0..N + 9)
            .prop_filter("is of another length", |bytes| bytes.len() != N)
            .prop_map(B::from);
        Some(itself(wrong.boxed()))
    }

    fn same(a: &[u8; N], b: &[u8; N]) -> bool {
        a == b
    }

    fn same_proto(a: &B, b: &B) -> bool {
        a.as_ref() == b.as_ref()
    }
}

#[cfg(feature = "uuid")]
impl<B> Lawful for crate::mapper::UuidBytes<B>
where
    B: AsRef<[u8]> + Clone + Debug + From<Vec<u8>> + 'static,
{
    fn entities(depth: u32) -> BoxedStrategy<uuid::Uuid> {
        super::text::uuids(depth)
    }

    fn protos(depth: u32) -> BoxedStrategy<B> {
        ByteArray::<16, B>::protos(depth)
    }

    fn corrupted(depth: u32) -> Option<Located<B>> {
        ByteArray::<16, B>::corrupted(depth)
    }

    fn same(a: &uuid::Uuid, b: &uuid::Uuid) -> bool {
        a == b
    }

    fn same_proto(a: &B, b: &B) -> bool {
        a.as_ref() == b.as_ref()
    }
}
