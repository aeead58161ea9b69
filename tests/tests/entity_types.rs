//! Types and mappers of the user, in place of generated ones: those of `src/domain.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod mapping;

use std::collections::{HashMap, HashSet};

use apibase::ViolationKind::{Malformed, Missing, OutOfRange, UnknownEnumValue};
use apibase::{Grade, MapError, ProtobufMapper};
use apibase_tests::domain::{Contact, Customer, CustomerId, Name, Point, Refused, Tier};
use apibase_tests::entity_own_types::entity_own_types as proto;
use mapping::{message, refused, survives, unsayable};
use proto::api::{CustomerContactMapper, CustomerMapper, Order, OrderDelivery, OrderMapper};
use proto::api::{TierMapper, order_service};

fn customer() -> Customer {
    Customer {
        id: CustomerId::new(7),
        name: Name::try_from("Ada".to_owned()).unwrap(),
        tier: Tier::Gold,
        contact: Some(Contact::Email("ada@example.com".to_owned())),
        balance: 1234,
        payments: vec![5, 0],
        home: None,
        office: Point {
            east: 1.5,
            north: -2.0,
        },
        referrer: None,
        opening: Some((8, 18)),
        visits: 0,
    }
}

fn order() -> Order {
    Order {
        customer: customer(),
        payers: HashMap::from([("x".to_owned(), customer())]),
        customer_id: CustomerId::new(0),
        others: HashSet::from([CustomerId::new(1), CustomerId::new(u64::MAX)]),
        tier: Some(Tier::Plain),
        delivery: Some(OrderDelivery::To(customer())),
    }
}

#[test]
fn a_struct_of_the_user_survives_with_its_enum_its_oneof_and_its_newtypes() {
    let proto = survives::<CustomerMapper>(&Customer {
        referrer: Some(Box::new(customer())),
        home: Some(Point {
            east: 0.0,
            north: 1.0,
        }),
        contact: Some(Contact::Phone(String::new())),
        ..customer()
    });
    assert_eq!(
        (proto.id.as_str(), proto.name.as_str(), proto.tier),
        ("C-7", "Ada", 2)
    );
    assert_eq!(
        proto.contact,
        Some(proto::customer::Contact::Phone(String::new()))
    );
    assert_eq!(proto.balance, "12.34");
    assert_eq!(proto.payments, ["0.05", "0.00"]);
    assert_eq!(proto.office, Some(proto::Point { x: 1.5, y: -2.0 }));
    assert_eq!(proto.opening, Some(proto::Span { from: 8, to: 18 }));
    assert!(proto.etag.is_empty());
}

#[test]
fn what_only_the_users_type_has_is_filled_and_not_sent() {
    let regular = Customer {
        visits: 9,
        ..customer()
    };
    let back = CustomerMapper::from_proto(message::<CustomerMapper>(&regular)).unwrap();
    assert_eq!(back, customer());
    assert_eq!(CustomerMapper::GRADE, Grade::Lossy);
}

#[test]
fn what_the_users_types_refuse_is_at_its_path() {
    let error = refused::<CustomerMapper>(
        proto::Customer {
            id: "C-007".to_owned(),
            name: String::new(),
            tier: 77,
            contact: None,
            balance: "12.3".to_owned(),
            payments: vec!["0.05".to_owned(), "x".to_owned()],
            home: Some(proto::Point {
                x: f64::NAN,
                y: 0.0,
            }),
            office: None,
            etag: "ignored".to_owned(),
            referrer: Some(Box::default()),
            opening: Some(proto::Span { from: 9, to: 8 }),
        },
        &[
            ("id", Malformed),
            ("name", Malformed),
            ("tier", UnknownEnumValue),
            ("balance", Malformed),
            ("payments[1]", Malformed),
            ("home.x", OutOfRange),
            ("office", Missing),
            ("referrer.id", Malformed),
            ("referrer.name", Malformed),
            ("referrer.tier", Missing),
            ("referrer.balance", Malformed),
            ("referrer.office", Missing),
            ("opening.to", OutOfRange),
        ],
    );
    let name = &error.violations()[1];
    assert_eq!(name.description(), "is not valid");
    assert!(name.source().unwrap().is::<Refused>());
    assert!(!error.to_string().contains("C-007"), "{error}");
}

#[test]
fn what_the_users_mappers_cant_say_is_at_its_path() {
    let debtor = Customer {
        balance: -1,
        ..customer()
    };
    unsayable::<CustomerMapper>(&debtor, "balance", OutOfRange);
    let mut lost = customer();
    lost.office.east = f64::INFINITY;
    unsayable::<CustomerMapper>(&lost, "office.x", OutOfRange);
    let payments = vec![1, 2, -3];
    let refunded = Customer {
        payments,
        ..customer()
    };
    unsayable::<CustomerMapper>(&refunded, "payments[2]", OutOfRange);
}

#[test]
fn types_of_the_user_stand_in_generated_entities() {
    let at = Point {
        east: 1.0,
        north: 2.0,
    };
    for delivery in [
        OrderDelivery::To(customer()),
        OrderDelivery::At(at),
        OrderDelivery::Drop(CustomerId::new(3)),
    ] {
        let delivery = Some(delivery);
        survives_up_to_order(&Order {
            delivery,
            ..order()
        });
    }
}

/// A set comes back in any order, so that two messages of one entity may differ.
fn survives_up_to_order(order: &Order) {
    for proto in [
        OrderMapper::to_proto(order).unwrap(),
        OrderMapper::into_proto(order.clone()).unwrap(),
    ] {
        assert_eq!(&OrderMapper::from_proto(proto).unwrap(), order);
    }
}

#[test]
fn what_is_wrong_in_a_users_type_has_the_whole_path() {
    let id = |id: &str| id.to_owned();
    let wrong = proto::Customer {
        balance: "no".to_owned(),
        ..message::<CustomerMapper>(&customer())
    };
    refused::<OrderMapper>(
        proto::Order {
            customer: None,
            payers: HashMap::from([("x".to_owned(), wrong.clone())]),
            customer_id: String::new(),
            others: vec![id("C-1"), id("C-01")],
            tier: Some(77),
            delivery: Some(proto::order::Delivery::To(wrong)),
        },
        &[
            ("customer", Missing),
            ("payers[\"x\"].balance", Malformed),
            ("customer_id", Missing),
            ("others[1]", Malformed),
            ("tier", UnknownEnumValue),
            ("to.balance", Malformed),
        ],
    );
}

#[test]
fn a_lossy_type_inside_makes_the_entity_lossy() {
    assert_eq!(OrderMapper::GRADE, Grade::Lossy);
    assert_eq!(TierMapper::GRADE, Grade::Injective);
    assert_eq!(CustomerContactMapper::GRADE, Grade::Iso);
}

#[test]
fn the_users_types_have_conversions_too() {
    let proto: Result<proto::Customer, MapError> = customer().try_into();
    let back: Result<Customer, MapError> = proto.unwrap().try_into();
    assert_eq!(back.unwrap(), customer());
}

#[test]
fn a_service_of_the_users_types_has_its_methods() {
    assert_eq!(order_service::METHODS.len(), 2);
}
