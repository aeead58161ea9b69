//! One snapshot for every rule of NAMING.md about entities, named as the rule is numbered there.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod entities;
mod schema;

use entities::with_options;
use protoc_gen_apibase::{Options, Request};
use schema::files;

/// An entity with something of everything that has a name.
const ORDER: &str = r#"
    message Order {
      option (apibase.v1.entity) = { patch: true };
      string id = 1;
      oneof payment { Card card = 2; string in_cash = 3; }
      oneof how { option (apibase.v1.oneof).name = "delivery_by"; string SELF = 4; }
      Kind kind = 5;
      message Card { option (apibase.v1.entity) = {}; string number = 1; }
      message Line {
        option (apibase.v1.entity) = { name: "order_line" };
        message Part { option (apibase.v1.entity) = {}; }
      }
      enum Kind { KIND_UNSPECIFIED = 0; KIND_NEW = 1; KIND_SELF = 2; }
    }
    enum HTTPState { OPEN = 0; CLOSED = 1; }
    message Plain {}
"#;

/// The service layer of package `shop` with these messages.
fn api(options: &str, messages: &str) -> String {
    files(&entities_of(options, messages))["shop.api.rs"].clone()
}

fn entities_of(options: &str, messages: &str) -> Request {
    const HEAD: &str = "syntax = \"proto3\"; package shop; import \"apibase/v1/options.proto\";\n";
    let mut request = with_options(&[("shop.proto", &format!("{HEAD}{messages}"))]);
    request.options = Options::parse(options).unwrap();
    request
}

#[test]
fn rule_1_entities_alone_have_a_service_layer_too() {
    let request = entities_of("laws", "message A { option (apibase.v1.entity) = {}; }");
    let names: Vec<String> = files(&request).into_keys().collect();
    assert_eq!(names, ["shop.api.rs", "shop.laws.rs", "shop.rs"]);
}

#[test]
fn rule_15_an_entity_has_a_mapper_and_perhaps_a_patch() {
    insta::assert_snapshot!(named(&api("", ORDER)));
}

#[test]
fn rule_15_a_users_own_type_changes_no_other_name() {
    let api = api("entity=shop.Order.Card=crate::domain::Plastic", ORDER);
    insta::assert_snapshot!(named(&api));
}

#[test]
fn rule_16_and_17_variants_are_named_as_prosts() {
    let api = api("", ORDER);
    let enums = ["OrderPayment", "DeliveryBy", "OrderKind", "HttpState"];
    let bodies: Vec<&str> = enums
        .iter()
        .map(|name| body(&api, &format!("pub enum {name} ")))
        .collect();
    insta::assert_snapshot!(bodies.join("\n"));
}

#[test]
fn rule_18_names_that_would_hide_the_preludes_get_an_underscore() {
    let hiding = [
        "Box",
        "Clone",
        "Debug",
        "Default",
        "From",
        "Future",
        "Option",
        "PartialEq",
        "Result",
        "Send",
        "Sized",
        "String",
        "Sync",
        "TryFrom",
        "Vec",
    ];
    let messages: String = hiding
        .iter()
        .map(|name| format!("message {name} {{ option (apibase.v1.entity) = {{}}; }}\n"))
        .collect();
    insta::assert_snapshot!(named(&api("", &messages)));
}

#[test]
fn rule_19_fields_are_in_snake_case() {
    let api = api(
        "",
        r#"
        message Item {
          option (apibase.v1.entity) = {};
          string itemName = 1;
          string type = 2;
          string self = 3;
          string old = 4 [(apibase.v1.field).rename = "brandNew"];
          Size size = 5 [(apibase.v1.field).flatten = true];
          oneof kind { option (apibase.v1.oneof).rename = "what"; string a = 6; }
        }
        message Size { uint32 wide = 1; uint32 HIGH = 2; }
        "#,
    );
    insta::assert_snapshot!(body(&api, "pub struct Item "));
}

#[test]
fn rule_20_google_types_have_mappers_where_they_are_used() {
    let google = "syntax = \"proto3\"; package google.type;\n\
        message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }";
    let shop = "syntax = \"proto3\"; package shop; import \"apibase/v1/options.proto\";\n\
        import \"google/type/money.proto\";\n\
        message Item { option (apibase.v1.entity) = {}; google.type.Money price = 1; }";
    let request = with_options(&[("google/type/money.proto", google), ("shop.proto", shop)]);
    insta::assert_snapshot!(named(&files(&request)["shop.api.rs"]));
}

#[test]
fn rule_21_laws_have_a_module_for_each_entity() {
    let laws = &files(&entities_of("laws", ORDER))["shop.laws.rs"];
    let modules: Vec<&str> = laws
        .lines()
        .filter(|line| line.starts_with("mod "))
        .collect();
    insta::assert_snapshot!(modules.join("\n"));
}

/// The types of entities and what maps them, one a line.
fn named(api: &str) -> String {
    let starts = ["pub struct ", "pub enum ", "static "];
    let lines = api.lines().filter_map(|line| {
        let end = line.find([';', '{', ':']).unwrap_or(line.len());
        let declares = starts.iter().any(|start| line.starts_with(start));
        let of = line
            .trim_start()
            .strip_prefix("type Entity = ")
            .map(|entity| format!("    of {}", entity.trim_end_matches(';')));
        of.or(declares.then(|| line[..end].trim_end().to_owned()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A declaration from its start to its end, without comments.
fn body<'a>(api: &'a str, declaration: &str) -> &'a str {
    let start = api.find(declaration).unwrap();
    let end = start + api[start..].find("\n}").unwrap() + 2;
    &api[start..end]
}
