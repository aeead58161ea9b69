//! What protos say of how clients call arrives in the methods' constants.

use std::time::Duration;

use apibase::{BreakerPolicy, Code, HedgingPolicy, Kind, Method, RetryPolicy, RetryThrottle};
use apibase_tests::configured::configured::api::topic_service;
use apibase_tests::policies::policies::api::{care_service, plain_service};
use apibase_tests::protos::examples::api::item_service;

const SERVICE_BREAKER: BreakerPolicy = BreakerPolicy::after(5).timeout(Duration::from_secs(30));
const SERVICE_THROTTLE: RetryThrottle = RetryThrottle::new(100.0, 0.3);

#[test]
fn a_retry_says_all_that_its_proto_says() {
    let expected = RetryPolicy::up_to(4)
        .initial_backoff(Duration::from_millis(100))
        .max_backoff(Duration::from_secs(1))
        .multiplier(1.3)
        .attempt_timeout(Duration::from_millis(500))
        .codes(&[Code::Unavailable, Code::ResourceExhausted]);
    let method = care_service::RETRIED;
    assert_eq!(method.retry_policy(), Some(expected));
    assert_eq!(method.hedging_policy(), None);
}

#[test]
fn what_a_retry_leaves_open_is_the_clients() {
    let method = care_service::PLAINLY;
    assert_eq!(method.retry_policy(), Some(RetryPolicy::up_to(2)));
}

#[test]
fn a_stream_of_requests_is_retried_too() {
    let method = care_service::UPLOADED;
    assert_eq!(method.kind(), Kind::ClientStream);
    assert_eq!(method.retry_policy(), Some(RetryPolicy::up_to(3)));
}

#[test]
fn a_hedging_has_its_delay_or_none() {
    let hedged = HedgingPolicy::up_to(3, Duration::from_millis(50)).non_fatal(&[Code::Unavailable]);
    assert_eq!(care_service::HEDGED.hedging_policy(), Some(hedged));
    let both = HedgingPolicy::up_to(2, Duration::ZERO);
    assert_eq!(care_service::BOTH.hedging_policy(), Some(both));
    assert_eq!(care_service::BOTH.retry_policy(), None);
}

#[test]
fn a_service_speaks_for_methods_that_say_nothing() {
    let silent = care_service::SILENT;
    assert_eq!(silent.default_deadline(), Some(Duration::from_secs(10)));
    assert_eq!(silent.breaker_policy(), Some(SERVICE_BREAKER));
    assert_eq!(silent.throttle(), Some(SERVICE_THROTTLE));
    assert_eq!(silent.retry_policy(), None);
}

#[test]
fn what_a_method_says_beats_its_service() {
    let deadline = care_service::RETRIED.default_deadline();
    assert_eq!(deadline, Some(Duration::from_secs(5)));
    let guarded = care_service::GUARDED;
    assert_eq!(guarded.breaker_policy(), Some(BreakerPolicy::after(2)));
    assert_eq!(guarded.default_deadline(), Some(Duration::from_secs(10)));
}

#[test]
fn a_breaker_that_opens_at_a_rate_says_all_that_its_proto_says() {
    let expected = BreakerPolicy::at_rate(0.5)
        .minimum_calls(50)
        .window(Duration::from_secs(60))
        .timeout(Duration::from_secs(5))
        .probes(3);
    assert_eq!(care_service::RATED.breaker_policy(), Some(expected));
    let least = BreakerPolicy::at_rate(0.125);
    assert_eq!(care_service::PARTLY.breaker_policy(), Some(least));
}

#[test]
fn a_method_can_have_no_deadline_where_its_service_has_one() {
    assert_eq!(care_service::WATCHED.default_deadline(), None);
}

#[test]
fn one_throttle_is_for_all_methods_of_a_service() {
    for method in care_service::METHODS {
        assert_eq!(method.throttle(), Some(SERVICE_THROTTLE), "{method}");
    }
}

#[test]
fn a_proto_without_policies_leaves_all_to_the_client() {
    let expected = Method::unary("/policies.PlainService/Silent");
    assert_eq!(plain_service::SILENT, expected);
}

/// The config lies where the build script of this package finds it.
#[test]
fn a_service_config_speaks_for_protos_that_say_nothing() {
    let retry = RetryPolicy::up_to(5)
        .initial_backoff(Duration::from_millis(100))
        .max_backoff(Duration::from_secs(60))
        .multiplier(1.3);
    for method in [topic_service::CREATE, topic_service::PUBLISH] {
        assert_eq!(method.retry_policy(), Some(retry), "{method}");
        assert_eq!(method.default_deadline(), Some(Duration::from_secs(60)));
    }
    let hedged =
        HedgingPolicy::up_to(2, Duration::from_millis(250)).non_fatal(&[Code::Unavailable]);
    assert_eq!(topic_service::FIND.hedging_policy(), Some(hedged));
    assert_eq!(topic_service::WATCH.default_deadline(), None);
    for method in topic_service::METHODS {
        assert_eq!(
            method.throttle(),
            Some(RetryThrottle::new(100.0, 0.1)),
            "{method}"
        );
    }
}

#[test]
fn the_example_retries_what_is_idempotent_alone() {
    for method in item_service::METHODS {
        let is_retried = method.retry_policy().is_some();
        assert_eq!(is_retried, method.is_idempotent(), "{method}");
    }
    let deadline = item_service::GET_ITEM.default_deadline();
    assert_eq!(deadline, Some(Duration::from_secs(2)));
}
