//! What can't be generated is refused with the places of all culprits and the way out.

mod schema;

use protoc_gen_apibase::{Imports, generate};
use schema::{one, refusal, request};

#[test]
fn two_methods_equal_in_snake_case() {
    insta::assert_snapshot!(refusal(&one(r#"
syntax = "proto3";
package shop;
message Item {}
service Items {
  rpc GetItem(Item) returns (Item);
  rpc getItem(Item) returns (Item);
}
"#)));
}

#[test]
fn two_services_with_one_servicer() {
    insta::assert_snapshot!(refusal(&one(r#"
syntax = "proto3";
package shop;
service Item {}
service ItemService {}
"#)));
}

#[test]
fn two_services_that_differ_in_case() {
    insta::assert_snapshot!(refusal(&one(r#"
syntax = "proto3";
package shop;
service HTTPServer {}
service HttpServer {}
"#)));
}

#[test]
fn two_messages_that_differ_in_case() {
    insta::assert_snapshot!(refusal(&request(&[
        (
            "a.proto",
            "syntax = \"proto3\";\npackage shop;\nmessage HTTPServer {}\n"
        ),
        (
            "b.proto",
            "syntax = \"proto3\";\npackage shop;\n\n  enum HttpServer { ZERO = 0; }\n"
        ),
    ])));
}

#[test]
fn two_nested_types_that_differ_in_case() {
    insta::assert_snapshot!(refusal(&one(r#"
syntax = "proto3";
package shop;
message Item {
  message Kind {}
  enum KIND { ZERO = 0; }
}
"#)));
}

#[test]
fn two_fields_equal_in_snake_case() {
    insta::assert_snapshot!(refusal(&one(r#"
syntax = "proto2";
package shop;
message Item {
  optional string type_ = 1;
  optional string Type = 2;
  oneof type { string a = 3; }
}
"#)));
}

#[test]
fn two_variants_of_a_oneof_equal_in_camel_case() {
    insta::assert_snapshot!(refusal(&one(r#"
syntax = "proto2";
package shop;
message Item {
  oneof kind {
    string in_stock = 1;
    string In_stock = 2;
  }
}
"#)));
}

#[test]
fn a_oneof_and_a_nested_type_that_still_clash() {
    insta::assert_snapshot!(refusal(&one(r#"
syntax = "proto3";
package shop;
message Item {
  oneof kind { string a = 1; }
  message Kind {}
  message KindOneOf {}
}
"#)));
}

#[test]
fn two_enum_values_equal_without_the_prefix() {
    insta::assert_snapshot!(refusal(&one(r#"
syntax = "proto3";
package shop;
enum Kind {
  KIND_NEW = 0;
  NEW = 1;
}
"#)));
}

#[test]
fn aliases_of_an_enum_value_are_no_clash() {
    let request = one(r#"
        syntax = "proto3";
        package shop;
        enum Kind {
          option allow_alias = true;
          KIND_NEW = 0;
          NEW = 0;
        }
    "#);
    assert!(generate(&request).is_ok());
}

#[test]
fn a_message_module_and_a_package() {
    insta::assert_snapshot!(refusal(&request(&[
        (
            "a.proto",
            "syntax = \"proto3\";\npackage shop;\nmessage Items { message Key {} }\n"
        ),
        (
            "b.proto",
            "syntax = \"proto3\";\npackage shop.items;\nmessage Item {}\n"
        ),
    ])));
}

#[test]
fn two_packages_that_differ_in_case() {
    insta::assert_snapshot!(refusal(&request(&[
        (
            "a.proto",
            "syntax = \"proto3\";\npackage shop.v1;\nmessage A {}\n"
        ),
        (
            "b.proto",
            "syntax = \"proto3\";\npackage shop.V1;\nmessage B {}\n"
        ),
    ])));
}

#[test]
fn a_tonic_module_and_a_message_module() {
    let mut request = one(r#"
syntax = "proto3";
package shop;
message ItemsClient { message Key {} }
service Items {}
"#);
    assert!(generate(&request).is_ok());
    request.options.tonic = true;
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn all_errors_are_reported_together_in_the_order_of_the_files() {
    insta::assert_snapshot!(refusal(&request(&[
        (
            "b.proto",
            "syntax = \"proto3\";\npackage b;\nmessage Foo {}\nmessage FOO {}\nmessage foo {}\n",
        ),
        (
            "a.proto",
            "syntax = \"proto3\";\npackage a;\nmessage M {}\nservice S {\n  rpc Go(M) returns (M);\n  rpc GO(M) returns (M);\n}\n",
        ),
    ])));
}

#[test]
fn part_of_a_package_in_a_plugin_run() {
    let mut request = request(&[
        (
            "a.proto",
            "syntax = \"proto3\";\npackage shop;\nimport \"b.proto\";\nmessage A { B b = 1; }\n",
        ),
        (
            "b.proto",
            "syntax = \"proto3\";\npackage shop;\nmessage B {}\n",
        ),
    ]);
    request.files.truncate(1);
    assert!(generate(&request).is_ok());
    request.imports = Imports::Skip;
    insta::assert_snapshot!(refusal(&request));
}

#[test]
fn a_clash_in_a_package_that_is_not_generated_is_no_concern() {
    let mut request = request(&[
        (
            "a.proto",
            "syntax = \"proto3\";\npackage a;\nimport \"b.proto\";\nmessage A { b.Foo b = 1; }\n",
        ),
        (
            "b.proto",
            "syntax = \"proto3\";\npackage b;\nmessage Foo {}\nmessage FOO {}\nenum E { E_NEW = 0; NEW = 1; }\n",
        ),
    ]);
    request.files.truncate(1);
    request.imports = Imports::Skip;
    assert!(generate(&request).is_ok());
}

#[test]
fn a_file_that_is_not_there() {
    let mut request = one("syntax = \"proto3\";");
    request.files = vec!["shoop.proto".to_owned()];
    let error = generate(&request).unwrap_err();
    assert!(error.is_parameter());
    insta::assert_snapshot!(error);
}

#[test]
fn a_file_of_protobuf_itself_is_skipped_with_a_warning() {
    let mut request = one("syntax = \"proto3\"; import \"google/protobuf/any.proto\";");
    request.files = vec!["google/protobuf/any.proto".to_owned()];
    let output = generate(&request).unwrap();
    assert!(output.files.is_empty());
    insta::assert_snapshot!(output.warnings[0]);
}

#[test]
fn an_extern_path_is_a_way_out_of_a_clash() {
    let mut request = one(r#"
        syntax = "proto3";
        package shop;
        message Foo {}
        message FOO {}
    "#);
    request.options.extern_paths = vec![(".shop.FOO".to_owned(), "crate::Other".to_owned())];
    assert!(generate(&request).is_ok());
}

#[test]
fn an_include_file_with_the_name_of_another_file() {
    let mut request = one("syntax = \"proto3\"; package shop; service Items {}");
    for name in ["shop.rs", "shop.api.rs"] {
        request.options.include_file = Some(name.to_owned());
        let error = generate(&request).unwrap_err();
        assert!(error.is_parameter(), "{name}");
    }
    insta::assert_snapshot!(generate(&request).unwrap_err());
}
