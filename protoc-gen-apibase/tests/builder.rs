//! The builder from outside, as a build script sees it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::fs;
use std::path::Path;

use protoc_gen_apibase::{Emit, Error, Output, configure};

const SHOP: &str = r#"
syntax = "proto3";
package shop;
import "common/money.proto";
import "google/protobuf/empty.proto";
// Sells.
service ShopService {
  // Buys.
  rpc Buy(Item) returns (google.protobuf.Empty);
}
// One thing.
message Item {
  // What it costs.
  common.Money price = 1;
}
"#;

const MONEY: &str = r#"
syntax = "proto3";
package common;
// An amount.
message Money {
  // In cents.
  int64 cents = 1;
}
"#;

fn protos() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("common")).unwrap();
    fs::write(dir.path().join("shop.proto"), SHOP).unwrap();
    fs::write(dir.path().join("common/money.proto"), MONEY).unwrap();
    dir
}

fn names(output: &Output) -> Vec<&str> {
    output.files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn module_tree_is_mod_rs_and_imports_are_there() {
    let dir = protos();
    let output = configure()
        .generate(&["shop.proto"], &[dir.path()])
        .unwrap();
    let mut names = names(&output);
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "common.rs",
            "mod.rs",
            "shop.api.rs",
            "shop.descriptors.rs",
            "shop.rs"
        ]
    );
}

#[test]
fn compile_writes_into_the_directory() {
    let dir = protos();
    let out = dir.path().join("deep/gen");
    let builder = configure().out_dir(&out).include_file("shop_mod.rs");
    builder
        .compile(&[dir.path().join("shop.proto")], &[dir.path()])
        .unwrap();
    let tree = fs::read_to_string(out.join("shop_mod.rs")).unwrap();
    assert!(tree.contains("pub mod shop"), "{tree}");
    // A second run finds nothing to do.
    let before = fs::metadata(out.join("shop.rs"))
        .unwrap()
        .modified()
        .unwrap();
    builder
        .compile(&[dir.path().join("shop.proto")], &[dir.path()])
        .unwrap();
    assert_eq!(
        fs::metadata(out.join("shop.rs"))
            .unwrap()
            .modified()
            .unwrap(),
        before
    );
}

#[test]
fn files_are_the_same_whatever_their_order() {
    let dir = protos();
    let one = configure().generate(&["shop.proto", "common/money.proto"], &[dir.path()]);
    let other = configure().generate(&["common/money.proto", "shop.proto"], &[dir.path()]);
    assert_eq!(one.unwrap(), other.unwrap());
}

#[test]
fn settings_reach_the_output() {
    let dir = protos();
    let output = configure()
        .tonic(true)
        .extern_path(".common", "::common_types")
        .type_attribute(".shop.Item", "#[derive(Eq)]")
        .field_attribute(".shop.Item.price", "#[cfg(all())]")
        .bytes(".")
        .btree_map(".")
        .generate(&["shop.proto"], &[dir.path()])
        .unwrap();
    let shop = output
        .files
        .iter()
        .find(|file| file.name == "shop.rs")
        .unwrap();
    assert!(shop.content.contains("derive(Eq)"), "{}", shop.content);
    assert!(shop.content.contains("cfg(all())"), "{}", shop.content);
    assert!(
        shop.content.contains("::common_types::Money"),
        "{}",
        shop.content
    );
    assert!(names(&output).contains(&"shop.tonic.rs"));
    assert!(!names(&output).contains(&"common.rs"));
}

#[test]
fn bad_settings_are_parameter_errors() {
    let error = configure()
        .extern_path("common", "::x")
        .include_file("a/b.rs")
        .generate(&["shop.proto"], &["."])
        .unwrap_err();
    assert!(error.is_parameter());
    assert_eq!(error.diagnostics().len(), 2, "{error}");
}

#[test]
fn schema_error_is_readable_from_main() {
    let dir = protos();
    fs::write(
        dir.path().join("shop.proto"),
        SHOP.replace("(Item)", "(Itme)"),
    )
    .unwrap();
    let result: Result<(), Error> = configure()
        .out_dir(dir.path().join("gen"))
        .compile(&["shop.proto"], &[dir.path()]);
    let text = format!("{:?}", result.unwrap_err());
    assert!(
        text.starts_with("shop.proto:9:11: name 'Itme' is not defined"),
        "{text}"
    );
    assert!(!dir.path().join("gen").exists());
}

#[test]
fn docs_alone_leave_the_rust_out() {
    let dir = protos();
    let docs = Emit {
        rust: false,
        docs: true,
        ..Emit::default()
    };
    let output = configure()
        .emit(docs)
        .generate(&["shop.proto"], &[dir.path()]);
    if cfg!(feature = "cli") {
        assert_eq!(names(&output.unwrap()), ["shop.ShopService.md"]);
    } else {
        let error = output.unwrap_err().to_string();
        assert!(error.contains("needs the feature `cli`"), "{error}");
    }
}

#[test]
fn out_dir_is_asked_for_by_name() {
    // cargo sets OUT_DIR for tests only where the package has a build script.
    if std::env::var_os("OUT_DIR").is_some() {
        return;
    }
    let error = configure()
        .compile(&["a.proto"], &[Path::new(".")])
        .unwrap_err();
    assert!(error.to_string().contains("OUT_DIR is not set"), "{error}");
    assert!(error.to_string().contains(".out_dir("), "{error}");
}
