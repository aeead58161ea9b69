//! Server reflection: the files that it serves, and where they come from.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod reflection_client;

use std::collections::BTreeSet;

use apibase::prost::Message;
use apibase::prost_types::{DescriptorProto, FileDescriptorProto};
use apibase::{Code, Reflection};
use apibase_tests::custom_options::custom_options::api as custom_options;
use apibase_tests::errors_shared::{errors_shared, errors_stock};
use apibase_tests::proto2::proto2::api as proto2;
use apibase_tests::protos::examples::api as examples;
use apibase_tests::split_files::split;
use apibase_tests::versions::versions;
use apibase_tests::well_known::well_known::api as well_known;
use reflection_client::{
    RawSet, answer, answers, bare_file, file, file_in, reflecting, set, symbol,
};

const NOT_FOUND: i32 = Code::NotFound as i32;

/// A file with the options that [`rules.proto`](custom_options) declares, and nothing else of it.
#[derive(Clone, PartialEq, Message)]
struct Ruled {
    #[prost(message, optional, tag = "8")]
    options: Option<RuledOptions>,
}

#[derive(Clone, PartialEq, Message)]
struct RuledOptions {
    #[prost(message, optional, tag = "51001")]
    file_rule: Option<Rule>,
}

#[derive(Clone, PartialEq, Message)]
struct Rule {
    #[prost(string, tag = "1")]
    text: String,
}

#[tokio::test]
async fn custom_options_arrive_byte_by_byte() {
    let reflection = reflecting(custom_options::FILE_DESCRIPTOR_SET);
    let answer = answer(&reflection, symbol("custom_options.RuledService")).await;
    let [served, rules, _] = answer.files() else {
        panic!("{:?}", answer.names());
    };
    let given = |name| file_in(custom_options::FILE_DESCRIPTOR_SET, name);
    assert_eq!(served, &given("uses.proto"));
    assert_eq!(rules, &given("rules.proto"));
    let options = Ruled::decode(&**served).unwrap().options.unwrap();
    assert_eq!(options.file_rule.unwrap().text, "file");
    // They would not have survived another encoding.
    let again = FileDescriptorProto::decode(&**served).unwrap();
    assert_ne!(&again.encode_to_vec(), served);
}

#[tokio::test]
async fn unknown_fields_arrive_too() {
    let mut raw = bare_file("later.proto", &[]).encode_to_vec();
    // Field 999, a varint.
    raw.extend([0xb8, 0x3e, 0x05]);
    let set = RawSet {
        files: vec![raw.clone()],
    }
    .encode_to_vec();
    let reflection = Reflection::new().add_descriptors(set).unwrap();
    let answer = answer(&reflection, file("later.proto")).await;
    assert_eq!(answer.files(), [raw]);
}

#[tokio::test]
async fn what_is_imported_of_google_protobuf_is_added() {
    let reflection = reflecting(well_known::FILE_DESCRIPTOR_SET);
    let answer = answer(&reflection, file("well_known.proto")).await;
    let google = |name: &str| format!("google/protobuf/{name}.proto");
    let mut names = vec!["well_known.proto".to_owned()];
    names.extend(
        [
            "any",
            "duration",
            "empty",
            "field_mask",
            "struct",
            "timestamp",
            "wrappers",
        ]
        .map(google),
    );
    assert_eq!(answer.names(), names);
    assert_eq!(reflection.missing().next(), None);
}

#[tokio::test]
async fn what_google_protobuf_imports_is_added_with_it() {
    let set = set([bare_file("a.proto", &["google/protobuf/api.proto"])]);
    let reflection = Reflection::new().add_descriptors(set).unwrap();
    let answer = answer(&reflection, file("a.proto")).await;
    let mut names = answer.names();
    names.sort();
    assert_eq!(
        names,
        [
            "a.proto",
            "google/protobuf/any.proto",
            "google/protobuf/api.proto",
            "google/protobuf/source_context.proto",
            "google/protobuf/type.proto",
        ]
    );
}

#[tokio::test]
async fn what_nobody_imports_of_google_protobuf_is_not_served() {
    let reflection = reflecting(proto2::FILE_DESCRIPTOR_SET);
    let ask = [
        file("google/protobuf/empty.proto"),
        symbol("google.protobuf.Empty"),
    ];
    for answer in answers(&reflection, ask).await {
        assert_eq!(answer.code(), NOT_FOUND);
    }
}

#[tokio::test]
async fn the_first_of_google_protobuf_stays() {
    let theirs = || FileDescriptorProto {
        package: Some("google.protobuf".to_owned()),
        ..bare_file("google/protobuf/empty.proto", &[])
    };
    let mut other = theirs();
    other.syntax = Some("proto3".to_owned());
    let reflection = Reflection::new()
        .add_descriptors(set([theirs()]))
        .unwrap()
        .add_descriptors(set([other]))
        .unwrap()
        .add_descriptors(well_known::FILE_DESCRIPTOR_SET)
        .unwrap();
    let answer = answer(&reflection, file("google/protobuf/empty.proto")).await;
    assert_eq!(answer.files(), [theirs().encode_to_vec()]);
}

#[tokio::test]
async fn services_share_their_files() {
    let reflection = Reflection::new()
        .add_descriptors(versions::api::FILE_DESCRIPTOR_SET)
        .unwrap()
        .add_descriptors(versions::v1::api::FILE_DESCRIPTOR_SET)
        .unwrap()
        .add_descriptors(versions::v2beta1::api::FILE_DESCRIPTOR_SET)
        .unwrap()
        .add_descriptors(versions::v1::api::FILE_DESCRIPTOR_SET)
        .unwrap()
        .add_descriptors(errors_shared::orders::v1::api::FILE_DESCRIPTOR_SET)
        .unwrap()
        .add_descriptors(errors_stock::api::FILE_DESCRIPTOR_SET)
        .unwrap();
    let ask = [
        symbol("versions.v2beta1.AuthService"),
        symbol("versions.AuthServiceV1"),
    ];
    let answers = answers(&reflection, ask).await;
    assert_eq!(answers[0].names(), ["v2beta1.proto", "v1.proto"]);
    assert_eq!(answers[1].names(), ["side_by_side.proto"]);
}

#[test]
fn different_files_of_one_name_are_refused_by_name() {
    let first = bare_file("same.proto", &[]);
    let second = bare_file("same.proto", &["other.proto"]);
    let reflection = Reflection::new()
        .add_descriptors(set([first.clone()]))
        .unwrap();
    let error = reflection
        .add_descriptors(set([second.clone()]))
        .unwrap_err();
    assert!(error.is_conflict() && !error.is_malformed());
    assert_eq!(error.file(), Some("same.proto"));
    assert_eq!(
        error.to_string(),
        "two services bring different files `same.proto`; generate both from the same one, or give \
         them different names"
    );
    let both = Reflection::new().add_descriptors(set([first, second]));
    assert!(both.unwrap_err().is_conflict());
}

const DETAILS: &str = "google/rpc/error_details.proto";

#[tokio::test]
async fn what_the_details_of_a_status_are_is_told_though_no_schema_imports_it() {
    let reflection = reflecting(examples::FILE_DESCRIPTOR_SET);
    for message in [
        "ErrorInfo",
        "BadRequest",
        "RetryInfo",
        "RequestInfo",
        "DebugInfo",
    ] {
        let name = format!("google.rpc.{message}");
        let answer = answer(&reflection, symbol(&name)).await;
        assert_eq!(answer.names(), [DETAILS, "google/protobuf/duration.proto"]);
    }
    assert_eq!(reflection.missing().count(), 0);
}

#[tokio::test]
async fn a_schemas_own_details_take_the_place_of_ours() {
    let details = |name| FileDescriptorProto {
        package: Some("google.rpc".to_owned()),
        message_type: vec![DescriptorProto {
            name: Some("ErrorInfo".to_owned()),
            ..DescriptorProto::default()
        }],
        ..bare_file(name, &[])
    };
    for name in [DETAILS, "vendored/error_details.proto"] {
        let theirs = details(name);
        let reflection = Reflection::new()
            .add_descriptors(set([theirs.clone()]))
            .unwrap()
            .add_descriptors(set([theirs.clone()]))
            .unwrap();
        for ask in [symbol("google.rpc.ErrorInfo"), file(name)] {
            let answer = answer(&reflection, ask).await;
            assert_eq!(answer.files(), [theirs.encode_to_vec()], "{name}");
        }
        // Two that differ are refused as ever.
        let other = bare_file(name, &["other.proto"]);
        let error = reflection.add_descriptors(set([other])).unwrap_err();
        assert!(error.is_conflict());
    }
}

#[test]
fn what_is_no_descriptor_set_is_refused() {
    let error = Reflection::new()
        .add_descriptors(&b"\x0a\xff"[..])
        .unwrap_err();
    assert!(error.is_malformed() && !error.is_conflict());
    assert_eq!(error.file(), None);
    assert!(
        error
            .to_string()
            .starts_with("this is no set of file descriptors: ")
    );

    let mut raw = bare_file("cut.proto", &[]).encode_to_vec();
    // A message that says that it is longer than what follows.
    raw.extend([0x22, 0x05]);
    let set = RawSet { files: vec![raw] }.encode_to_vec();
    let error = Reflection::new().add_descriptors(set).unwrap_err();
    assert!(error.is_malformed());

    let wrong = FileName {
        name: "wrong.proto".to_owned(),
        package: vec![0xff],
    };
    let set = RawSet {
        files: vec![wrong.encode_to_vec()],
    }
    .encode_to_vec();
    let error = Reflection::new().add_descriptors(set).unwrap_err();
    assert!(error.is_malformed());
    assert_eq!(error.file(), Some("wrong.proto"));
    assert!(
        error
            .to_string()
            .starts_with("the descriptor of `wrong.proto` can't be read: ")
    );
}

/// A file whose package need not be text.
#[derive(Clone, PartialEq, Message)]
struct FileName {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    package: Vec<u8>,
}

#[tokio::test]
async fn an_import_that_nobody_brought_is_named_and_the_rest_is_served() {
    let files = [
        bare_file(
            "b.proto",
            &["z.proto", "a.proto", "google/protobuf/new.proto"],
        ),
        bare_file("a.proto", &[]),
    ];
    let reflection = Reflection::new().add_descriptors(set(files)).unwrap();
    let missing: Vec<_> = reflection.missing().collect();
    assert_eq!(missing, ["google/protobuf/new.proto", "z.proto"]);
    let answer = answer(&reflection, file("b.proto")).await;
    assert_eq!(answer.names(), ["b.proto", "a.proto"]);
}

#[tokio::test]
async fn imports_in_a_circle_come_once_each() {
    let files = [
        bare_file("a.proto", &["b.proto"]),
        bare_file("b.proto", &["c.proto", "b.proto"]),
        bare_file("c.proto", &["a.proto", "b.proto"]),
    ];
    let reflection = Reflection::new().add_descriptors(set(files)).unwrap();
    let answer = answer(&reflection, file("b.proto")).await;
    assert_eq!(answer.names(), ["b.proto", "c.proto", "a.proto"]);
}

#[tokio::test]
async fn imports_of_many_ways_come_once_and_soon() {
    // As many ways as 2 to the power of 60, were each gone by itself.
    let layers: Vec<_> = (0..60)
        .flat_map(|layer| {
            let next = [
                format!("{}l.proto", layer + 1),
                format!("{}r.proto", layer + 1),
            ];
            let imports = [next[0].as_str(), next[1].as_str()];
            ["l", "r"].map(|side| bare_file(&format!("{layer}{side}.proto"), &imports))
        })
        .collect();
    let reflection = Reflection::new().add_descriptors(set(layers)).unwrap();
    let ask = [file("0l.proto"), file("0r.proto")];
    let answers = answers(&reflection, ask).await;
    assert_eq!(answers[0].names().len(), 119);
    assert_eq!(answers[1].names(), ["0r.proto"]);
}

#[tokio::test]
async fn a_name_that_two_files_declare_is_the_first_ones() {
    let message = DescriptorProto {
        name: Some("Twice".to_owned()),
        ..DescriptorProto::default()
    };
    let files = ["b.proto", "a.proto"].map(|name| FileDescriptorProto {
        message_type: vec![message.clone()],
        ..bare_file(name, &[])
    });
    let reflection = Reflection::new().add_descriptors(set(files)).unwrap();
    assert_eq!(
        answer(&reflection, symbol("Twice")).await.names(),
        ["b.proto"]
    );
}

#[tokio::test]
async fn what_is_added_later_is_not_in_services_that_were_made_before() {
    let before = Reflection::new();
    let service = before.v1();
    let after = before.add_descriptors(proto2::FILE_DESCRIPTOR_SET).unwrap();
    let ask = vec![reflection_client::request(file("proto2.proto"))];
    let response = reflection_client::respond(service, ask).await;
    let answer_before = response[0].message_response.as_ref().unwrap();
    assert_eq!(answer_before.code(), NOT_FOUND);
    assert_eq!(answer(&after, file("proto2.proto")).await.names().len(), 1);
}

/// What a tool does: it asks for a service, and then for each import by name.
#[tokio::test]
async fn a_tool_that_asks_for_each_import_gets_all_of_them() {
    for (descriptors, name) in [
        (examples::FILE_DESCRIPTOR_SET, "examples.ItemService"),
        (
            split::two::api::FILE_DESCRIPTOR_SET,
            "split.two.LeftService",
        ),
        (
            custom_options::FILE_DESCRIPTOR_SET,
            "custom_options.RuledService",
        ),
        (well_known::FILE_DESCRIPTOR_SET, "well_known.OtherService"),
    ] {
        let reflection = reflecting(descriptors);
        let closure: BTreeSet<_> = answer(&reflection, symbol(name))
            .await
            .names()
            .into_iter()
            .collect();
        let mut known = BTreeSet::new();
        let mut wanted = vec![answer(&reflection, symbol(name)).await.names().remove(0)];
        while let Some(next) = wanted.pop() {
            let answer = answer(&reflection, file(&next)).await;
            let found = FileDescriptorProto::decode(&*answer.files()[0]).unwrap();
            if known.insert(next) {
                wanted.extend(found.dependency);
            }
        }
        assert_eq!(known, closure, "{name}");
    }
}
