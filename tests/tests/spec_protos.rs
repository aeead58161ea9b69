//! The protos under `protos/` are what the specification's documents say.
//!
//! `spec/` has the documents' own declarations, word for word. A proto of ours may say more (what
//! a document only names is filled in) but never otherwise.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use apibase::prost_types::field_descriptor_proto::Label;
use apibase::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    ServiceDescriptorProto,
};

/// Our proto, and the excerpts of the documents that it fulfils.
const PAIRS: &[(&str, &[&str])] = &[
    ("common/errors.proto", &["errors.proto"]),
    ("examples/items.proto", &["items.proto"]),
    ("auth/auth.proto", &["auth.proto", "auth_benefits.proto"]),
    (
        "auth/versions.proto",
        &[
            "auth_versions.proto",
            "auth_user.proto",
            "auth_user_reserved.proto",
        ],
    ),
    ("inventory/inventory.proto", &["inventory.proto"]),
    ("chat/v1/message.proto", &["chat.proto"]),
    ("myservice/service.proto", &["myservice.proto"]),
];

#[test]
fn every_proto_is_what_the_documents_say() {
    let mut missing = Vec::new();
    for (ours, excerpts) in PAIRS {
        let declared = facts(&parse(&protos().join(ours)));
        for excerpt in *excerpts {
            let wanted = facts(&parse(&spec().join(excerpt)));
            assert!(!wanted.is_empty(), "{excerpt} declares nothing");
            missing.extend(
                wanted
                    .difference(&declared)
                    .map(|fact| format!("{ours}: {fact} ({excerpt})")),
            );
        }
    }
    assert!(missing.is_empty(), "not declared:\n{}", missing.join("\n"));
}

#[test]
fn every_excerpt_of_the_documents_is_compared() {
    let mut compared: Vec<&str> = PAIRS
        .iter()
        .flat_map(|(_, all)| all.iter().copied())
        .collect();
    compared.push("health.proto");
    for entry in fs::read_dir(spec()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            compared.contains(&name.as_str()),
            "{name} is compared with nothing"
        );
    }
}

#[test]
fn health_is_the_standard_protocol() {
    let ours = facts(&parse(&protos().join("common/health.proto")));
    let standard = facts(&parse(&spec().join("health.proto")));
    assert_eq!(ours, standard);
}

#[test]
fn user_reserves_what_the_document_reserves() {
    let file = parse(&protos().join("auth/versions.proto"));
    let user = file
        .message_type
        .iter()
        .find(|m| m.name() == "User")
        .unwrap();
    let mut ranges: Vec<(i32, i32)> = user
        .reserved_range
        .iter()
        .map(|range| (range.start(), range.end() - 1))
        .collect();
    ranges.sort_unstable();
    assert_eq!(ranges, [(2, 2), (9, 11), (15, 15)]);
    assert_eq!(user.reserved_name, ["old_field", "deprecated_field"]);
}

#[test]
fn items_import_the_shared_error_detail() {
    let set = compiled();
    let items = set
        .iter()
        .find(|f| f.name() == "examples/items.proto")
        .unwrap();
    assert!(items.dependency.iter().any(|d| d == "common/errors.proto"));
    let of = |message: &str, field: &str| {
        let message = items
            .message_type
            .iter()
            .find(|m| m.name() == message)
            .unwrap();
        let field = message.field.iter().find(|f| f.name() == field).unwrap();
        field.type_name().to_owned()
    };
    assert_eq!(of("BatchCreateResponse", "errors"), ".common.ErrorDetail");
    assert_eq!(of("ItemSyncResponse", "error"), ".common.ErrorDetail");
}

#[test]
fn shared_and_example_protos_have_their_folders() {
    for file in [
        "common/errors.proto",
        "common/health.proto",
        "examples/items.proto",
    ] {
        assert!(protos().join(file).is_file(), "protos/{file} is missing");
    }
}

#[test]
fn every_proto_is_proto3() {
    for file in compiled() {
        assert_eq!(file.syntax(), "proto3", "{}", file.name());
    }
}

#[test]
fn chat_is_versioned_by_its_package() {
    let file = parse(&protos().join("chat/v1/message.proto"));
    assert_eq!(file.package(), "chat.v1");
}

#[test]
fn buf_is_configured() {
    let text = fs::read_to_string(protos().join("buf.yaml")).unwrap();
    for rules in ["STANDARD", "COMMENTS", "breaking:"] {
        assert!(text.contains(rules), "buf.yaml has no {rules}");
    }
}

#[test]
fn no_proto_names_a_rust_path() {
    for path in all_protos() {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            assert!(
                !code.contains("::"),
                "{}:{}: {line}",
                path.display(),
                number + 1
            );
        }
    }
}

fn protos() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../protos")
}

fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec")
}

/// Parses one file without looking at its imports: an excerpt has none.
fn parse(path: &Path) -> FileDescriptorProto {
    let source = fs::read_to_string(path).unwrap();
    match protox::file::File::from_source(&path.to_string_lossy(), &source) {
        Ok(file) => file.file_descriptor_proto().clone(),
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// Compiles all of `protos/`, which also proves that every import is there.
fn compiled() -> Vec<FileDescriptorProto> {
    let set = protox::compile(all_protos(), [protos()]).unwrap();
    set.file
        .into_iter()
        .filter(|file| !file.name().starts_with("google/"))
        .collect()
}

fn all_protos() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![protos()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "proto")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// All that a file declares, one sentence each, so that two files can be compared as sets.
fn facts(file: &FileDescriptorProto) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for message in &file.message_type {
        message_facts(file.package(), message, &mut facts);
    }
    for declared in &file.enum_type {
        enum_facts(file.package(), declared, &mut facts);
    }
    for service in &file.service {
        service_facts(file.package(), service, &mut facts);
    }
    facts
}

fn message_facts(scope: &str, message: &DescriptorProto, facts: &mut BTreeSet<String>) {
    let scope = format!("{scope}.{}", message.name());
    facts.insert(format!("message {scope}"));
    for field in &message.field {
        facts.insert(field_fact(&scope, message, field));
    }
    for nested in &message.nested_type {
        message_facts(&scope, nested, facts);
    }
    for nested in &message.enum_type {
        enum_facts(&scope, nested, facts);
    }
}

fn field_fact(scope: &str, message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let label = match field.label() {
        Label::Repeated => "repeated ",
        _ if field.proto3_optional() => "optional ",
        _ => "",
    };
    let kind = if field.type_name.is_some() {
        last_segment(field.type_name()).to_owned()
    } else {
        format!("{:?}", field.r#type())
    };
    let oneof = field
        .oneof_index
        .filter(|_| !field.proto3_optional())
        .and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?))
        .map_or(String::new(), |oneof| format!(" in oneof {}", oneof.name()));
    format!(
        "{label}{kind} {scope}.{} = {}{oneof}",
        field.name(),
        field.number()
    )
}

fn enum_facts(scope: &str, declared: &EnumDescriptorProto, facts: &mut BTreeSet<String>) {
    for value in &declared.value {
        let name = format!("{scope}.{}.{}", declared.name(), value.name());
        facts.insert(format!("value {name} = {}", value.number()));
    }
}

fn service_facts(scope: &str, service: &ServiceDescriptorProto, facts: &mut BTreeSet<String>) {
    for method in &service.method {
        let stream = |streaming: bool| if streaming { "stream " } else { "" };
        facts.insert(format!(
            "rpc {scope}.{}.{}({}{}) returns ({}{})",
            service.name(),
            method.name(),
            stream(method.client_streaming()),
            last_segment(method.input_type()),
            stream(method.server_streaming()),
            last_segment(method.output_type()),
        ));
    }
}

/// An excerpt writes `ErrorDetail` where our proto writes `common.ErrorDetail`.
fn last_segment(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
