use prost::Message as _;
use prost_types::field_descriptor_proto::Type;
use prost_types::{FieldDescriptorProto, FileDescriptorProto, MessageOptions, MethodOptions};

use super::*;
use crate::descriptors::wire::put;

/// A pool with an extension of `MethodOptions`, number 50000, of the message `Rule`.
fn pool() -> DescriptorPool {
    const SOURCE: &str = r#"
        syntax = "proto3";
        import "google/protobuf/descriptor.proto";
        message Rule {
          int32 a = 1;
          string b = 2;
          map<string, int32> m = 3;
          repeated int32 packed = 4;
          repeated int32 loose = 5 [packed = false];
          Rule child = 6;
          optional int32 present = 7;
        }
        extend google.protobuf.MethodOptions { Rule rule = 50000; }
    "#;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rule.proto");
    std::fs::write(&path, SOURCE).unwrap();
    let mut compiler = protox::Compiler::new([dir.path()]).unwrap();
    compiler.include_imports(true).open_file(&path).unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

/// The canonical form of a `MethodOptions` whose only options are these pieces of `rule`.
fn canonical_rule(pieces: &[&[u8]]) -> Vec<u8> {
    let pool = pool();
    let mut bytes = Vec::new();
    for piece in pieces {
        put(&mut bytes, 50000, &Value::Bytes(piece));
    }
    let options = pool
        .get_message_by_name("google.protobuf.MethodOptions")
        .unwrap();
    let canonical = message(&options, &bytes, 0).unwrap();
    match wire::fields(&canonical).unwrap().as_slice() {
        [field] => content(&field.value).unwrap().to_vec(),
        fields => panic!("{fields:?}"),
    }
}

#[test]
fn fields_are_sorted_by_number() {
    assert_eq!(
        canonical_rule(&[b"\x12\x01x\x08\x01"]),
        b"\x08\x01\x12\x01x"
    );
}

#[test]
fn pieces_of_a_message_are_merged() {
    assert_eq!(
        canonical_rule(&[b"\x12\x01x", b"\x08\x01"]),
        b"\x08\x01\x12\x01x"
    );
    assert_eq!(
        canonical_rule(&[b"\x32\x02\x08\x01", b"\x32\x03\x12\x01x"]),
        b"\x32\x05\x08\x01\x12\x01x"
    );
}

#[test]
fn the_last_of_a_singular_scalar_wins() {
    assert_eq!(canonical_rule(&[b"\x08\x01", b"\x08\x02"]), b"\x08\x02");
}

#[test]
fn a_zero_is_kept_where_it_says_something() {
    assert_eq!(canonical_rule(&[b"\x08\x00\x38\x00"]), b"\x38\x00");
}

#[test]
fn maps_are_sorted_and_their_last_entry_wins() {
    let entry = |key: &str, value: u8| {
        let mut entry = vec![0x0a, 1];
        entry.extend(key.as_bytes());
        entry.extend([0x10, value]);
        entry
    };
    let mut bytes = Vec::new();
    for (key, value) in [("z", 1), ("a", 2), ("z", 3)] {
        put(&mut bytes, 3, &Value::Bytes(&entry(key, value)));
    }
    let mut sorted = Vec::new();
    put(&mut sorted, 3, &Value::Bytes(&entry("a", 2)));
    put(&mut sorted, 3, &Value::Bytes(&entry("z", 3)));
    assert_eq!(canonical_rule(&[&bytes]), sorted);
}

#[test]
fn lists_are_packed_as_their_field_says() {
    assert_eq!(canonical_rule(&[b"\x20\x01\x20\x02"]), b"\x22\x02\x01\x02");
    assert_eq!(canonical_rule(&[b"\x2a\x02\x01\x02"]), b"\x28\x01\x28\x02");
}

#[test]
fn unknown_fields_stay() {
    assert_eq!(
        canonical_rule(&[b"\xfa\x01\x01x\x08\x01"]),
        b"\x08\x01\xfa\x01\x01x"
    );
}

#[test]
fn options_that_are_present_but_empty_go() {
    let with = |options: Option<MethodOptions>| FileDescriptorProto {
        service: vec![prost_types::ServiceDescriptorProto {
            method: vec![prost_types::MethodDescriptorProto {
                options,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let canonical = |proto: FileDescriptorProto| file(&pool(), &proto.encode_to_vec()).unwrap();
    assert_eq!(
        canonical(with(Some(MethodOptions::default()))),
        canonical(with(None))
    );
}

#[test]
fn source_information_goes() {
    let proto = FileDescriptorProto {
        name: Some("a.proto".to_owned()),
        source_code_info: Some(prost_types::SourceCodeInfo::default()),
        ..Default::default()
    };
    assert_eq!(
        file(&pool(), &proto.encode_to_vec()).unwrap(),
        b"\n\x07a.proto"
    );
}

#[test]
fn json_names_are_filled_in() {
    let field = |json_name: Option<&str>| {
        let proto = FileDescriptorProto {
            extension: vec![FieldDescriptorProto {
                name: Some("in_stock_now".to_owned()),
                json_name: json_name.map(str::to_owned),
                ..Default::default()
            }],
            ..Default::default()
        };
        file(&pool(), &proto.encode_to_vec()).unwrap()
    };
    assert_eq!(field(None), field(Some("inStockNow")));
    assert_ne!(field(None), field(Some("other")));
}

#[test]
fn floats_in_defaults_are_written_in_one_way() {
    let double = |text: &str| default_value(Type::Double as u64, text);
    let float = |text: &str| default_value(Type::Float as u64, text);
    assert_eq!(double("1e+10"), "10000000000");
    assert_eq!(
        double("1.2345678912345679e+08"),
        double("123456789.12345679")
    );
    assert_eq!(float("0.10000000149011612"), "0.1");
    assert_eq!(float("9.9999461e-41"), "1e-40");
    assert_eq!(
        (double("inf"), double("-inf"), double("nan")),
        ("inf".into(), "-inf".into(), "nan".into())
    );
    assert_eq!(double("-0"), "-0");
    assert_eq!(default_value(Type::String as u64, "1e+10"), "1e+10");
}

#[test]
fn what_is_cut_off_is_an_error() {
    let options = MessageOptions {
        deprecated: Some(true),
        ..Default::default()
    };
    let proto = FileDescriptorProto {
        message_type: vec![prost_types::DescriptorProto {
            options: Some(options),
            ..Default::default()
        }],
        ..Default::default()
    };
    let bytes = proto.encode_to_vec();
    for length in 1..bytes.len() {
        assert!(file(&pool(), &bytes[..length]).is_err(), "{length}");
    }
}
