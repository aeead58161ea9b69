//! Decimals, URLs, addresses and JSON in entities.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use std::net::IpAddr;

use apibase::ViolationKind::{Malformed, Missing, OutOfRange};
use apibase::prost_types::{ListValue, Struct, Value as ProtoValue, value::Kind};
use apibase::{Grade, ProtobufMapper};
use apibase_tests::entity_json::entity_json as messages;
use apibase_tests::entity_texts::entity_texts as texts;
use mapping::{message, refused, survives, unsayable};
use messages::api::{Form, FormMapper};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use texts::api::{Offer, OfferMapper};
use url::Url;

fn offer() -> Offer {
    Offer {
        price: Decimal::new(1250, 2),
        page: Url::parse("https://shop.example.com/a?b=c#d").unwrap(),
        address: IpAddr::from([192, 0, 2, 1]),
        details: json!({}),
        old_price: None,
        pictures: Vec::new(),
        visitors: [].into(),
        reviews: [].into(),
    }
}

#[test]
fn texts_are_what_their_formats_say() {
    let entity = Offer {
        details: json!({"a": [1, 1.5, -0.0, null, "\u{0}"], "b": u64::MAX, "c": i64::MIN}),
        old_price: Some(Decimal::MAX),
        pictures: vec![
            Url::parse("data:,x").unwrap(),
            Url::parse("urn:a:b").unwrap(),
        ],
        visitors: [IpAddr::from([0; 16]), IpAddr::from([255; 4])].into(),
        reviews: [("Ann".to_owned(), Value::Null)].into(),
        ..offer()
    };
    let proto = survives::<OfferMapper>(&entity);
    assert_eq!(proto.price, "12.50");
    assert_eq!(proto.page, "https://shop.example.com/a?b=c#d");
    assert_eq!(proto.address, "192.0.2.1");
    assert_eq!(
        proto.details,
        r#"{"a":[1,1.5,-0.0,null,"\u0000"],"b":18446744073709551615,"c":-9223372036854775808}"#
    );
    assert_eq!(proto.old_price.unwrap(), "79228162514264337593543950335");
    assert_eq!(proto.pictures, ["data:,x", "urn:a:b"]);
    assert_eq!(proto.reviews["Ann"], "null");
    assert_eq!(OfferMapper::GRADE, Grade::Injective);
}

#[test]
fn the_digits_of_a_decimal_are_kept() {
    for text in ["0", "1.0", "1.00", "-0.0000000000000000000000000001"] {
        let mut entity = offer();
        entity.price = Decimal::from_str_exact(text).unwrap();
        assert_eq!(survives::<OfferMapper>(&entity).price, text);
    }
}

#[test]
fn what_is_not_what_its_format_says_is_refused() {
    let proto = texts::Offer {
        price: String::new(),
        page: "/a/b".to_owned(),
        address: "192.0.2.256".to_owned(),
        details: String::new(),
        old_price: Some("1e5".to_owned()),
        pictures: vec!["https://example.com".to_owned(), "https://".to_owned()],
        visitors: vec!["::1".to_owned(), "localhost".to_owned()],
        reviews: [("Ann".to_owned(), "{secret".to_owned())].into(),
    };
    let error = refused::<OfferMapper>(
        proto,
        &[
            ("price", Malformed),
            ("page", Malformed),
            ("address", Malformed),
            ("details", Malformed),
            ("old_price", Malformed),
            ("pictures[1]", Malformed),
            ("visitors[1]", Malformed),
            (r#"reviews["Ann"]"#, Malformed),
        ],
    );
    let said: Vec<_> = error.violations().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "price is not a decimal number",
            "page is not an absolute URL",
            "address is not an IP address",
            "details is not JSON",
            "old_price is not a decimal number",
            "pictures[1] is not an absolute URL",
            "visitors[1] is not an IP address",
            "reviews[\"Ann\"] is not JSON",
        ]
    );
}

#[test]
fn a_decimal_that_would_be_rounded_is_refused() {
    for text in [
        "79228162514264337593543950336",
        "0.00000000000000000000000000001",
        "1_000",
        "NaN",
        " 1",
    ] {
        let mut proto = message::<OfferMapper>(&offer());
        proto.price = text.to_owned();
        refused::<OfferMapper>(proto, &[("price", Malformed)]);
    }
}

#[test]
fn a_value_in_its_own_form_is_sent_on_in_the_normal_one() {
    let proto = texts::Offer {
        price: "+7".to_owned(),
        page: "HTTPS://Example.com:443".to_owned(),
        address: "2001:0DB8::0:1".to_owned(),
        details: " [ 1 ] ".to_owned(),
        visitors: vec!["::1".to_owned(), "0::1".to_owned()],
        ..texts::Offer::default()
    };
    let entity = OfferMapper::from_proto(proto).unwrap();
    let proto = survives::<OfferMapper>(&entity);
    assert_eq!(proto.price, "7");
    assert_eq!(proto.page, "https://example.com/");
    assert_eq!(proto.address, "2001:db8::1");
    assert_eq!(proto.details, "[1]");
    assert_eq!(proto.visitors, ["::1"]);
}

/// Arrays in one another, this many.
fn nested(depth: usize) -> Value {
    (0..depth).fold(json!([]), |value, _| json!([value]))
}

#[test]
fn json_that_could_not_be_read_again_is_no_text() {
    let mut entity = offer();
    entity.details = nested(126);
    survives::<OfferMapper>(&entity);
    entity.details = nested(127);
    unsayable::<OfferMapper>(&entity, "details", OutOfRange);
    let mut proto = message::<OfferMapper>(&offer());
    proto.details = format!("{}{}", "[".repeat(128), "]".repeat(128));
    refused::<OfferMapper>(proto, &[("details", Malformed)]);
}

fn form(remark: Value) -> Form {
    Form {
        fields: Map::new(),
        remark: Some(remark),
        ticked: None,
        struck: Vec::new(),
        raw: None,
    }
}

fn number(number: f64) -> ProtoValue {
    ProtoValue {
        kind: Some(Kind::NumberValue(number)),
    }
}

#[test]
fn json_is_a_struct_a_value_and_a_list() {
    let Value::Object(fields) = json!({"name": "Ann", "nested": {"list": [true, {}]}}) else {
        panic!("it is an object");
    };
    let entity = Form {
        fields,
        ticked: Some(vec![json!(1), json!([]), Value::Null]),
        struck: vec![json!("a"), json!(1.5)],
        raw: Some(Struct::default()),
        ..form(Value::Null)
    };
    let proto = survives::<FormMapper>(&entity);
    let name = &proto.fields.unwrap().fields["name"];
    assert_eq!(name.kind, Some(Kind::StringValue("Ann".to_owned())));
    assert_eq!(proto.remark.unwrap().kind, Some(Kind::NullValue(0)));
    assert_eq!(proto.struck[1], number(1.5));
    assert_eq!(FormMapper::GRADE, Grade::Lossy);
}

#[test]
fn a_whole_number_comes_back_as_an_integer() {
    for (sent, back) in [
        (json!(5.0), json!(5)),
        (json!(-0.0), json!(0)),
        (json!(1e300), json!(1e300)),
    ] {
        let proto = message::<FormMapper>(&form(sent));
        let entity = FormMapper::from_proto(proto).unwrap();
        assert_eq!(entity.remark, Some(back));
    }
}

#[test]
fn an_integer_between_the_doubles_is_no_number_of_protobuf() {
    const EXACT: u64 = 1 << 53;
    survives::<FormMapper>(&form(json!(EXACT)));
    survives::<FormMapper>(&form(json!(i64::MIN)));
    let between = json!({"a": [0, EXACT + 1]});
    let error = unsayable::<FormMapper>(&form(between), r#"remark["a"][1]"#, OutOfRange);
    assert!(!error.to_string().contains("9007199254740993"));
    unsayable::<FormMapper>(&form(json!(i64::MAX)), "remark", OutOfRange);
    unsayable::<FormMapper>(&form(json!(u64::MAX)), "remark", OutOfRange);
}

#[test]
fn numbers_that_json_does_not_have_are_refused() {
    let wrong = ProtoValue {
        kind: Some(Kind::ListValue(ListValue {
            values: vec![number(0.0), number(f64::NAN), number(f64::INFINITY)],
        })),
    };
    let proto = messages::Form {
        fields: Some(Struct {
            fields: [("a".to_owned(), number(f64::NEG_INFINITY))].into(),
        }),
        remark: Some(wrong),
        ..messages::Form::default()
    };
    refused::<FormMapper>(
        proto,
        &[
            (r#"fields["a"]"#, OutOfRange),
            ("remark[1]", OutOfRange),
            ("remark[2]", OutOfRange),
        ],
    );
}

#[test]
fn a_value_without_a_kind_is_missing() {
    let proto = messages::Form {
        fields: None,
        remark: Some(ProtoValue { kind: None }),
        struck: vec![number(1.0), ProtoValue { kind: None }],
        ..messages::Form::default()
    };
    refused::<FormMapper>(
        proto,
        &[
            ("fields", Missing),
            ("remark", Missing),
            ("struck[1]", Missing),
        ],
    );
}

#[test]
fn what_readers_of_protobuf_could_not_read_is_no_message() {
    survives::<FormMapper>(&form(nested(44)));
    let error = FormMapper::to_proto(&form(nested(45))).unwrap_err();
    assert_eq!(error.violations().len(), 1);
    assert_eq!(error.violations()[0].kind(), OutOfRange);
    assert!(error.to_string().ends_with("is nested too deep"), "{error}");
}
