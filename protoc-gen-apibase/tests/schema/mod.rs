//! Protos inline, compiled with protox and generated for.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::collections::BTreeMap;

use protoc_gen_apibase::{Error, Imports, Options, Output, Request, generate};

/// Files by name.
pub(crate) type Sources<'a> = &'a [(&'a str, &'a str)];

/// A request for all `files`, with their imports generated too.
pub(crate) fn request(files: Sources<'_>) -> Request {
    Request {
        descriptor_set: compile(files),
        files: files.iter().map(|(name, _)| (*name).to_owned()).collect(),
        imports: Imports::Generate,
        options: Options::default(),
    }
}

/// A request for one file, which is a package of its own.
pub(crate) fn one(source: &str) -> Request {
    request(&[("shop.proto", source)])
}

/// The encoded descriptor set of `files` and their imports.
pub(crate) fn compile(files: Sources<'_>) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), files);
    let mut compiler = protox::Compiler::new([dir.path()]).unwrap();
    compiler.include_imports(true).include_source_info(true);
    compiler
        .open_files(files.iter().map(|(name, _)| dir.path().join(name)))
        .unwrap_or_else(|error| panic!("{error:?}"));
    compiler.encode_file_descriptor_set()
}

/// Writes `files` below `dir`.
pub(crate) fn write(dir: &std::path::Path, files: Sources<'_>) {
    for (name, source) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, source).unwrap();
    }
}

/// The generated files by name.
pub(crate) fn files(request: &Request) -> BTreeMap<String, String> {
    let Output { files, .. } = generate(request).unwrap();
    files
        .into_iter()
        .map(|file| (file.name, file.content))
        .collect()
}

/// What is said about a schema that can't be generated for.
pub(crate) fn refusal(request: &Request) -> String {
    let error: Error = generate(request).unwrap_err();
    assert!(error.is_schema(), "not a schema error: {error}");
    error.to_string()
}

/// A file's declarations, one a line: what they are named, not what they do.
pub(crate) fn outline(content: &str) -> String {
    const DECLARATIONS: &[&str] = &[
        "pub trait ",
        "pub struct ",
        "pub enum ",
        "pub mod ",
        "pub const ",
        "fn ",
        "pub fn ",
        "pub async fn ",
        "include!",
        "\"",
    ];
    /// The same in every file, and seen in the golden ones.
    const USUAL: &[&str] = &[
        "pub fn new(",
        "pub fn into_service(",
        "pub async fn connect(",
        "pub fn connect_lazy(",
        "pub fn with(",
        "fn dispatch(",
        "pub const FILE_DESCRIPTOR_SET",
        "pub const METHODS:",
    ];
    let mut outline = String::new();
    for line in content.lines() {
        let text = line.trim_start();
        if let Some((rpc, _)) = text.split_once(" => ").filter(|_| text.starts_with('"')) {
            outline.push_str(&format!("{rpc} =>\n"));
            continue;
        }
        let declares = DECLARATIONS.iter().any(|start| text.starts_with(start));
        if declares && !USUAL.iter().any(|start| text.starts_with(start)) {
            outline.push_str(line.trim_end_matches(['{', '(', ' ', '=']));
            outline.push('\n');
        }
    }
    outline
}
