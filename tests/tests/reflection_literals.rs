//! The descriptors that the runtime brings for health and reflection are what protox compiles.
//!
//! `INSTA_UPDATE=always cargo test -p apibase-tests --test reflection_literals` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use apibase::prost::Message;
use apibase::prost_types::FileDescriptorProto;
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// `google/protobuf` as protox has it, the part of it that schemas import.
const GOOGLE: &[&str] = &[
    "any",
    "api",
    "compiler/plugin",
    "descriptor",
    "duration",
    "empty",
    "field_mask",
    "source_context",
    "struct",
    "timestamp",
    "type",
    "wrappers",
];

/// Where a line of a literal is broken, in characters.
const WIDTH: usize = 96;

/// A descriptor set whose files stay as they are.
#[derive(Clone, PartialEq, Message)]
struct RawSet {
    #[prost(bytes = "vec", repeated, tag = "1")]
    files: Vec<Vec<u8>>,
}

#[test]
fn the_files_of_google_protobuf_are_protoxs() {
    let names: Vec<_> = GOOGLE
        .iter()
        .map(|name| format!("google/protobuf/{name}.proto"))
        .collect();
    let set = compile(GoogleFileResolver::new(), &names);
    let set = RawSet::decode(&*set).unwrap();
    let mut files: Vec<_> = set
        .files
        .iter()
        .map(|bytes| {
            let file = FileDescriptorProto::decode(&**bytes).unwrap();
            (file.name().to_owned(), bytes)
        })
        .collect();
    files.sort();
    assert_eq!(
        files.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        names.iter().collect::<Vec<_>>()
    );

    let mut text = String::from(
        "//! protobuf's own files, without their comments.\n\
         //!\n\
         //! Generated descriptors leave them out, since compilers differ in their bytes. `prost-types`\n\
         //! has none, and a crate that has them costs more than these 18 kB. The test\n\
         //! `reflection_literals` compares them with protox's, and writes them.\n\
         \n\
         /// The descriptor of a file of `google/protobuf`.\n\
         pub(super) fn file(name: &str) -> Option<&'static [u8]> {\n    Some(match name {\n",
    );
    for (name, _) in &files {
        writeln!(text, "        \"{name}\" => {},", constant(name)).unwrap();
    }
    text.push_str("        _ => return None,\n    })\n}\n");
    for (name, bytes) in files {
        write!(
            text,
            "\nconst {}: &[u8] = {};\n",
            constant(&name),
            literal(bytes)
        )
        .unwrap();
    }
    compare("google.rs", &text);
}

#[test]
fn reflections_own_descriptors_are_those_of_its_proto() {
    let source = fs::read_to_string(folder().join("reflection.proto")).unwrap();
    let mut text = String::from(
        "//! `reflection.proto`, in both versions, as encoded `google.protobuf.FileDescriptorSet`s, and\n\
         //! `error_details.proto`.\n\
         //!\n\
         //! The test `reflection_literals` compiles the protos with protox, compares and writes them.\n",
    );
    for (constant, version) in [("V1", "v1"), ("V1ALPHA", "v1alpha")] {
        let name = format!("grpc/reflection/{version}/reflection.proto");
        let source = source
            .replace("reflection.v1", &format!("reflection.{version}"))
            .replace("reflection_v1", &format!("reflection_{version}"));
        let set = compile(
            Source {
                name: name.clone(),
                source,
            },
            &[name],
        );
        write!(
            text,
            "\n/// `grpc.reflection.{version}`.\npub(super) const {constant}: &[u8] = {};\n",
            literal(&set)
        )
        .unwrap();
    }
    let name = "google/rpc/error_details.proto".to_owned();
    let source = fs::read_to_string(folder().join("error_details.proto")).unwrap();
    let mut resolver = ChainFileResolver::new();
    resolver.add(GoogleFileResolver::new());
    let own = Source {
        name: name.clone(),
        source,
    };
    resolver.add(own);
    let set = compile(resolver, std::slice::from_ref(&name));
    let set = RawSet::decode(&*set).unwrap();
    let is_own = |file: &&Vec<u8>| FileDescriptorProto::decode(&***file).unwrap().name() == name;
    let file = set.files.iter().find(is_own).unwrap();
    write!(
        text,
        "\n/// `error_details.proto`, an encoded `google.protobuf.FileDescriptorProto`.\n\
         pub(super) const ERROR_DETAILS: &[u8] = {};\n",
        literal(file)
    )
    .unwrap();
    compare("own.rs", &text);
}

/// Where the standard has the file that is `protos/common/health.proto` here.
#[test]
fn healths_descriptors_are_those_of_its_proto() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let source = fs::read_to_string(root.join("protos/common/health.proto")).unwrap();
    let name = "grpc/health/v1/health.proto".to_owned();
    let set = compile(
        Source {
            name: name.clone(),
            source,
        },
        &[name],
    );
    let text = format!(
        "//! `health.proto` as an encoded `google.protobuf.FileDescriptorSet`.\n\
         //!\n\
         //! The test `reflection_literals` compiles the proto with protox, compares and writes it.\n\
         \n\
         /// `grpc.health.v1`.\n\
         pub(super) const V1: &[u8] = {};\n",
        literal(&set)
    );
    compare("../health/own.rs", &text);
}

/// One proto, under a name of its own.
#[derive(Debug)]
struct Source {
    name: String,
    source: String,
}

impl FileResolver for Source {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        assert_eq!(name, self.name);
        File::from_source(name, &self.source)
    }
}

fn compile(resolver: impl FileResolver + 'static, names: &[String]) -> Vec<u8> {
    Compiler::with_file_resolver(resolver)
        .include_imports(true)
        .include_source_info(false)
        .open_files(names)
        .unwrap()
        .encode_file_descriptor_set()
}

/// The name of the constant of a file: `FIELD_MASK`.
fn constant(name: &str) -> String {
    let stem = Path::new(name).file_stem().unwrap();
    stem.to_str().unwrap().to_uppercase()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src/reflection")
}

/// Whether a file of the runtime is `expected`; with `INSTA_UPDATE=always` it becomes that.
fn compare(file: &str, expected: &str) {
    let path = folder().join(file);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&path, expected).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == expected,
        "{} is not what protox compiles: run this test with INSTA_UPDATE=always",
        path.display()
    );
}

/// `bytes` as a literal of several lines.
fn literal(bytes: &[u8]) -> String {
    let mut out = String::from("b\"");
    let mut line = WIDTH;
    for byte in bytes {
        if line >= WIDTH {
            out.push_str("\\\n");
            line = 0;
        }
        let start = out.len();
        match byte {
            // A continued line loses the blanks that it starts with.
            b' ' if line == 0 => out.push_str("\\x20"),
            b'\n' => out.push_str("\\n"),
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => write!(out, "\\x{byte:02x}").unwrap(),
        }
        line += out.len() - start;
    }
    out.push('"');
    out
}
