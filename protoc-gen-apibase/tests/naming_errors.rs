//! One snapshot for every rule of NAMING.md about errors, named as the rule is numbered there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod entities;
mod schema;

use entities::with_options;
use protoc_gen_apibase::Options;
use schema::files;

const HEAD: &str = "syntax = \"proto3\"; import \"apibase/v1/options.proto\";\n";

/// The service layer of package `shop` with these declarations.
fn api(declarations: &str) -> String {
    let source = format!("{HEAD} package shop;\n{declarations}");
    let request = with_options(&[("shop.proto", &source)]);
    files(&request)["shop.api.rs"].clone()
}

/// A catalogue with these values, whose errors are `NOT_FOUND` and have `metadata` as well.
fn catalogue(name: &str, values: &[(&str, &str)]) -> String {
    let zero = format!("{}_ZERO = 0;", name.to_uppercase());
    let numbered = values.iter().zip(1..).map(|((value, metadata), number)| {
        format!(
            "{value} = {number} [(apibase.v1.error) = {{ code: NOT_FOUND metadata: [{metadata}] }}];"
        )
    });
    let values: String = numbered.collect();
    format!(
        "enum {name} {{ option (apibase.v1.errors).domain = \"a.example.com\"; {zero} {values} }}\n"
    )
}

#[test]
fn rule_1_errors_alone_have_a_service_layer_too() {
    let source = format!("{HEAD} package shop; {}", catalogue("ItemError", &[]));
    let request = with_options(&[("shop.proto", &source)]);
    let names: Vec<String> = files(&request).into_keys().collect();
    assert_eq!(names, ["shop.api.rs", "shop.rs"]);
}

#[test]
fn rule_22_a_catalogue_has_a_type_a_table_and_a_translator() {
    let names = [
        "ItemError",
        "HTTPErrors",
        "Result",
        "Error",
        "Sized",
        "lower",
    ];
    let all: String = names.iter().map(|name| catalogue(name, &[])).collect();
    let nested = format!("message Order {{ {} }}", catalogue("Error", &[]));
    insta::assert_snapshot!(named(&api(&(all + &nested))));
}

#[test]
fn rule_23_errors_are_named_by_their_reasons() {
    let errors = catalogue(
        "ItemError",
        &[
            ("ITEM_ERROR_SOLD_OUT", ""),
            ("OTHER", ""),
            ("ITEM_ERROR_HTTP2_GONE", ""),
            ("ITEM_ERROR_LINE_2", ""),
            ("ITEM_ERROR_TYPE", ""),
            ("ITEM_ERROR_SELF", ""),
        ],
    );
    insta::assert_snapshot!(errors_of(&api(&errors)));
}

#[test]
fn rule_24_reserved_errors_get_an_underscore_and_keep_their_wire_names() {
    let errors = catalogue(
        "ItemError",
        &[
            ("ITEM_ERROR_DOMAIN", ""),
            ("ITEM_ERROR_FAILED", ""),
            ("ITEM_ERROR_FROM", ""),
            ("ITEM_ERROR_FROM_ITEM_ERROR", ""),
        ],
    );
    insta::assert_snapshot!(errors_of(&api(&errors)));
}

#[test]
fn rule_25_metadata_is_in_snake_case() {
    let keys = r#""item_id", "type", "self", "f", "item2""#;
    let errors = catalogue("ItemError", &[("ITEM_ERROR_GONE", keys)]);
    let api = api(&errors);
    let parts = [
        "pub enum ItemError ",
        "impl rt::ServiceError for ItemError ",
        "pub trait FromItemError",
    ];
    insta::assert_snapshot!(parts.map(|part| body(&api, part)).join("\n\n"));
}

#[test]
fn rule_26_services_fail_with_their_catalogues_errors() {
    let errors = format!("{HEAD} package errors; {}", catalogue("ItemError", &[]));
    let service = |name: &str, catalogue: &str| {
        format!(
            "service {name} {{ option (apibase.v1.service).errors = \"{catalogue}\"; \
             rpc Get(Item) returns (Item); }}\n"
        )
    };
    let far = format!("{HEAD} package far.v1; {}", catalogue("FarError", &[]));
    let shop = format!(
        "{HEAD} package shop; import \"errors.proto\"; import \"far.proto\"; message Item {{}}\n\
         {}{}{}{}service Plain {{ rpc Get(Item) returns (Item); }}",
        catalogue("OwnError", &[]),
        service("Own", "shop.OwnError"),
        service("Other", "errors.ItemError"),
        service("Far", "far.v1.FarError"),
    );
    let sources = [
        ("errors.proto", errors.as_str()),
        ("far.proto", &far),
        ("shop.proto", &shop),
    ];
    let mut request = with_options(&sources);
    request.files = vec!["shop.proto".to_owned()];
    request.options = Options::parse("extern_path=.far=crate::far").unwrap();
    let files = files(&request);
    // A catalogue in a package that is only imported is generated with it, unless it is elsewhere.
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let expected = ["errors.api.rs", "errors.rs"];
    assert_eq!(names[..2], expected);
    assert_eq!(names.len(), 5, "{names:?}");
    let signatures = files["shop.api.rs"].lines().filter(|line| {
        line.contains("Servicer: ")
            || line.contains("Output = Result")
            || line.contains("-> Result<super")
    });
    insta::assert_snapshot!(signatures.collect::<Vec<_>>().join("\n"));
}

/// The names of catalogues.
fn named(api: &str) -> String {
    let starts = ["pub const ", "pub enum ", "pub trait ", "    fn from_"];
    let lines = api.lines().filter(|line| {
        let is_named = starts.iter().any(|start| line.starts_with(start));
        is_named && !line.contains("from_reason")
    });
    let names = lines.map(|line| {
        let end = line.find(['(', '{', ':', '=']).unwrap_or(line.len());
        line[..end].trim_end()
    });
    names.collect::<Vec<_>>().join("\n")
}

/// What becomes of each reason: its variant, and the translator's function.
fn errors_of(api: &str) -> String {
    let text = body(api, "fn from_reason");
    let variants = text.lines().filter(|line| line.contains("Self::"));
    let arms = api
        .lines()
        .filter(|line| line.contains("=> Self::") && line.contains("Ok("));
    let lines: Vec<&str> = variants.chain(arms).map(str::trim).collect();
    lines.join("\n")
}

/// A declaration from its start to its end.
fn body<'a>(api: &'a str, declaration: &str) -> &'a str {
    let start = api.find(declaration).unwrap();
    let end = start + api[start..].find("\n}").unwrap() + 2;
    &api[start..end]
}
