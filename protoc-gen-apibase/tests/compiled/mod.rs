//! Files with our options, compiled by protoc and by protox, which must come to the same.

#![allow(dead_code, reason = "each test file uses a part")]

use std::path::Path;

use protoc_gen_apibase::{Imports, Options, Output, Request, configure, generate};

use crate::corpus::{protoc, succeed};
use crate::schema::{Sources, write};

/// The three lines that every file here starts with.
pub(crate) const HEAD: &str =
    "syntax = \"proto3\";\npackage shop;\nimport \"apibase/v1/options.proto\";\n";

/// A message, so that methods have one.
pub(crate) const ITEM: &str = "message Item {}\n";

/// The file that `body` makes.
pub(crate) fn shop(body: &str) -> String {
    format!("{HEAD}{ITEM}{body}")
}

/// What is said about the file that `body` makes; the same by protox and by protoc.
pub(crate) fn refusal(body: &str) -> String {
    let error = both(&[("shop.proto", &shop(body))]).unwrap_err();
    assert!(error.is_schema(), "not a schema error: {error}");
    error.to_string()
}

/// What is said of what was generated all the same.
pub(crate) fn warnings(output: &Output) -> String {
    let warnings = output.warnings.iter().map(ToString::to_string);
    warnings.collect::<Vec<_>>().join("\n")
}

/// Generates for the first of `files` alone.
pub(crate) fn one_of(files: Sources<'_>) -> Output {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), files);
    let first: Vec<&str> = files.iter().take(1).map(|(name, _)| *name).collect();
    configure().generate(&first, &[dir.path()]).unwrap()
}

/// Generates by both compilers, which must give the same.
pub(crate) fn both(files: Sources<'_>) -> Result<Output, protoc_gen_apibase::Error> {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), files);
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let request = Request {
        descriptor_set: by_protoc(dir.path(), &names),
        files: names.iter().map(|name| (*name).to_owned()).collect(),
        imports: Imports::Generate,
        options: Options::parse("include_file=mod.rs").unwrap(),
    };
    let by_protoc = generate(&request);
    let by_protox = configure().generate(&names, &[dir.path()]);
    assert_eq!(format!("{by_protox:?}"), format!("{by_protoc:?}"));
    by_protox
}

/// The descriptor set of files in a folder.
pub(crate) fn by_protoc(dir: &Path, files: &[&str]) -> Vec<u8> {
    let out = dir.join("protoc.set");
    succeed(
        protoc_command(dir, files)
            .args(["--include_imports", "--include_source_info"])
            .arg(format!("--descriptor_set_out={}", out.display())),
    );
    std::fs::read(out).unwrap()
}

/// protoc for files in a folder, with our options.
pub(crate) fn protoc_command(dir: &Path, files: &[&str]) -> std::process::Command {
    let mut command = protoc();
    command
        .current_dir(dir)
        .arg("-I.")
        .arg(concat!("-I", env!("CARGO_MANIFEST_DIR"), "/protos"))
        .args(files);
    command
}
