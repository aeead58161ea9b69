//! What isn't plain precedence.

use super::*;
use crate::settings::SettingOrigin;

const STREAM: Method = Method::server_stream("/examples.ItemService/Watch");

fn limit(method: &Method, pairs: &[(&str, &str)]) -> Option<Duration> {
    let effective = Effective::of(method, &settings(pairs));
    effective.limit(None).map(|limit| limit.duration)
}

#[test]
fn a_default_deadline_is_for_calls_with_one_reply() {
    const BIDI: Method = Method::bidi("/x.Y/Chat");
    const UPLOAD: Method = Method::client_stream("/x.Y/Upload");
    for (method, ends) in [
        (METHOD, true),
        (UPLOAD, true),
        (STREAM, false),
        (BIDI, false),
    ] {
        assert_eq!(limit(&method, &[]), ends.then_some(seconds(30)), "{method}");
        let set = limit(&method, &[("DEFAULT_TIMEOUT", "7")]);
        assert_eq!(set, ends.then_some(seconds(7)), "{method}");
    }
}

#[test]
fn a_stream_of_replies_lasts_as_the_proto_code_or_the_call_says() {
    let proto = STREAM.deadline(seconds(60));
    assert_eq!(
        limit(&proto, &[("DEFAULT_TIMEOUT", "7")]),
        Some(seconds(60))
    );
    let mut code = ClientSettings::default();
    code.default_timeout.set(Some(seconds(50)));
    let effective = Effective::of(&STREAM, &code);
    assert_eq!(effective.limit(None).unwrap().duration, seconds(50));
    let own = effective.limit(Some(Some(seconds(3))));
    assert_eq!(own.unwrap().duration, seconds(3));
    assert_eq!(effective.limit(Some(None)), None);
}

#[test]
fn an_override_shortens_streams_that_have_a_deadline_and_ends_no_other() {
    let over = [("OVERRIDE__DEFAULT_TIMEOUT", "2")];
    assert_eq!(limit(&STREAM, &over), None);
    assert_eq!(
        limit(&STREAM.deadline(seconds(60)), &over),
        Some(seconds(2))
    );
    let mut code = settings(&over);
    code.default_timeout.set(Some(seconds(50)));
    let effective = Effective::of(&STREAM, &code);
    assert_eq!(effective.limit(None).unwrap().duration, seconds(2));
    assert_eq!(effective.limit(Some(None)), None);
    // A call with one reply has no way around it.
    let effective = Effective::of(&METHOD, &settings(&over));
    assert_eq!(effective.limit(Some(None)).unwrap().duration, seconds(2));
}

#[test]
fn an_override_can_take_the_deadline_away() {
    assert_eq!(
        limit(&METHOD, &[("OVERRIDE__DEFAULT_TIMEOUT", "off")]),
        None
    );
    assert_eq!(limit(&METHOD, &[("DEFAULT_TIMEOUT", "off")]), None);
}

#[test]
fn a_deadline_says_whose_it_is() {
    let shown = |method: &Method, settings: &ClientSettings, own| {
        Effective::of(method, settings)
            .limit(own)
            .unwrap()
            .to_string()
    };
    let env = settings(&[("DEFAULT_TIMEOUT", "1.5")]);
    let over = settings(&[("OVERRIDE__DEFAULT_TIMEOUT", "2s")]);
    let (mut file, mut code) = (ClientSettings::default(), ClientSettings::default());
    file.default_timeout
        .set_from(Some(seconds(4)), SettingOrigin::File);
    code.default_timeout.set(Some(seconds(5)));
    let default = ClientSettings::default();
    assert_eq!(
        shown(&METHOD, &default, None),
        "30s (the default of GRPC__CLIENT__DEFAULT_TIMEOUT)"
    );
    assert_eq!(
        shown(&METHOD, &file, None),
        "4s (client.default_timeout of the file of settings)"
    );
    assert_eq!(
        shown(&METHOD, &env, None),
        "1.5s (GRPC__CLIENT__DEFAULT_TIMEOUT)"
    );
    let proto = METHOD.deadline(Duration::from_millis(250));
    assert_eq!(shown(&proto, &env, None), "250ms (as its proto says)");
    assert_eq!(
        shown(&METHOD, &code, None),
        "5s (as ClientFactory::default_timeout says)"
    );
    let own = Some(Some(seconds(6)));
    assert_eq!(shown(&METHOD, &default, own), "6s (the call's own)");
    assert_eq!(
        shown(&METHOD, &over, own),
        "2s (GRPC__CLIENT__OVERRIDE__DEFAULT_TIMEOUT)"
    );
}

#[test]
fn rule_01_three_retries_are_four_attempts_five_the_most_and_none_is_one() {
    for (retries, attempts) in [("3", 4), ("0", 1), ("4", 5), ("5", 5), ("4294967295", 5)] {
        let effective = Effective::of(&METHOD, &settings(&[("MAX_RETRIES", retries)]));
        assert_eq!(effective.retry(None).max_attempts, attempts, "{retries}");
    }
    for (written, attempts) in [(0, 1), (1, 1), (5, 5), (6, 5), (u32::MAX, 5)] {
        let method = METHOD.retry(RetryPolicy::up_to(written));
        let effective = Effective::of(&method, &ClientSettings::default());
        assert_eq!(effective.retry(None).max_attempts, attempts, "{written}");
        let own = effective.retry(Some(RetryPolicy::up_to(written)));
        assert_eq!(own.max_attempts, attempts, "{written}");
    }
}

#[test]
fn rule_05_what_is_sent_again_depends_on_what_the_method_promises() {
    let of = |method: Method| Effective::of(&method, &ClientSettings::default()).retry(None);
    let unknown = of(METHOD);
    assert!(unknown.codes.is_empty() && !unknown.may_repeat);
    for method in [METHOD.idempotent(), METHOD.no_side_effects()] {
        let retry = of(method);
        assert_eq!(retry.codes, CodeSet::of(&[Code::Unavailable]));
        assert!(retry.may_repeat);
    }
    // What is written is the owner's word, whatever the method promises.
    let written = RetryPolicy::up_to(3).codes(&[Code::Aborted]);
    for method in [METHOD, METHOD.idempotent()] {
        let retry = of(method.retry(written));
        assert_eq!(retry.codes, CodeSet::of(&[Code::Aborted]));
        // A lost connection is UNAVAILABLE, of which the owner says nothing.
        assert_eq!(retry.may_repeat, method.is_idempotent());
        let lost = written.codes(&[Code::Aborted, Code::Unavailable]);
        assert!(of(method.retry(lost)).may_repeat);
        let own = RetryPolicy::up_to(2).codes(&[Code::Internal]);
        let effective = Effective::of(&method.retry(written), &ClientSettings::default());
        assert_eq!(
            effective.retry(Some(own)).codes,
            CodeSet::of(&[Code::Internal])
        );
    }
}

#[test]
fn a_call_that_says_once_says_nothing_of_what_may_be_done_twice() {
    let once = RetryPolicy::up_to(1);
    for settings in [
        ClientSettings::default(),
        settings(&[("OVERRIDE__MAX_RETRIES", "3")]),
    ] {
        for method in [METHOD, METHOD.idempotent()] {
            let effective = Effective::of(&method, &settings);
            let retry = effective.retry(Some(once));
            assert_eq!(retry.codes, effective.retry(None).codes);
            assert_eq!(retry.may_repeat, method.is_idempotent());
        }
    }
}

#[test]
fn a_calls_own_policy_leaves_what_it_does_not_say_to_the_others() {
    let proto = RetryPolicy::up_to(3)
        .initial_backoff(seconds(2))
        .attempt_timeout(seconds(4));
    let settings = settings(&[("RETRY_BACKOFF_MAX", "9s"), ("RETRY_BACKOFF_BASE", "5s")]);
    let effective = Effective::of(&METHOD.retry(proto), &settings);
    let own = effective.retry(Some(RetryPolicy::up_to(2).multiplier(3.0)));
    let expected = EffectiveRetry {
        max_attempts: 2,
        base: seconds(2),
        max: seconds(9),
        multiplier: 3.0,
        attempt_timeout: Some(seconds(4)),
        codes: CodeSet::of(&[Code::Unavailable]),
        may_repeat: true,
    };
    assert_eq!(own, expected);
}

fn hedges(
    settings: &ClientSettings,
    own: Option<HedgingPolicy>,
    retry: Option<RetryPolicy>,
) -> u32 {
    let policy = HedgingPolicy::up_to(3, seconds(1)).non_fatal(&[Code::Unavailable]);
    let effective = Effective::of(&METHOD.idempotent().hedging(policy), settings);
    let hedging = effective.hedging(own, retry);
    hedging.map_or(0, |policy| policy.max_attempts())
}

#[test]
fn hedging_is_the_protos_or_the_calls_and_limited_by_who_goes_before_them() {
    let default = ClientSettings::default();
    assert_eq!(hedges(&default, None, None), 3);
    let own = Some(HedgingPolicy::up_to(2, seconds(2)));
    assert_eq!(hedges(&default, own, None), 2);
    assert_eq!(
        hedges(&default, Some(HedgingPolicy::up_to(9, seconds(2))), None),
        5
    );
    // The environment's number of retries is a default, and the proto goes before it.
    assert_eq!(hedges(&settings(&[("MAX_RETRIES", "0")]), None, None), 3);
    let mut code = ClientSettings::default();
    code.max_retries.set(1);
    assert_eq!(hedges(&code, None, None), 2);
    assert_eq!(
        hedges(&code, Some(HedgingPolicy::up_to(3, seconds(2))), None),
        3
    );
    code.max_retries.set(4);
    assert_eq!(hedges(&code, None, None), 3);
    let none = settings(&[("OVERRIDE__MAX_RETRIES", "0")]);
    assert_eq!(hedges(&none, None, None), 0);
    assert_eq!(hedges(&none, own, None), 0);
    // A call that says how it is retried is retried, not hedged.
    assert_eq!(hedges(&default, None, Some(RetryPolicy::up_to(2))), 0);
    assert_eq!(hedges(&default, own, Some(RetryPolicy::up_to(2))), 2);
    let without = Effective::of(&METHOD, &default);
    assert!(without.hedging(None, None).is_none());
}

fn breaker_of(method: Method, settings: &ClientSettings) -> Option<BreakerMode> {
    Effective::of(&method, settings)
        .breaker
        .map(|breaker| breaker.mode)
}

#[test]
fn a_breaker_can_be_switched_off() {
    let proto = METHOD.breaker(BreakerPolicy::after(3));
    assert_eq!(
        breaker_of(METHOD, &settings(&[("CIRCUIT_BREAKER_THRESHOLD", "0")])),
        None
    );
    let env = settings(&[("CIRCUIT_BREAKER_THRESHOLD", "off")]);
    assert_eq!(breaker_of(proto, &env), Some(BreakerMode::Consecutive(3)));
    let over = settings(&[("OVERRIDE__CIRCUIT_BREAKER_THRESHOLD", "off")]);
    assert_eq!(breaker_of(proto, &over), None);
    assert_eq!(
        breaker_of(
            METHOD.breaker(BreakerPolicy::after(0)),
            &ClientSettings::default()
        ),
        None
    );
}

#[test]
fn a_breaker_opens_by_rate_where_that_is_said_no_lower_than_a_threshold() {
    let rate = Some(BreakerMode::Rate {
        ratio: 0.5,
        minimum: 20,
        window: seconds(10),
    });
    let env = settings(&[
        ("CIRCUIT_BREAKER_RATE", "0.5"),
        ("CIRCUIT_BREAKER_THRESHOLD", "7"),
    ]);
    assert_eq!(breaker_of(METHOD, &env), rate);
    let proto = METHOD.breaker(BreakerPolicy::after(3));
    assert_eq!(breaker_of(proto, &env), Some(BreakerMode::Consecutive(3)));
    let mut code = ClientSettings::default();
    code.circuit_breaker_rate.set(Some(Thousandths::of(500)));
    assert_eq!(breaker_of(proto, &code), rate);
    let mut over = settings(&[("OVERRIDE__CIRCUIT_BREAKER_THRESHOLD", "9")]);
    over.circuit_breaker_rate.set(Some(Thousandths::of(500)));
    assert_eq!(breaker_of(proto, &over), Some(BreakerMode::Consecutive(9)));
    let off = settings(&[
        ("CIRCUIT_BREAKER_RATE", "0.5"),
        ("CIRCUIT_BREAKER_THRESHOLD", "off"),
    ]);
    assert_eq!(breaker_of(METHOD, &off), rate);
}

#[test]
fn a_policy_that_opens_by_rate_goes_before_the_environment() {
    let policy = BreakerPolicy::at_rate(0.25)
        .minimum_calls(7)
        .window(seconds(3))
        .probes(2);
    let proto = METHOD.breaker(policy);
    let written = Some(BreakerMode::Rate {
        ratio: 0.25,
        minimum: 7,
        window: seconds(3),
    });
    assert_eq!(breaker_of(proto, &ClientSettings::default()), written);
    for key in ["CIRCUIT_BREAKER_RATE", "CIRCUIT_BREAKER_THRESHOLD"] {
        assert_eq!(breaker_of(proto, &settings(&[(key, "1")])), written);
        let over = settings(&[(format!("OVERRIDE__{key}").as_str(), "1")]);
        assert_ne!(breaker_of(proto, &over), written);
    }
    let breaker = Effective::of(&proto, &ClientSettings::default()).breaker;
    assert_eq!(breaker.unwrap().probes, 2);
}

/// How a method's breaker opens whose proto says a rate and nothing else.
fn rated(pairs: &[(&str, &str)]) -> Option<BreakerMode> {
    breaker_of(
        METHOD.breaker(BreakerPolicy::at_rate(0.25)),
        &settings(pairs),
    )
}

#[test]
fn what_a_rate_leaves_open_is_the_settings() {
    let rate = |minimum, window| {
        Some(BreakerMode::Rate {
            ratio: 0.25,
            minimum,
            window: seconds(window),
        })
    };
    assert_eq!(rated(&[]), rate(20, 10));
    let env = [
        ("CIRCUIT_BREAKER_WINDOW", "1m"),
        ("CIRCUIT_BREAKER_MINIMUM_CALLS", "5"),
    ];
    assert_eq!(rated(&env), rate(5, 60));
    // Those of a proto's threshold have nothing to do with it.
    let none = BreakerPolicy::after(3).window(seconds(1)).minimum_calls(1);
    assert_eq!(none, BreakerPolicy::after(3));
}

#[test]
fn each_part_of_a_rate_can_be_overridden() {
    let policy = BreakerPolicy::at_rate(0.25)
        .minimum_calls(7)
        .window(seconds(3));
    let proto = METHOD.breaker(policy);
    let rate = |ratio, minimum, window| {
        Some(BreakerMode::Rate {
            ratio,
            minimum,
            window: seconds(window),
        })
    };
    for (key, value, expected) in [
        ("RATE", "0.9", rate(0.9, 7, 3)),
        ("MINIMUM_CALLS", "50", rate(0.25, 50, 3)),
        ("WINDOW", "1m", rate(0.25, 7, 60)),
        // Without the rate it is the default's failures in a row.
        ("RATE", "off", Some(BreakerMode::Consecutive(5))),
        ("THRESHOLD", "9", Some(BreakerMode::Consecutive(9))),
        ("THRESHOLD", "off", None),
    ] {
        let key = format!("OVERRIDE__CIRCUIT_BREAKER_{key}");
        let over = settings(&[(key.as_str(), value)]);
        assert_eq!(breaker_of(proto, &over), expected, "{key}={value}");
    }
}

#[test]
fn an_override_goes_before_each_part_of_a_policy_that_opens_by_rate() {
    let proto = METHOD.breaker(
        BreakerPolicy::at_rate(0.25)
            .minimum_calls(7)
            .window(seconds(3)),
    );
    let rate = |ratio, minimum, window| BreakerMode::Rate {
        ratio,
        minimum,
        window: seconds(window),
    };
    for (key, value, expected) in [
        ("RATE", "0.75", rate(0.75, 7, 3)),
        ("MINIMUM_CALLS", "9", rate(0.25, 9, 3)),
        ("WINDOW", "60s", rate(0.25, 7, 60)),
        ("THRESHOLD", "4", BreakerMode::Consecutive(4)),
        // What it takes in its place is said further down.
        ("RATE", "off", BreakerMode::Consecutive(5)),
    ] {
        let key = format!("CIRCUIT_BREAKER_{key}");
        let over = settings(&[(format!("OVERRIDE__{key}").as_str(), value)]);
        assert_eq!(breaker_of(proto, &over), Some(expected), "{key} {value}");
        // As a default, it goes behind.
        let env = settings(&[(key.as_str(), value)]);
        assert_eq!(breaker_of(proto, &env), Some(rate(0.25, 7, 3)), "{key}");
    }
    let off = settings(&[
        ("OVERRIDE__CIRCUIT_BREAKER_RATE", "off"),
        ("CIRCUIT_BREAKER_THRESHOLD", "8"),
    ]);
    assert_eq!(breaker_of(proto, &off), Some(BreakerMode::Consecutive(8)));
}

#[test]
fn code_goes_before_each_part_of_a_policy_that_opens_by_rate() {
    let proto = METHOD.breaker(
        BreakerPolicy::at_rate(0.25)
            .minimum_calls(7)
            .window(seconds(3)),
    );
    let mut code = ClientSettings::default();
    code.circuit_breaker_minimum_calls.set(9);
    code.circuit_breaker_window.set(seconds(60));
    let expected = BreakerMode::Rate {
        ratio: 0.25,
        minimum: 9,
        window: seconds(60),
    };
    assert_eq!(breaker_of(proto, &code), Some(expected));
    code.circuit_breaker_rate.set(None);
    assert_eq!(breaker_of(proto, &code), Some(BreakerMode::Consecutive(5)));
}

#[test]
fn a_throttle_can_be_switched_off_by_who_goes_before_the_proto() {
    let proto = Some(RetryThrottle::new(10.0, 0.5));
    assert_eq!(
        ClientSettings::default().throttle(),
        Some(RetryThrottle::new(500.0, 0.1))
    );
    let env = settings(&[("RETRY_THROTTLE", "false")]);
    assert_eq!((env.throttle(), env.throttle_of(proto)), (None, proto));
    let mut code = ClientSettings::default();
    code.retry_throttle.set(false);
    assert_eq!(code.throttle_of(proto), None);
    let over = settings(&[("OVERRIDE__RETRY_THROTTLE", "true")]);
    assert_eq!(over.throttle_of(proto), proto);
}

#[test]
fn waiting_for_a_connection_is_the_calls_to_say() {
    let effective = Effective::of(&METHOD, &settings(&[("WAIT_FOR_READY", "true")]));
    assert!(effective.wait_for_ready(None) && !effective.wait_for_ready(Some(false)));
    let over = settings(&[("OVERRIDE__WAIT_FOR_READY", "false")]);
    assert!(!Effective::of(&METHOD, &over).wait_for_ready(Some(true)));
}

#[cfg(feature = "testing")]
mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Whatever is written where, no call is sent more than five times or never.
        #[test]
        fn rule_01_attempts_are_one_to_five(
            retries in any::<u32>(),
            proto in proptest::option::of(any::<u32>()),
            code in proptest::option::of(any::<u32>()),
            own in proptest::option::of(any::<u32>()),
        ) {
            let mut settings = ClientSettings::default();
            settings.max_retries.set_from(retries, SettingOrigin::Env);
            if let Some(code) = code {
                settings.max_retries.set(code);
            }
            let method = match proto {
                Some(proto) => METHOD
                    .retry(RetryPolicy::up_to(proto))
                    .hedging(HedgingPolicy::up_to(proto, seconds(1))),
                None => METHOD,
            };
            let effective = Effective::of(&method, &settings);
            let attempts = effective.retry(own.map(RetryPolicy::up_to)).max_attempts;
            prop_assert!((1..=5).contains(&attempts));
            let own = own.map(|own| HedgingPolicy::up_to(own, seconds(1)));
            if let Some(hedging) = effective.hedging(own, None) {
                prop_assert!((2..=5).contains(&hedging.max_attempts()));
            }
        }
    }
}
