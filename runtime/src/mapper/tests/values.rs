use std::net::IpAddr;

use bytes::Bytes;

use super::wrong_itself;
use crate::mapper::{
    ByteArray, BytesBuffer, Grade, Integer, IpText, Narrow, ProtobufMapper, ViolationKind,
};

fn out_of_range(description: &str) -> (ViolationKind, String) {
    (ViolationKind::OutOfRange, description.to_owned())
}

fn malformed(description: &str) -> (ViolationKind, String) {
    (ViolationKind::Malformed, description.to_owned())
}

#[test]
fn a_narrower_integer_is_checked_when_it_is_read() {
    type Mapper = Narrow<i32, i16>;
    for edge in [i16::MIN, 0, i16::MAX] {
        assert_eq!(Mapper::from_proto(edge.into()).unwrap(), edge);
        assert_eq!(Mapper::to_proto(&edge), Ok(edge.into()));
        assert_eq!(Mapper::into_proto(edge), Ok(edge.into()));
    }
    for beyond in [-32769, 32768, i32::MIN, i32::MAX] {
        assert_eq!(
            wrong_itself(Mapper::from_proto(beyond)),
            out_of_range("must be from -32768 to 32767")
        );
    }
}

#[test]
fn an_integer_is_checked_both_ways_where_neither_holds_the_other() {
    type Mapper = Integer<i32, u64>;
    let expected = out_of_range("must be from 0 to 2147483647");
    assert_eq!(wrong_itself(Mapper::from_proto(-1)), expected);
    assert_eq!(wrong_itself(Mapper::to_proto(&(1 << 31))), expected);
    assert_eq!(wrong_itself(Mapper::into_proto(u64::MAX)), expected);
    assert_eq!(Mapper::from_proto(i32::MAX).unwrap(), 2_147_483_647);
    assert_eq!(Mapper::into_proto(2_147_483_647).unwrap(), i32::MAX);
    assert_eq!(
        wrong_itself(Integer::<u64, i64>::into_proto(-1)),
        out_of_range("must be from 0 to 9223372036854775807")
    );
}

#[test]
fn an_integer_field_is_iso_where_its_type_holds_all_of_it() {
    assert_eq!(Narrow::<i32, i32>::GRADE, Grade::Iso);
    assert_eq!(Integer::<u32, i64>::GRADE, Grade::Iso);
    assert_eq!(Integer::<u64, i64>::GRADE, Grade::Injective);
}

#[test]
fn a_buffer_is_not_copied() {
    let bytes = vec![1, 2, 3];
    let place = bytes.as_ptr();
    let entity = BytesBuffer::from_proto(bytes).unwrap();
    assert_eq!(entity.as_ptr(), place);
    let Ok(copy) = BytesBuffer::to_proto(&entity);
    assert_eq!(copy, [1, 2, 3]);
    let Ok(proto) = BytesBuffer::into_proto(entity);
    assert_eq!(proto.as_ptr(), place);
}

#[test]
fn an_array_has_its_length() {
    type Mapper = ByteArray<4>;
    assert_eq!(Mapper::from_proto(vec![1, 2, 3, 4]).unwrap(), [1, 2, 3, 4]);
    let Ok(proto) = Mapper::to_proto(&[1, 2, 3, 4]);
    assert_eq!(proto, [1, 2, 3, 4]);
    for length in [0, 3, 5, 100] {
        assert_eq!(
            wrong_itself(Mapper::from_proto(vec![0; length])),
            malformed("must be 4 bytes long")
        );
    }
    assert_eq!(
        wrong_itself(ByteArray::<1>::from_proto(Vec::new())),
        malformed("must be 1 byte long")
    );
}

#[test]
fn an_array_may_stand_in_a_buffer() {
    type Mapper = ByteArray<2, Bytes>;
    let Ok(proto) = Mapper::into_proto([7, 8]);
    assert_eq!(proto, Bytes::from_static(&[7, 8]));
    assert_eq!(Mapper::from_proto(proto).unwrap(), [7, 8]);
}

#[test]
fn an_address_is_read_in_any_spelling() {
    let address: IpAddr = "2001:db8::1".parse().unwrap();
    let spelled = "2001:DB8:0:0:0:0:0:1".to_owned();
    assert_eq!(IpText::from_proto(spelled).unwrap(), address);
    assert_eq!(IpText::to_proto(&address), Ok("2001:db8::1".to_owned()));
    let refused = IpText::from_proto("a secret".to_owned());
    let error = refused.clone().unwrap_err();
    assert!(error.violations()[0].source().is_some());
    assert_eq!(wrong_itself(refused), malformed("is not an IP address"));
}

#[cfg(feature = "uuid")]
#[test]
fn a_uuid_is_written_one_way_and_read_in_any() {
    use crate::mapper::UuidText;
    let uuid = uuid::Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
    let Ok(text) = UuidText::to_proto(&uuid);
    assert_eq!(text, "67e55044-10b1-426f-9247-bb680e5fe0c8");
    for spelling in [
        text.clone(),
        text.to_uppercase(),
        text.replace('-', ""),
        format!("{{{text}}}"),
        format!("urn:uuid:{text}"),
    ] {
        assert_eq!(UuidText::from_proto(spelling).unwrap(), uuid);
    }
    for wrong in ["", "67e55044", "67e55044-10b1-426f-9247-bb680e5fe0c8 "] {
        assert_eq!(
            wrong_itself(UuidText::from_proto(wrong.to_owned())),
            malformed("is not a UUID")
        );
    }
}

#[cfg(feature = "uuid")]
#[test]
fn the_bytes_of_a_uuid_are_in_network_order() {
    use crate::mapper::UuidBytes;
    type InVec = UuidBytes;
    type InBuffer = UuidBytes<Bytes>;
    let uuid = uuid::Uuid::from_u128(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f);
    let bytes: Vec<u8> = (0..16).collect();
    assert_eq!(InVec::to_proto(&uuid), Ok(bytes.clone()));
    assert_eq!(InBuffer::into_proto(uuid), Ok(Bytes::from(bytes.clone())));
    assert_eq!(InVec::from_proto(bytes).unwrap(), uuid);
    assert_eq!(
        wrong_itself(InVec::from_proto(vec![0; 15])),
        malformed("must be 16 bytes long")
    );
}

#[cfg(feature = "decimal")]
#[test]
fn a_decimal_keeps_its_digits() {
    use crate::mapper::DecimalText;
    for text in [
        "0",
        "1.00",
        "-12.50",
        "79228162514264337593543950335",
        "0.0000000000000000000000000001",
    ] {
        let number = DecimalText::from_proto(text.to_owned()).unwrap();
        assert_eq!(DecimalText::to_proto(&number), Ok(text.to_owned()));
    }
}

#[cfg(feature = "decimal")]
#[test]
fn a_decimal_is_never_rounded() {
    use crate::mapper::DecimalText;
    for text in [
        "",
        "x",
        "1_000",
        "79228162514264337593543950336",
        "0.00000000000000000000000000001",
        "1.00000000000000000000000000000001",
    ] {
        assert_eq!(
            wrong_itself(DecimalText::from_proto(text.to_owned())),
            malformed("is not a decimal number"),
            "{text}"
        );
    }
}

#[cfg(feature = "url")]
#[test]
fn a_url_is_absolute() {
    use crate::mapper::UrlText;
    let url = UrlText::from_proto("HTTPS://Example.com/a/../b".to_owned()).unwrap();
    assert_eq!(
        UrlText::to_proto(&url),
        Ok("https://example.com/b".to_owned())
    );
    assert_eq!(
        UrlText::into_proto(url),
        Ok("https://example.com/b".to_owned())
    );
    assert_eq!(
        wrong_itself(UrlText::from_proto("/b".to_owned())),
        malformed("is not an absolute URL")
    );
}
