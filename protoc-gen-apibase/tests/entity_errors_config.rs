//! What the configuration says about entities must be in the schema, and do something there.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod entities;
mod schema;

use entities::with_options;
use protoc_gen_apibase::{Imports, Options, Request, generate};

const SHOP: &str = r#"syntax = "proto3";
package shop;
import "apibase/v1/options.proto";
import "items.proto";
import "google/protobuf/timestamp.proto";
message Order {
  option (apibase.v1.entity) = {};
  string id = 1;
  items.Item item = 2;
  map<string, items.Item> gifts = 3;
  oneof payment { string card = 4; }
  string secret = 5 [(apibase.v1.field).ignore = true];
  Details details = 6 [(apibase.v1.field).flatten = true];
  optional int64 price = 7;
}
message Details { string note = 1; }
message Plain {
  string text = 1;
  oneof kind { string a = 2; }
}
message Skipped { option (apibase.v1.entity).skip = true; }
enum Color { COLOR_UNSPECIFIED = 0; }
enum OrderError {
  option (apibase.v1.errors).domain = "shop.example.com";
  ORDER_ERROR_UNSPECIFIED = 0;
}
service Orders { rpc Get(Order) returns (Order); }
"#;

const ITEMS: &str = r#"syntax = "proto3";
package items;
import "apibase/v1/options.proto";
message Item { option (apibase.v1.entity) = {}; string name = 1; }
"#;

fn request(parameter: &str) -> Request {
    Request {
        options: Options::parse(parameter).unwrap(),
        ..with_options(&[("shop.proto", SHOP), ("items.proto", ITEMS)])
    }
}

/// What is said about each of the parameters.
fn refusals(parameters: &[&str]) -> String {
    let mut said = String::new();
    for parameter in parameters {
        let error = generate(&request(parameter)).unwrap_err();
        assert!(error.is_parameter(), "{error}");
        said.push_str(&format!("{parameter}\n{error}\n\n"));
    }
    said
}

#[test]
fn what_is_not_in_the_schema_was_meant_to_be_something_else() {
    let said = refusals(&[
        "entity=shop.Oder=crate::Order",
        "entity=shop.order=crate::Order",
        "entity=shop.Colour=crate::Color",
        "entity=shop.Order.paiment=crate::Payment",
        "with=shop.Order.pirce=crate::Price",
        "with=items.Itme=crate::ItemMapper",
        "newtype=shop.Order.Id=crate::OrderId",
        "newtype=shop.Details.notes=crate::Note",
        "extra=shop.Ordre=cache=None",
        "entity=shop.Completely.Different=crate::Order",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn each_parameter_is_for_certain_things() {
    let said = refusals(&[
        "entity=shop.Order.id=crate::OrderId",
        "with=shop.Color=crate::ColorMapper",
        "with=shop.Order.payment=crate::PaymentMapper",
        "newtype=items.Item=crate::Item",
        "newtype=shop.Color=crate::Color",
        "newtype=shop.Order.payment=crate::Payment",
        "extra=shop.Order.id=cache=None",
        "extra=shop.Color=cache=None",
        "entity=google.protobuf.Timestamp=crate::Time",
        "with=google.protobuf.Timestamp.seconds=crate::Time",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn what_would_not_be_used_is_refused() {
    let said = refusals(&[
        "entity=shop.Skipped=crate::Skipped",
        "with=shop.Skipped=crate::SkippedMapper",
        "entity=shop.OrderError=crate::OrderError",
        "entity=shop.Plain.kind=crate::Kind",
        "with=shop.Plain.text=crate::TextMapper",
        "newtype=shop.Plain.text=crate::Text",
        "newtype=shop.Order.secret=crate::Secret",
        "with=shop.Order.details=crate::DetailsMapper",
        "newtype=shop.Order.item=crate::Item",
        "newtype=shop.Order.gifts=crate::Gift",
        "newtype=shop.Order.id=crate::OrderId,with=shop.Order.id=crate::OrderIdMapper",
        "newtype=shop.Order.id=crate::OrderId,with=shop.Order=crate::OrderMapper",
        "extra=shop.Order=cache=None",
        "extra=shop.Order=cache=None,with=shop.Order=crate::OrderMapper",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn all_wrong_parameters_are_reported_together() {
    let said = refusals(&[
        "entity=shop.Oder=crate::Order,with=shop.Color=crate::M,newtype=shop.Order.ip=crate::Id",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn what_is_in_the_schema_is_accepted() {
    for parameter in [
        "entity=shop.Order=crate::Order",
        "entity=shop.Plain=crate::Plain",
        "entity=shop.Color=crate::Color",
        "entity=shop.Order.payment=crate::Payment",
        "with=shop.Order=crate::OrderMapper",
        "with=shop.Plain=crate::PlainMapper",
        "with=shop.Order.item=crate::ItemMapper",
        "with=shop.Order.card=crate::CardMapper",
        "with=shop.Details.note=crate::NoteMapper",
        "with=google.protobuf.Timestamp=crate::TimeMapper",
        "newtype=shop.Order.price=crate::Price",
        "newtype=shop.Details.note=crate::Note",
        "entity=shop.Order=crate::Order,extra=shop.Order=cache=None",
    ] {
        let result = generate(&request(parameter));
        assert!(result.is_ok(), "{parameter}: {result:?}");
    }
}

#[test]
fn packages_of_other_runs_are_no_concern() {
    for parameter in [
        "entity=stock.Item=crate::Item",
        "with=shop.v1.Item=crate::ItemMapper",
        "newtype=shop.v1.items.Item.id=crate::ItemId",
    ] {
        assert!(generate(&request(parameter)).is_ok(), "{parameter}");
    }
    let mut request = request("entity=items.Thing=crate::Thing");
    assert!(generate(&request).is_err());
    request.files = vec!["shop.proto".to_owned()];
    request.imports = Imports::Skip;
    assert!(generate(&request).is_ok());
}

#[test]
fn a_users_enum_needs_no_entity_beside_it() {
    let colors = "syntax = \"proto3\";\npackage colors;\n\
                  enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }\n";
    let mut request = with_options(&[("colors.proto", colors)]);
    request.options = Options::parse("entity=colors.Color=crate::Color").unwrap();
    let files = schema::files(&request);
    assert!(files["colors.api.rs"].contains("pub struct ColorMapper;"));
}
