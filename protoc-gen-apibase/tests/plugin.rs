//! The plugin protocol, without protoc: requests built by hand, responses read back.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use prost::Message as _;
use prost_types::compiler::code_generator_response::File as ResponseFile;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};
use prost_types::{
    DescriptorProto, FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto,
};

fn file() -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some("a.proto".to_owned()),
        package: Some("a".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![DescriptorProto {
            name: Some("M".to_owned()),
            ..Default::default()
        }],
        service: vec![ServiceDescriptorProto {
            name: Some("AService".to_owned()),
            method: vec![method("Do")],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn method(name: &str) -> MethodDescriptorProto {
    MethodDescriptorProto {
        name: Some(name.to_owned()),
        input_type: Some(".a.M".to_owned()),
        output_type: Some(".a.M".to_owned()),
        ..Default::default()
    }
}

fn request(file: FileDescriptorProto, parameter: &str) -> CodeGeneratorRequest {
    CodeGeneratorRequest {
        file_to_generate: vec![file.name().to_owned()],
        parameter: Some(parameter.to_owned()),
        proto_file: vec![file],
        compiler_version: None,
    }
}

struct Run {
    success: bool,
    response: CodeGeneratorResponse,
    stderr: String,
}

fn run(request: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_protoc-gen-apibase"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(request).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        success: output.status.success(),
        response: CodeGeneratorResponse::decode(output.stdout.as_slice()).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn names(response: &CodeGeneratorResponse) -> Vec<&str> {
    response.file.iter().map(ResponseFile::name).collect()
}

#[test]
fn files_come_back() {
    let run = run(&request(file(), "include_file=mod.rs").encode_to_vec());
    assert!(run.success);
    assert_eq!(run.response.error, None);
    let mut names = names(&run.response);
    names.sort_unstable();
    assert_eq!(names, ["a.api.rs", "a.descriptors.rs", "a.rs", "mod.rs"]);
    assert_eq!(run.stderr, "");
}

#[test]
fn only_proto3_optional_is_supported() {
    let run = run(&request(file(), "").encode_to_vec());
    assert_eq!(run.response.supported_features, Some(1));
}

#[test]
fn unknown_parameter_is_an_error_in_the_response() {
    let run = run(&request(file(), "tonc=true").encode_to_vec());
    assert!(run.success);
    assert!(run.response.file.is_empty());
    let error = run.response.error();
    assert!(error.starts_with("unknown parameter `tonc`"), "{error}");
    assert!(error.contains("did you mean `tonic`?"), "{error}");
}

#[test]
fn schema_errors_are_in_the_response_all_at_once() {
    let mut file = file();
    file.service[0].method = vec![
        method("GetIt"),
        method("get_it"),
        method("PutIt"),
        method("put_it"),
    ];
    let run = run(&request(file, "").encode_to_vec());
    assert!(run.success);
    assert!(run.response.file.is_empty());
    let error = run.response.error();
    assert!(
        error.contains("get_it") && error.contains("put_it"),
        "{error}"
    );
}

#[test]
fn editions_are_refused_by_a_sentence() {
    let mut file = file();
    file.syntax = Some("editions".to_owned());
    let run = run(&request(file, "").encode_to_vec());
    assert!(run.success);
    assert!(
        run.response
            .error()
            .contains("editions are not supported yet")
    );
}

#[test]
fn warnings_go_to_stderr() {
    let mut request = request(file(), "");
    request
        .file_to_generate
        .push("google/protobuf/empty.proto".to_owned());
    request.proto_file.push(FileDescriptorProto {
        name: Some("google/protobuf/empty.proto".to_owned()),
        package: Some("google.protobuf".to_owned()),
        ..Default::default()
    });
    let run = run(&request.encode_to_vec());
    assert_eq!(run.response.error, None);
    assert!(run.stderr.starts_with("warning: "), "{}", run.stderr);
}

#[test]
fn unstripped_descriptors_are_preferred() {
    let mut whole = file();
    whole.service[0].method.push(method("OnlyInSource"));
    let mut request = request(file(), "").encode_to_vec();
    // `repeated FileDescriptorProto source_file_descriptors = 17`
    prost::encoding::message::encode(17, &whole, &mut request);
    let run = run(&request);
    let api = run
        .response
        .file
        .iter()
        .find(|file| file.name() == "a.api.rs")
        .unwrap();
    assert!(
        api.content().contains("fn only_in_source"),
        "{}",
        api.content()
    );
}

#[test]
fn garbled_descriptor_is_a_message_and_a_failure() {
    let mut request = CodeGeneratorRequest {
        file_to_generate: vec!["a.proto".to_owned()],
        ..Default::default()
    }
    .encode_to_vec();
    // `repeated FileDescriptorProto proto_file = 15`, of bytes that are none.
    prost::encoding::bytes::encode(15, &vec![0xFF_u8; 8], &mut request);
    let run = run(&request);
    assert!(!run.success);
    assert!(
        run.stderr.contains("garbled file descriptor"),
        "{}",
        run.stderr
    );
}
