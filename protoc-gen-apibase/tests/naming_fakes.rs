//! Which files `emit=fakes` writes, and rule 27 of NAMING.md.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod schema;

use protoc_gen_apibase::{Options, Request, generate};
use schema::{files, request};

const SHOP: &str = r#"
    syntax = "proto3";
    package shop.v1;
    message Item {}
    message Fake { message Items {} }
    service Items {
      rpc New(Item) returns (Item);
      rpc Type(stream Item) returns (stream Fake.Items);
    }
    service RtTesting { rpc Get(Item) returns (stream Item); }
"#;

const PARTS: &str = r#"
    syntax = "proto3";
    package parts;
    message Part {}
"#;

fn with(options: &str) -> Request {
    let mut request = request(&[("shop.proto", SHOP), ("parts.proto", PARTS)]);
    request.options = Options::parse(options).unwrap();
    request
}

fn names(options: &str) -> Vec<String> {
    files(&with(options)).into_keys().collect()
}

#[test]
fn rule_27_a_service_has_a_fake_and_a_trait_beside_it() {
    let fakes = &files(&with("emit=fakes"))["shop.v1.fakes.rs"];
    let lines = fakes.lines().map(str::trim);
    let named = lines.filter(|line| {
        ["pub ", "async fn ", "impl ", "Self {", "fn "]
            .iter()
            .any(|start| line.starts_with(start))
            || line.contains("FakeMethod::new")
    });
    insta::assert_snapshot!(named.collect::<Vec<_>>().join("\n"));
}

#[test]
fn fakes_are_written_for_packages_with_services_and_nothing_includes_them() {
    assert_eq!(names("emit=fakes"), ["shop.v1.fakes.rs"]);
    let all = files(&with("emit=rust,emit=fakes,include_file=mod.rs"));
    let others = all.iter().filter(|(name, _)| *name != "fakes.rs");
    for (name, content) in others {
        assert!(!content.contains("fakes.rs"), "{name}");
    }
}

#[test]
fn their_tree_is_written_where_there_is_one_of_the_packages() {
    let tree = "emit=fakes,include_file=mod.rs";
    assert_eq!(names(tree), ["fakes.rs", "shop.v1.fakes.rs"]);
    let rust = names("emit=rust,include_file=mod.rs");
    assert!(!rust.iter().any(|name| name.contains("fakes")), "{rust:?}");
}

#[test]
fn the_tree_of_the_packages_leaves_that_of_the_fakes_its_name() {
    let error = generate(&with("emit=rust,emit=fakes,include_file=fakes.rs"));
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("the name of the module tree of the fakes"),
        "{error}"
    );
    assert!(error.contains("mod.rs"), "{error}");
}

#[test]
fn the_tree_of_the_packages_leaves_their_fakes_their_names() {
    let taken = "include_file=shop.v1.fakes.rs";
    let error = generate(&with(&format!("emit=rust,emit=fakes,{taken}"))).unwrap_err();
    assert!(error.is_parameter(), "{error}");
    let error = error.to_string();
    assert!(error.contains("the name of a package's file"), "{error}");
    let rust = names(&format!("emit=rust,{taken}"));
    assert!(rust.contains(&"shop.v1.fakes.rs".to_owned()), "{rust:?}");
}

#[test]
fn a_name_that_a_fake_takes_is_an_error_under_fakes_alone() {
    let shop = r#"
        syntax = "proto3";
        package shop;
        message Item {}
        service Items { rpc Get(Item) returns (Item); }
        service FakeItemsClient { rpc Get(Item) returns (Item); }
        service In { rpc Get(Item) returns (Item); }
        service FakeIn { rpc Get(Item) returns (Item); }
    "#;
    let mut clean = request(&[("shop.proto", shop)]);
    clean.options.emit.fakes = true;
    generate(&clean).unwrap();

    let shop = r#"
        syntax = "proto3";
        package shop;
        import "apibase/v1/options.proto";
        message Item {}
        message FakeItems { option (apibase.v1.entity) = {}; string name = 1; }
        service Items { rpc Get(Item) returns (Item); }
    "#;
    let options = include_str!("../../protos/apibase/v1/options.proto");
    let sources = [("shop.proto", shop), ("apibase/v1/options.proto", options)];
    let mut clash = request(&sources);
    clash.files.truncate(1);
    generate(&clash).unwrap();
    clash.options.emit.fakes = true;
    let error = generate(&clash).unwrap_err().to_string();
    assert!(error.contains("shop.proto:6:"), "{error}");
    assert!(error.contains("the type `FakeItems`"), "{error}");
    assert!(error.contains("generate without `emit=fakes`"), "{error}");
}
