//! Descriptor sets that are odd, and those that no compiler writes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod schema;

use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use protoc_gen_apibase::{Imports, Options, Request, generate};
use schema::{compile, files, one, refusal};

/// A file with an edition, which prost-types can't express.
#[derive(Clone, PartialEq, prost::Message)]
struct EditionsFile {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "12")]
    syntax: String,
    #[prost(int32, tag = "14")]
    edition: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct EditionsSet {
    #[prost(message, repeated, tag = "1")]
    file: Vec<EditionsFile>,
}

fn request_for(set: &FileDescriptorSet) -> Request {
    Request {
        descriptor_set: set.encode_to_vec(),
        files: set.file.iter().map(|file| file.name().to_owned()).collect(),
        imports: Imports::Generate,
        options: Options::default(),
    }
}

fn decoded(source: &str) -> FileDescriptorSet {
    FileDescriptorSet::decode(compile(&[("shop.proto", source)]).as_slice()).unwrap()
}

#[test]
fn editions_are_refused_with_a_sentence() {
    let set = EditionsSet {
        file: vec![EditionsFile {
            name: "shop.proto".to_owned(),
            syntax: "editions".to_owned(),
            edition: 1000,
        }],
    };
    let request = Request {
        descriptor_set: set.encode_to_vec(),
        files: vec!["shop.proto".to_owned()],
        imports: Imports::Generate,
        options: Options::default(),
    };
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn a_missing_import_is_refused() {
    let mut set = decoded("syntax = \"proto3\"; import \"google/protobuf/any.proto\";");
    set.file.retain(|file| file.name() == "shop.proto");
    insta::assert_snapshot!(refusal(&request_for(&set)));
}

#[test]
fn a_circle_of_imports_is_refused() {
    let file = |name: &str, dependency: &str| FileDescriptorProto {
        name: Some(name.to_owned()),
        dependency: vec![dependency.to_owned()],
        ..FileDescriptorProto::default()
    };
    let set = FileDescriptorSet {
        file: vec![file("a.proto", "b.proto"), file("b.proto", "a.proto")],
    };
    insta::assert_snapshot!(refusal(&request_for(&set)));
}

#[test]
fn an_unknown_type_is_refused() {
    let mut set = decoded("syntax = \"proto3\"; message A { B b = 1; } message B {}");
    set.file[0].message_type.truncate(1);
    insta::assert_snapshot!(refusal(&request_for(&set)));
}

#[test]
fn two_files_of_one_name_are_refused() {
    let mut set = decoded("syntax = \"proto3\"; message A {}");
    set.file
        .extend(decoded("syntax = \"proto3\"; message B {}").file);
    insta::assert_snapshot!(refusal(&request_for(&set)));
}

#[test]
fn a_name_that_is_no_name_is_refused() {
    let mut set = decoded("syntax = \"proto3\"; message A {}");
    set.file[0].message_type[0].name = Some("A {} fn main() {}".to_owned());
    insta::assert_snapshot!(refusal(&request_for(&set)));
}

#[test]
fn a_map_entry_that_is_none_is_refused() {
    let mut set = decoded("syntax = \"proto3\"; message A { map<string, string> a = 1; }");
    set.file[0].message_type[0].nested_type[0].field[0].name = Some("kez".to_owned());
    insta::assert_snapshot!(refusal(&request_for(&set)));
}

#[test]
fn garbage_is_an_input_error() {
    let mut request = one("syntax = \"proto3\";");
    request.descriptor_set = b"not a descriptor set".to_vec();
    assert!(generate(&request).unwrap_err().is_input());
    request.descriptor_set = vec![0x0a, 0x05, 0x0a];
    assert!(generate(&request).unwrap_err().is_input());
}

#[test]
fn an_empty_package_is_no_package() {
    let mut set = decoded("syntax = \"proto3\"; message A { message B {} B b = 1; }");
    let plain = files(&request_for(&set));
    set.file[0].package = Some(String::new());
    assert_eq!(files(&request_for(&set)), plain);
    assert_eq!(plain.keys().collect::<Vec<_>>(), ["_.rs"]);
}

#[test]
fn a_repeated_scalar_with_a_custom_option_stays_packed() {
    let request = one(r#"
        syntax = "proto3";
        package shop;
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.FieldOptions { int32 limit = 50001; }
        message Item {
          repeated int32 sizes = 1 [(limit) = 3];
          repeated int32 loose = 2 [packed = false];
        }
    "#);
    let messages = &files(&request)["shop.rs"];
    assert!(
        messages.contains("#[prost(int32, repeated, tag = \"1\")]"),
        "{messages}"
    );
    assert!(messages.contains("#[prost(int32, repeated, packed = \"false\", tag = \"2\")]"));
}

#[test]
fn source_information_with_gaps_is_no_trouble() {
    let mut set = decoded("syntax = \"proto3\"; message A { string a = 1; } enum E { Z = 0; }");
    let info = set.file[0].source_code_info.as_mut().unwrap();
    info.location.retain(|location| location.path.len() < 3);
    assert!(generate(&request_for(&set)).is_ok());
    set.file[0].source_code_info = None;
    assert!(generate(&request_for(&set)).is_ok());
}

#[test]
fn a_package_of_services_alone_is_generated() {
    let request = one(r#"
        syntax = "proto3";
        package shop;
        import "google/protobuf/empty.proto";
        service Items { rpc Ping(google.protobuf.Empty) returns (google.protobuf.Empty); }
    "#);
    let names: Vec<String> = files(&request).into_keys().collect();
    assert_eq!(names, ["shop.api.rs", "shop.descriptors.rs", "shop.rs"]);
}

#[test]
fn a_service_without_a_package_has_no_dot_in_its_path() {
    let request = one(r#"
        syntax = "proto3";
        message Item {}
        service Items { rpc Get(Item) returns (Item); }
    "#);
    let api = &files(&request)["_.api.rs"];
    assert!(api.contains("\"/Items/Get\""));
    assert!(api.contains("const NAME: &'static str = \"Items\";"));
}

#[test]
fn well_known_types_may_be_mapped_elsewhere() {
    let mut request = one(r#"
        syntax = "proto3";
        package shop;
        import "google/protobuf/timestamp.proto";
        message Item { google.protobuf.Timestamp at = 1; }
    "#);
    request.options = Options::parse("extern_path=.google.protobuf=::my_types").unwrap();
    assert!(files(&request)["shop.rs"].contains("::my_types::Timestamp"));
}
