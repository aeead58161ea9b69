//! Schemas that trip generators: what their messages and descriptors come to.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use apibase::Method;
use apibase::prost::Message as _;
use apibase::prost_types::FileDescriptorSet;
use apibase_tests::custom_options::custom_options::{Level, Packed};
use apibase_tests::enums::enums::{Aliased, E, HttpStatus, Prefixed};
use apibase_tests::proto2::proto2::Two;

fn encoded(change: impl FnOnce(&mut Packed)) -> Vec<u8> {
    let mut packed = Packed::default();
    change(&mut packed);
    packed.encode_to_vec()
}

#[test]
fn custom_option_leaves_a_repeated_scalar_packed() {
    let plain = encoded(|packed| packed.plain = vec![1, 2]);
    let custom = encoded(|packed| packed.custom = vec![1, 2]);
    let explicit = encoded(|packed| packed.custom_packed = vec![1, 2]);
    let levels = encoded(|packed| packed.levels = vec![Level::One.into(), 7]);
    let doubles = encoded(|packed| packed.doubles = vec![0.5]);
    assert_eq!(plain, [0x0a, 2, 1, 2]);
    assert_eq!(custom, [0x12, 2, 1, 2]);
    assert_eq!(explicit, [0x22, 2, 1, 2]);
    assert_eq!(levels, [0x2a, 2, 1, 7]);
    assert_eq!(doubles[..2], [0x32, 8]);
}

#[test]
fn what_is_said_to_be_unpacked_is() {
    let custom = encoded(|packed| packed.custom_unpacked = vec![1, 2]);
    let plain = encoded(|packed| packed.unpacked = vec![true]);
    assert_eq!(custom, [0x18, 1, 0x18, 2]);
    assert_eq!(plain, [0x60, 1]);
}

#[test]
fn defaults_of_proto2_are_those_of_the_proto() {
    let two = Two::default();
    assert_eq!(
        two.text(),
        "a \"quote\", a \\, a\nline, \t, \u{1}, ü and {}"
    );
    assert_eq!(two.raw(), b"\x00\x01\x7f\xff\"'\\z");
    assert_eq!(
        (two.double(), two.big(), two.small()),
        (1e10, 1e300, 1.5e-7)
    );
    assert_eq!(
        (two.infinite(), two.minus_infinite()),
        (f64::INFINITY, f64::NEG_INFINITY)
    );
    assert!(two.not_a_number().is_nan());
    assert!(two.minus_zero() == 0.0 && two.minus_zero().is_sign_negative());
    assert_eq!(
        (two.float(), two.float_infinite()),
        (0.1, f32::NEG_INFINITY)
    );
    assert_eq!(
        (two.least(), two.least64(), two.most()),
        (i32::MIN, i64::MIN, u64::MAX)
    );
    assert_eq!((two.hex(), two.octal(), two.yes()), (-16, 15, true));
    assert_eq!(two.level() as i32, 7);
    assert_eq!(two.level_first() as i32, -1);
}

#[test]
fn required_fields_and_groups_stay_on_the_wire() {
    use apibase_tests::proto2::proto2::two::{Choice, Chosen, Optional, Repeated};

    let two = Two {
        optional: Some(Optional { z: Some(1) }),
        repeated: vec![Repeated { z: 2 }],
        choice: Some(Choice::Chosen(Chosen { q: Some(3) })),
        ..Two::default()
    };
    let bytes = two.encode_to_vec();
    // A required field is written whatever its value; -1 takes ten bytes.
    assert_eq!(bytes[..5], [0x0a, 0, 0x10, 0xff, 0xff]);
    // A group opens and closes, by its number.
    let group = [0xe3, 0x01, 8, 1, 0xe4, 0x01];
    assert!(
        bytes.windows(group.len()).any(|window| window == group),
        "{bytes:x?}"
    );
    assert_eq!(Two::decode(bytes.as_slice()).unwrap(), two);
}

#[test]
fn enum_values_lose_their_prefix_and_keep_their_names() {
    assert_eq!(Prefixed::TwoWords.as_str_name(), "PREFIXED_TWO_WORDS");
    assert_eq!(Prefixed::Prefixedness.as_str_name(), "PREFIXEDNESS");
    assert_eq!(E::E1.as_str_name(), "E_1");
    assert_eq!(E::Self_.as_str_name(), "E_SELF");
    assert_eq!(E::Ex.as_str_name(), "EX");
    assert_eq!(HttpStatus::HttpStatus200Ok as i32, 200);
    // Aliases are no variants of their own, and no names that are understood.
    assert_eq!(Aliased::try_from(1), Ok(Aliased::One));
    assert_eq!(Aliased::from_str_name("ALIASED_EINS"), None);
}

#[test]
fn recursion_is_boxed_wherever_it_goes() {
    use apibase_tests::rpc_types::rpc_types::a::{Loop, Other, r#loop};

    let inner = Loop {
        way: Some(r#loop::Way::Again(Box::default())),
        ..Loop::default()
    };
    let outer = Loop {
        r#loop: Some(Box::new(inner.clone())),
        loops: vec![inner.clone()],
        map: [("a".to_owned(), inner)].into(),
        way: Some(r#loop::Way::Back(Box::new(r#loop::Back {
            r#loop: None,
            other: Some(Box::new(Other { back: None })),
        }))),
    };
    assert_eq!(
        Loop::decode(outer.encode_to_vec().as_slice()).unwrap(),
        outer
    );
}

#[test]
fn extern_path_gives_the_other_modules_type() {
    use apibase_tests::extern_path::extern_path::Order;
    use apibase_tests::money::money::{Money, Rounding};

    let order = Order {
        total: Some(Money::default()),
        rounding: Rounding::Up.into(),
        at: Some(apibase_tests::Timestamp::default()),
        ..Order::default()
    };
    assert_eq!(order.rounding(), Rounding::Up);
}

/// A service's full name, its methods and its package's descriptors.
type Described = (&'static str, &'static [Method], &'static [u8]);

/// One of each fixture that has something special about it.
fn services() -> Vec<Described> {
    macro_rules! services {
        ($($name:literal $module:ident $($api:ident)::+ $methods:ident,)*) => {
            vec![$((
                $name,
                apibase_tests::$module::$($api)::+::$methods::METHODS,
                apibase_tests::$module::$($api)::+::FILE_DESCRIPTOR_SET,
            )),*]
        };
    }
    services! {
        "Root" no_package api root,
        "keyword.type.fn.Fn" keywords keyword::r#type::r#fn::api r#fn,
        "keyword.type.fn.gen" keywords keyword::r#type::r#fn::api r#gen,
        "foo.ItemService" api_names foo::api_ item_service,
        "foo.api.DeepService" api_names foo::api::api deep_service,
        "foo.descriptors.TonicService" api_names foo::descriptors::api tonic_service,
        "api_message.Item" api_names api_message::api_ item,
        "rpc_names.NameService" rpc_names rpc_names::api name_service,
        "service_names.Rt" service_names service_names::api rt_,
        "service_names.snake_case_service" service_names service_names::api snake_case_service,
        "service_names.MoreService" service_names service_names::api more_service,
        "service_names.HTTPGateway" service_names service_names::api http_gateway,
        "services_only.nothing.IdleService" services_only services_only::nothing::api idle_service,
        "services_only.PingService" services_only services_only::api ping_service,
        "split.one.ImportedService" split_files split::one::api imported_service,
        "split.two.RightService" split_files split::two::api right_service,
        "versions.AuthServiceV2" versions versions::api auth_service_v2,
        "versions.v1.AuthService" versions versions::v1::api auth_service,
        "custom_options.RuledService" custom_options custom_options::api ruled_service,
        "proto2.TwoService" proto2 proto2::api two_service,
        "well_known.BidiService" well_known well_known::api bidi_service,
    }
}

/// Whatever Rust makes of the names, the wire has those of the proto.
#[test]
fn methods_have_the_names_of_the_proto_on_the_wire() {
    for (name, methods, descriptors) in services() {
        let set = FileDescriptorSet::decode(descriptors).unwrap();
        let service = set
            .file
            .iter()
            .flat_map(|file| file.service.iter().map(move |service| (file, service)))
            .find(|(file, service)| match file.package() {
                "" => service.name() == name,
                package => format!("{package}.{}", service.name()) == name,
            });
        let (_, service) = service.unwrap_or_else(|| panic!("{name} is not in its descriptors"));
        let expected = service
            .method
            .iter()
            .map(|method| format!("/{name}/{}", method.name()));
        let paths = methods.iter().map(|method| method.path().to_owned());
        assert_eq!(paths.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        assert!(methods.iter().all(|method| method.service() == name));
    }
}

#[test]
fn descriptor_sets_are_complete_but_for_protobuf_itself() {
    for (name, _, descriptors) in services() {
        let set = FileDescriptorSet::decode(descriptors).unwrap();
        let mut seen = BTreeSet::new();
        for file in &set.file {
            assert!(!file.name().starts_with("google/protobuf/"), "{name}");
            assert_eq!(file.source_code_info, None, "{name}");
            for dependency in &file.dependency {
                let known = seen.contains(dependency.as_str());
                assert!(
                    known || dependency.starts_with("google/protobuf/"),
                    "{name}: {dependency}"
                );
            }
            assert!(seen.insert(file.name()), "{name} has {} twice", file.name());
        }
    }
}
