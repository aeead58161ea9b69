use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;

use bytes::Bytes;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use prost_types::{DescriptorProto, FileDescriptorProto, Timestamp};

use super::{Color, ColorMapper};
use crate::mapper::{
    AbsentIfEmpty, BTreeSetOf, Boxed, ByteArray, BytesBuffer, Fallback, HashSetOf, Integer, IpText,
    Keep, MapOf, Narrow, Newtype, NonEmpty, Optional, OptionalEnum, Plain, ProstEnum, Repeated,
    Required, Same, Sensitive, ZeroIsNone,
};
use crate::testing::{Lawful, Located, laws, unknown_numbers};

impl Lawful for ColorMapper {
    fn entities(_depth: u32) -> BoxedStrategy<Color> {
        prop_oneof![Just(Color::Red), Just(Color::Blue)].boxed()
    }

    fn protos(_depth: u32) -> BoxedStrategy<i32> {
        (1..3).boxed()
    }

    fn corrupted(_depth: u32) -> Option<Located<i32>> {
        let wrong = prop_oneof![Just(0), unknown_numbers::<Self>()];
        Some(wrong.prop_map(|number| (number, String::new())).boxed())
    }

    fn same(a: &Color, b: &Color) -> bool {
        a == b
    }

    fn same_proto(a: &i32, b: &i32) -> bool {
        a == b
    }
}

macro_rules! laws_hold {
    ($($fact:ident: $mapper:ty,)*) => {$(
        #[test]
        fn $fact() {
            laws::field::<$mapper>();
        }
    )*};
}

type Texts<T> = Newtype<Same<String>, T>;

laws_hold! {
    same_bool_is_lawful: Same<bool>,
    same_i32_is_lawful: Same<i32>,
    same_i64_is_lawful: Same<i64>,
    same_u32_is_lawful: Same<u32>,
    same_u64_is_lawful: Same<u64>,
    same_f32_is_lawful: Same<f32>,
    same_f64_is_lawful: Same<f64>,
    same_text_is_lawful: Same<String>,
    same_bytes_is_lawful: Same<Vec<u8>>,
    same_buffer_is_lawful: Same<Bytes>,
    same_lists_and_maps_are_lawful: Same<Option<Vec<HashMap<i32, BTreeMap<String, f64>>>>>,
    required_is_lawful: Required<IpText>,
    optional_is_lawful: Optional<IpText>,
    non_empty_text_is_lawful: NonEmpty<Same<String>>,
    non_empty_address_is_lawful: NonEmpty<IpText>,
    non_empty_list_is_lawful: NonEmpty<Repeated<IpText>>,
    non_empty_map_is_lawful: NonEmpty<MapOf<bool, IpText, HashMap<bool, String>, BTreeMap<bool, std::net::IpAddr>>>,
    absent_text_is_lawful: AbsentIfEmpty<Same<String>>,
    absent_address_is_lawful: AbsentIfEmpty<IpText>,
    absent_number_is_lawful: AbsentIfEmpty<Newtype<Same<i32>, NonZero<i32>>>,
    boxed_is_lawful: Boxed<IpText>,
    list_is_lawful: Repeated<IpText>,
    list_of_wider_elements_is_lawful: Repeated<Narrow<i64, i8>>,
    list_of_narrower_elements_is_lawful: Repeated<ByteArray<100>>,
    list_of_lists_is_lawful: Repeated<Optional<Repeated<Integer<i32, usize>>>>,
    hash_set_is_lawful: HashSetOf<Narrow<i32, i8>>,
    hash_set_that_fails_is_lawful: HashSetOf<Integer<i32, usize>>,
    ordered_set_is_lawful: BTreeSetOf<Integer<i32, u64>>,
    hash_to_hash_is_lawful: MapOf<String, IpText, HashMap<String, String>, HashMap<String, std::net::IpAddr>>,
    hash_to_ordered_is_lawful: MapOf<i64, Integer<i32, usize>, HashMap<i64, i32>, BTreeMap<i64, usize>>,
    ordered_to_hash_is_lawful: MapOf<u32, Same<f64>, BTreeMap<u32, f64>, HashMap<u32, f64>>,
    ordered_to_ordered_is_lawful: MapOf<bool, ColorMapper, BTreeMap<bool, i32>, BTreeMap<bool, Color>>,
    non_zero_is_lawful: Newtype<Same<i32>, NonZero<i32>>,
    narrow_non_zero_is_lawful: Newtype<Narrow<i64, u8>, NonZero<u8>>,
    newtype_is_lawful: Texts<super::shapes::Name>,
    sensitive_is_lawful: Sensitive<MapOf<String, Repeated<Integer<i32, usize>>, HashMap<String, Vec<i32>>, HashMap<String, Vec<usize>>>>,
    kept_enum_is_lawful: Keep<ColorMapper>,
    kept_or_none_is_lawful: ZeroIsNone<Keep<ColorMapper>>,
    fallback_is_lawful: Fallback<ColorMapper, 1>,
    zero_is_none_is_lawful: ZeroIsNone<ColorMapper>,
    optional_enum_is_lawful: OptionalEnum<ColorMapper>,
    optional_kept_enum_is_lawful: OptionalEnum<Keep<ColorMapper>>,
    enum_of_prost_is_lawful: ProstEnum<prost_types::field_descriptor_proto::Type>,
    kept_enum_of_prost_is_lawful: Keep<ProstEnum<prost_types::NullValue>>,
    buffer_is_lawful: BytesBuffer,
    array_is_lawful: ByteArray<4>,
    empty_array_is_lawful: ByteArray<0>,
    array_of_buffer_is_lawful: ByteArray<32, Bytes>,
    address_is_lawful: IpText,
    i8_in_i32_is_lawful: Narrow<i32, i8>,
    i16_in_i32_is_lawful: Narrow<i32, i16>,
    u8_in_u32_is_lawful: Narrow<u32, u8>,
    u32_in_i64_is_lawful: Narrow<i64, u32>,
    i32_in_i32_is_lawful: Narrow<i32, i32>,
    usize_in_i32_is_lawful: Integer<i32, usize>,
    usize_in_u64_is_lawful: Integer<u64, usize>,
    u64_in_i64_is_lawful: Integer<i64, u64>,
    i64_in_u32_is_lawful: Integer<u32, i64>,
    i8_in_u64_is_lawful: Integer<u64, i8>,
}

#[cfg(feature = "uuid")]
laws_hold! {
    uuid_in_text_is_lawful: crate::mapper::UuidText,
    uuid_in_bytes_is_lawful: crate::mapper::UuidBytes,
    uuid_in_buffer_is_lawful: crate::mapper::UuidBytes<Bytes>,
}

#[cfg(feature = "decimal")]
laws_hold! {
    decimal_is_lawful: crate::mapper::DecimalText,
}

#[cfg(feature = "url")]
laws_hold! {
    url_is_lawful: crate::mapper::UrlText,
}

#[cfg(feature = "json")]
laws_hold! {
    json_text_is_lawful: crate::mapper::JsonText,
}

#[cfg(feature = "json")]
#[test]
fn json_value_is_lawful() {
    laws::all::<crate::mapper::JsonValue>();
}

#[cfg(feature = "json")]
#[test]
fn json_struct_is_lawful() {
    laws::all::<crate::mapper::JsonStruct>();
}

#[cfg(feature = "json")]
#[test]
fn json_list_is_lawful() {
    laws::all::<crate::mapper::JsonList>();
}

#[test]
fn plain_messages_are_lawful() {
    laws::all::<Plain<Timestamp>>();
    laws::all::<Plain<DescriptorProto>>();
    laws::all::<Plain<FileDescriptorProto>>();
}
