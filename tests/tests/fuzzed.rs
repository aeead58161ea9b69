//! What the fuzz targets of `fuzz/` try, with values that are likely to be near a mistake.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "fuzzed/mod.rs"]
mod entries;

use apibase::prost::Message as _;
use apibase_tests::tonic_echo::echo::EchoRequest;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A frame, right or wrong, of a message, right or wrong.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let message = vec(any::<u8>(), 0..20).prop_map(|payload| {
        let behaviour = String::new();
        EchoRequest { payload, behaviour }.encode_to_vec()
    });
    let message = prop_oneof![9 => message, 1 => vec(any::<u8>(), 0..20)];
    let flags = prop_oneof![30 => Just(0), 1 => any::<u8>()];
    let wrong = prop_oneof![
        30 => Just(0_i64),
        1 => -3..3_i64,
        1 => select(vec![4 << 20, (4 << 20) + 1, 1 << 31, (1 << 32) - 1]),
    ];
    (flags, message, wrong).prop_map(|(flags, message, wrong)| {
        let length = i64::try_from(message.len()).unwrap() + wrong;
        let length = u32::try_from(length.clamp(0, i64::from(u32::MAX))).unwrap();
        [&[flags][..], &length.to_be_bytes(), &message].concat()
    })
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let frames = vec(frame(), 0..6).prop_map(|frames| frames.concat());
    let body = prop_oneof![4 => frames, 1 => vec(any::<u8>(), 0..60)];
    (any::<u8>(), body).prop_map(|(size, body)| [&[size % 40][..], &body].concat())
}

fn timeouts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[0-9]{1,8}[HMSmun]".prop_map(String::into_bytes),
        "[0-9+ .-]{0,10}[HMSmunhs]?".prop_map(String::into_bytes),
        vec(32..127_u8, 0..12),
    ]
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        "[A-Za-z0-9._-]{0,140}".prop_map(String::into_bytes),
        "[A-Za-z0-9+/_-]{0,40}={0,3}".prop_map(String::into_bytes),
        "(00|01|ff|0)-(0{32}|[0-9a-fA-F]{31,33})-[0-9a-f]{16}-0[01](-.{0,5})?"
            .prop_map(String::into_bytes),
        vec(any::<u8>(), 0..40),
    ];
    vec(value, 0..8).prop_map(|values| values.join(&b'\n'))
}

fn heads() -> impl Strategy<Value = Vec<u8>> {
    let path = prop_oneof![
        "/echo\\.EchoService/(Echo|Count|Collect|Chat|Ping)",
        "/{0,2}(echo\\.EchoService|%65cho|echo)?/{0,2}(Echo|echo|%45cho|E)?[/?#%.;:@ -~]{0,4}",
        "(http://[a-z]{0,5})?/[ -~é]{0,20}",
    ];
    let kind = prop_oneof![
        Just("application/grpc".to_owned()),
        "[aA]pplication/grpc(\\+(proto|json|))?[ ;]{0,2}(charset=utf-8)?",
        "[ -~]{0,20}",
    ];
    let encoding = prop_oneof![
        Just("identity".to_owned()),
        "(identity|gzip|zstd|snappy|)[ ,]{0,2}",
        "[ -~]{0,10}",
    ];
    (path, kind, encoding)
        .prop_map(|(path, kind, encoding)| [path, kind, encoding].join("\n").into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_body_is_read_as_its_frames_say(data in bodies()) {
        entries::frames(&data);
    }

    #[test]
    fn any_timeout_is_the_one_that_it_says_or_refused(data in timeouts()) {
        entries::timeout(&data);
    }

    #[test]
    fn any_metadata_is_taken_and_only_valid_ids_are_of_it(data in values()) {
        entries::metadata(&data);
    }

    #[test]
    fn any_head_leads_to_its_method_or_to_none(data in heads()) {
        entries::head(&data);
    }
}
