//! The plugin started by the real protoc and the real buf: the same bytes as `generate`.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_protoc-gen-apibase");

const FILES: [&str; 4] = [
    "shop/items.proto",
    "shop/orders.proto",
    "common/money.proto",
    "options.proto",
];

/// Comments, custom options (one of them for the source alone), imports, a package of two files.
fn protos() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join("protos").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("syntax = \"proto3\";\n{text}")).unwrap();
    };
    write(
        "options.proto",
        r#"package options;
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.FieldOptions {
          string kept = 50001;
          string source_only = 50002 [retention = RETENTION_SOURCE];
        }
        "#,
    );
    write(
        "common/money.proto",
        r#"package common;
        // An amount, see https://example.com [here].
        message Money { int64 cents = 1; }
        "#,
    );
    write(
        "shop/items.proto",
        r#"package shop;
        import "common/money.proto";
        import "options.proto";
        // A thing.
        message Item {
          // Its name.
          string name = 1 [(options.kept) = "a", (options.source_only) = "b"];
          optional common.Money price = 2;
          repeated int32 sizes = 3 [(options.kept) = "c"];
        }
        "#,
    );
    write(
        "shop/orders.proto",
        r#"package shop;
        import "shop/items.proto";
        import "google/protobuf/empty.proto";
        // Sells.
        service OrderService {
          // Buys one.
          rpc Buy(Item) returns (google.protobuf.Empty);
          // Watches.
          rpc Watch(google.protobuf.Empty) returns (stream Item);
        }
        "#,
    );
    dir
}

fn contents(dir: &Path) -> BTreeMap<String, String> {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    assert_eq!(stderr, "", "{command:?}");
}

fn generated(dir: &Path, options: &[&str]) -> BTreeMap<String, String> {
    let mut command = Command::new(BINARY);
    command
        .current_dir(dir)
        .args(["generate", "-I", "protos", "--out", "generated"]);
    for option in options {
        command.args(["--opt", option]);
    }
    assert!(command.args(FILES).output().unwrap().status.success());
    contents(&dir.join("generated"))
}

fn assert_same(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) {
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        other.keys().collect::<Vec<_>>()
    );
    for (name, content) in one {
        assert_eq!(content, &other[name], "{name}");
    }
}

#[test]
fn protoc_writes_what_generate_writes() {
    let dir = protos();
    let out = dir.path().join("gen");
    fs::create_dir(&out).unwrap();
    succeed(
        Command::new(protoc_bin_vendored::protoc_bin_path().unwrap())
            .current_dir(dir.path())
            .arg(format!("--plugin=protoc-gen-apibase={BINARY}"))
            .args(["-I", "protos", "--apibase_out=gen"])
            .arg("--apibase_opt=include_file=mod.rs,tonic")
            .args(["--apibase_opt=emit=rust", "--apibase_opt=emit=docs"])
            .args(FILES),
    );
    let options = ["include_file=mod.rs", "tonic", "emit=rust", "emit=docs"];
    assert_same(&contents(&out), &generated(dir.path(), &options));
}

#[test]
fn protoc_shows_our_errors() {
    let dir = protos();
    let output = Command::new(protoc_bin_vendored::protoc_bin_path().unwrap())
        .current_dir(dir.path())
        .arg(format!("--plugin=protoc-gen-apibase={BINARY}"))
        .args(["-I", "protos", "--apibase_out=.", "--apibase_opt=tonc"])
        .args(FILES)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        stderr.contains("--apibase_out: unknown parameter `tonc`"),
        "{stderr}"
    );
}

#[test]
fn buf_loses_nothing_by_directory_or_all_at_once() {
    let Some(buf) = buf() else {
        eprintln!("SKIPPED: buf is not installed");
        return;
    };
    let dir = protos();
    fs::write(dir.path().join("protos/buf.yaml"), "version: v2\n").unwrap();
    let expected = generated(dir.path(), &["tonic"]);
    for strategy in ["directory", "all"] {
        let out = dir.path().join(strategy);
        let template = format!(
            "version: v2\nplugins:\n  - local: {BINARY}\n    out: {}\n    strategy: {strategy}\n    \
             opt: [tonic]\n",
            out.display()
        );
        fs::write(dir.path().join("buf.gen.yaml"), template).unwrap();
        succeed(Command::new(&buf).current_dir(dir.path()).args([
            "generate",
            "protos",
            "--template",
            "buf.gen.yaml",
        ]));
        assert_same(&contents(&out), &expected);
    }
}

/// `buf` from the environment's BUF, or from the PATH.
fn buf() -> Option<PathBuf> {
    let named = std::env::var_os("BUF").map(PathBuf::from);
    let candidate = named.unwrap_or_else(|| PathBuf::from("buf"));
    let works = Command::new(&candidate)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    works.then_some(candidate)
}
