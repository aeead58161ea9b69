//! Server reflection: each question, and its answer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod reflection_client;

use apibase::{Code, Reflection};
use apibase_tests::custom_options::custom_options::api as custom_options;
use apibase_tests::kinds::kinds::api as kinds;
use apibase_tests::no_package::api as no_package;
use apibase_tests::proto2::proto2::api as proto2;
use apibase_tests::split_files::split::one::api as split;
use reflection_client::{
    Ask, ServerReflectionRequest, answer, answers, extension, file, numbers, reflecting, request,
    respond, services, symbol,
};

const NOT_FOUND: i32 = Code::NotFound as i32;
const INVALID_ARGUMENT: i32 = Code::InvalidArgument as i32;

#[tokio::test]
async fn services_are_listed_in_order_and_reflection_is_one() {
    let reflection = Reflection::new()
        .list("zoo.Zebras")
        .list("animals.Ants")
        .list("animals.Ants");
    let listed = [
        "animals.Ants",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "zoo.Zebras",
    ];
    assert_eq!(answer(&reflection, services()).await.services(), listed);
    assert_eq!(reflection.services().collect::<Vec<_>>(), listed);
}

#[tokio::test]
async fn only_what_is_served_is_listed() {
    // Its files declare four services.
    let reflection = reflecting(kinds::FILE_DESCRIPTOR_SET).list("kinds.KindService");
    let answer = answer(&reflection, services()).await;
    assert!(answer.services().contains(&"kinds.KindService"));
    assert!(!answer.services().contains(&"kinds.WithoutComments"));
}

#[tokio::test]
async fn reflection_tells_of_itself() {
    for version in ["v1", "v1alpha"] {
        let name = format!("grpc.reflection.{version}.ServerReflection.ServerReflectionInfo");
        let answer = answer(&Reflection::new(), symbol(&name)).await;
        let file = format!("grpc/reflection/{version}/reflection.proto");
        assert_eq!(answer.names(), [file]);
    }
}

#[tokio::test]
async fn a_file_comes_first_and_its_imports_after_it() {
    let reflection = reflecting(split::FILE_DESCRIPTOR_SET);
    let answer = answer(&reflection, file("importing.proto")).await;
    assert_eq!(answer.names(), ["importing.proto", "imported.proto"]);
}

#[tokio::test]
async fn a_stream_gets_imports_once_and_what_it_asks_for_always() {
    let reflection = reflecting(split::FILE_DESCRIPTOR_SET);
    let ask = [
        file("importing.proto"),
        symbol("split.one.ImportingService"),
        file("imported.proto"),
    ];
    let answers = answers(&reflection, ask).await;
    let names: Vec<_> = answers.iter().map(|answer| answer.names()).collect();
    assert_eq!(names[0], ["importing.proto", "imported.proto"]);
    assert_eq!(names[1], ["importing.proto"]);
    assert_eq!(names[2], ["imported.proto"]);
}

#[tokio::test]
async fn an_import_that_was_asked_for_before_is_not_sent_again() {
    let reflection = reflecting(split::FILE_DESCRIPTOR_SET);
    let answers = answers(
        &reflection,
        [file("imported.proto"), file("importing.proto")],
    )
    .await;
    assert_eq!(answers[1].names(), ["importing.proto"]);
}

#[tokio::test]
async fn another_stream_gets_all_of_it_again() {
    let reflection = reflecting(split::FILE_DESCRIPTOR_SET);
    for _ in 0..2 {
        let answer = answer(&reflection, file("importing.proto")).await;
        assert_eq!(answer.names().len(), 2);
    }
}

/// Each kind of thing that has a name, and its file.
const SYMBOLS: &[(&[u8], &str, &[&str])] = &[
    (
        proto2::FILE_DESCRIPTOR_SET,
        "proto2.proto",
        &[
            "proto2.Two",
            "proto2.Two.text",
            "proto2.Two.choice",
            "proto2.Two.Group",
            "proto2.Two.Group.z",
            "proto2.Two.MapEntry",
            "proto2.Two.inside",
            "proto2.outside",
            "proto2.grouped",
            "proto2.Level",
            // A value stands beside its enum.
            "proto2.LEVEL_HIGH",
            "proto2.TwoService",
            "proto2.TwoService.Get",
        ],
    ),
    (
        custom_options::FILE_DESCRIPTOR_SET,
        "rules.proto",
        &[
            "custom_options.rules.Rule.Severity",
            "custom_options.rules.Rule.HIGH",
            "custom_options.rules.Rule.ratio",
            // What stands for `optional`.
            "custom_options.rules.Rule._zero",
            "custom_options.rules.file_rule",
        ],
    ),
    (
        no_package::FILE_DESCRIPTOR_SET,
        "root.proto",
        &["Root", "Root.Dig"],
    ),
];

#[tokio::test]
async fn every_kind_of_symbol_has_its_file() {
    for (descriptors, file, symbols) in SYMBOLS {
        let reflection = reflecting(descriptors);
        for name in *symbols {
            let answer = answer(&reflection, symbol(name)).await;
            let names = match answer {
                reflection_client::Answer::Error(error) => panic!("{name}: {error:?}"),
                answer => answer.names(),
            };
            assert_eq!(names.first().unwrap(), file, "{name}");
        }
    }
}

#[tokio::test]
async fn what_nothing_declares_is_not_found_and_the_stream_goes_on() {
    let reflection = reflecting(proto2::FILE_DESCRIPTOR_SET);
    let unknown = [
        file(""),
        file("proto3.proto"),
        file("/proto2.proto"),
        symbol(""),
        // A package is no symbol.
        symbol("proto2"),
        symbol("proto2.Tw"),
        symbol(".proto2.Two"),
        symbol("proto2.Two."),
        symbol("proto2.Level.LEVEL_HIGH"),
        symbol("proto2.TwoService/Get"),
        extension("proto2.Two", 99),
        extension("proto2.Two", i32::MIN),
        extension("proto2.Gone", 100),
        extension("", 0),
        numbers("proto2.Gone"),
        numbers(""),
    ];
    let asks = unknown.iter().cloned().chain([file("proto2.proto")]);
    let answers = answers(&reflection, asks).await;
    let (last, errors) = answers.split_last().unwrap();
    for (answer, ask) in errors.iter().zip(&unknown) {
        assert_eq!(answer.code(), NOT_FOUND, "{ask:?}");
    }
    assert_eq!(last.names(), ["proto2.proto"]);
}

#[tokio::test]
async fn an_extension_has_its_file_by_type_and_number() {
    let two = reflecting(proto2::FILE_DESCRIPTOR_SET);
    for number in [100, 101, 102, 103] {
        let answer = answer(&two, extension("proto2.Two", number)).await;
        assert_eq!(answer.names(), ["proto2.proto"]);
    }
    let custom = reflecting(custom_options::FILE_DESCRIPTOR_SET);
    let answer = answer(&custom, extension("google.protobuf.FieldOptions", 51013)).await;
    assert_eq!(
        answer.names(),
        ["rules.proto", "google/protobuf/descriptor.proto"]
    );
}

#[tokio::test]
async fn the_numbers_of_extensions_come_in_order() {
    let two = reflecting(proto2::FILE_DESCRIPTOR_SET);
    let answer = answers(&two, [numbers("proto2.Two")]).await;
    assert_eq!(answer[0].numbers(), [100, 101, 102, 103]);
    let custom = reflecting(custom_options::FILE_DESCRIPTOR_SET);
    let answer = answers(&custom, [numbers("google.protobuf.FieldOptions")]).await;
    assert_eq!(answer[0].numbers(), [51003, 51013, 51023, 51033]);
}

#[tokio::test]
async fn a_message_without_extensions_has_no_numbers() {
    let reflection = reflecting(proto2::FILE_DESCRIPTOR_SET);
    // The first two could be extended.
    let ask = ["proto2.Set", "proto2.Two.Group", "proto2.Two.MapEntry"].map(numbers);
    for answer in answers(&reflection, ask).await {
        assert_eq!(answer.numbers(), [0; 0]);
    }
}

#[tokio::test]
async fn a_request_that_asks_for_nothing_is_invalid_and_the_stream_goes_on() {
    let requests = vec![
        ServerReflectionRequest::default(),
        ServerReflectionRequest {
            host: "here".to_owned(),
            message_request: None,
        },
        request(services()),
    ];
    let responses = respond(Reflection::new().v1(), requests).await;
    let answers: Vec<_> = responses
        .iter()
        .map(|response| response.message_response.as_ref().unwrap())
        .collect();
    assert_eq!(answers[0].code(), INVALID_ARGUMENT);
    assert_eq!(answers[1].code(), INVALID_ARGUMENT);
    assert_eq!(answers[2].services().len(), 2);
}

#[tokio::test]
async fn host_and_request_come_back_with_every_answer() {
    let reflection = reflecting(proto2::FILE_DESCRIPTOR_SET);
    let asks = [
        Some(file("proto2.proto")),
        Some(symbol("proto2.Nobody")),
        Some(extension("proto2.Two", 100)),
        Some(numbers("proto2.Two")),
        Some(Ask::Services("anything".to_owned())),
        None,
    ];
    let requests: Vec<_> = asks
        .into_iter()
        .enumerate()
        .map(|(number, message_request)| ServerReflectionRequest {
            host: format!("host-{number}"),
            message_request,
        })
        .collect();
    let responses = respond(reflection.v1alpha(), requests.clone()).await;
    assert_eq!(responses.len(), requests.len());
    for (response, request) in responses.into_iter().zip(requests) {
        assert_eq!(response.valid_host, request.host);
        assert_eq!(response.original_request, Some(request));
    }
}

#[tokio::test]
async fn numbers_say_whose_they_are() {
    let reflection = reflecting(proto2::FILE_DESCRIPTOR_SET);
    match answer(&reflection, numbers("proto2.Two")).await {
        reflection_client::Answer::Numbers(numbers) => {
            assert_eq!(numbers.base_type_name, "proto2.Two");
        }
        other => panic!("{other:?}"),
    }
}
