//! One channel a target, as long as somebody uses it, and settings that end up where they act.

use std::num::NonZero;
use std::time::Duration;

use super::*;
use crate::client::config::Balance;
use crate::{RetryThrottle, SettingOrigin, Transport};

fn from(pairs: &[(&str, &str)]) -> Result<ClientFactory, ConfigError> {
    let pair = |(key, value): &(&str, &str)| (format!("GRPC__CLIENT__{key}"), (*value).to_owned());
    ClientFactory::from_variables(pairs.iter().map(pair))
}

/// Whether stubs over these share what is known of the target.
fn are_same(one: &Channel, other: &Channel) -> bool {
    let upstream = |channel: &Channel| Arc::clone(channel.upstream().unwrap());
    Arc::ptr_eq(&upstream(one), &upstream(other))
}

fn set(factory: &ClientFactory, name: &str) -> (String, SettingOrigin) {
    let described = factory.describe();
    let setting = described.get(name).unwrap();
    (setting.value().unwrap().to_owned(), setting.origin())
}

#[tokio::test]
async fn a_target_has_one_channel_and_another_target_another() {
    let factory = ClientFactory::new();
    let items = factory.channel("http://items:1").unwrap();
    assert!(are_same(
        &items,
        &factory.channel("http://items:1").unwrap()
    ));
    assert!(are_same(
        &items,
        &factory.clone().channel("http://items:1").unwrap()
    ));
    for other in ["http://items:2", "http://items:1/"] {
        assert!(!are_same(&items, &factory.channel(other).unwrap()));
    }
    let bare = factory.channel(Target::new("items:1").insecure()).unwrap();
    assert!(!are_same(&items, &bare));
}

#[tokio::test]
async fn a_factory_that_is_set_otherwise_makes_channels_of_its_own() {
    let factory = ClientFactory::new();
    let items = factory.channel("http://items:1").unwrap();
    let patient = factory.clone().default_timeout(Duration::from_secs(300));
    let slow = patient.channel("http://items:1").unwrap();
    assert!(!are_same(&items, &slow));
    assert!(are_same(
        &items,
        &factory.channel("http://items:1").unwrap()
    ));
    assert!(are_same(&slow, &patient.channel("http://items:1").unwrap()));
}

#[tokio::test]
async fn a_channel_that_nobody_uses_is_closed_and_forgotten() {
    let factory = ClientFactory::new();
    let items = factory.channel("http://items:1").unwrap();
    let before = Arc::downgrade(items.upstream().unwrap());
    drop(items);
    assert!(before.upgrade().is_none());
    for port in 1..1000 {
        let target = format!("http://items:{port}");
        drop(factory.channel(target).unwrap());
        assert!(factory.channels.len() <= 1);
    }
    let kept: Vec<_> = (1..10)
        .map(|port| factory.channel(format!("http://kept:{port}")).unwrap())
        .collect();
    assert!(factory.channels.len() <= kept.len() + 1);
    let again = factory.channel("http://kept:1").unwrap();
    assert!(kept.iter().any(|kept| are_same(kept, &again)));
}

#[tokio::test]
async fn a_target_that_is_wrong_is_an_error_and_not_remembered() {
    let factory = ClientFactory::new();
    let error = factory.channel("ftp://items:1").unwrap_err();
    assert!(error.is_target() && error.config_error().is_none());
    assert_eq!(factory.channels.len(), 0);
}

#[tokio::test]
async fn a_bare_target_is_tls_unless_the_settings_say_otherwise() {
    assert!(
        ClientFactory::new()
            .secure(false)
            .channel("items:1")
            .is_ok()
    );
    let plaintext = from(&[("SECURE", "false")]).unwrap();
    let channel = plaintext.channel("items:1").unwrap();
    assert!(!channel.upstream().unwrap().is_secure());
    // Code goes before the environment.
    let secure = plaintext.secure(true).channel("items:1");
    assert!(secure.is_err() || cfg!(feature = "tls"));
}

#[test]
fn what_is_set_goes_before_the_environment_and_is_described() {
    let factory = from(&[("DEFAULT_TIMEOUT", "5"), ("MAX_RETRIES", "1")]).unwrap();
    let factory = factory.default_timeout(Duration::from_secs(2));
    let env = (SettingOrigin::Env, SettingOrigin::Code);
    assert_eq!(set(&factory, "max_retries"), ("1".to_owned(), env.0));
    assert_eq!(set(&factory, "default_timeout"), ("2s".to_owned(), env.1));
    let shown = format!("{factory:?}");
    assert!(shown.contains("default_timeout"), "{shown}");
}

#[test]
fn an_adaptive_throttle_sends_no_less_than_what_is_accepted() {
    let off = ("off".to_owned(), SettingOrigin::Default);
    assert_eq!(set(&ClientFactory::new(), "adaptive_throttle"), off);
    for (multiplier, expected) in [(1.5, "1.5"), (0.0, "1"), (f64::NAN, "1"), (1e9, "100")] {
        let factory = ClientFactory::new().adaptive_throttle(multiplier);
        let described = (expected.to_owned(), SettingOrigin::Code);
        assert_eq!(set(&factory, "adaptive_throttle"), described);
    }
    let over = from(&[("OVERRIDE__ADAPTIVE_THROTTLE", "off")]).unwrap();
    let described = ("off".to_owned(), SettingOrigin::Override);
    assert_eq!(
        set(&over.adaptive_throttle(2.0), "adaptive_throttle"),
        described
    );
}

#[test]
fn an_operators_override_goes_before_what_is_set() {
    let factory = from(&[("OVERRIDE__DEFAULT_TIMEOUT", "5s")]).unwrap();
    let factory = factory.default_timeout(Duration::from_secs(2));
    let described = ("5s".to_owned(), SettingOrigin::Override);
    assert_eq!(set(&factory, "default_timeout"), described);
}

#[test]
fn every_setter_sets_what_it_says() {
    let factory = ClientFactory::new()
        .max_retries(1)
        .retry_backoff(Duration::from_millis(10), 3.5, Duration::from_secs(3))
        .retry_throttle(RetryThrottle::new(10.0, 0.5))
        .circuit_breaker_by_rate(0.25, 7, Duration::from_secs(9))
        .wait_for_ready(true)
        .max_message_size(1 << 20)
        .secure(false)
        .balance(Balance::LeastLoaded)
        .outlier_ejection(OutlierEjection::off())
        .max_connections(0)
        .max_waiting(5)
        .connect_timeout(Duration::from_secs(4))
        .keepalive(Duration::from_secs(60), Duration::from_secs(6))
        .keepalive_while_idle(true);
    for (name, value) in [
        ("max_retries", "1"),
        ("retry_backoff_base", "10ms"),
        ("retry_backoff_multiplier", "3.5"),
        ("retry_backoff_max", "3s"),
        ("retry_throttle_tokens", "10"),
        ("retry_throttle_ratio", "0.5"),
        ("circuit_breaker_rate", "0.25"),
        ("circuit_breaker_minimum_calls", "7"),
        ("circuit_breaker_window", "9s"),
        ("wait_for_ready", "true"),
        ("max_message_size", "1MiB"),
        ("secure", "false"),
        ("lb_policy", "least_loaded"),
        ("max_connections", "1"),
        ("max_waiting", "5"),
        ("connect_timeout", "4s"),
        ("keepalive_interval", "1m"),
        ("keepalive_timeout", "6s"),
        ("keepalive_while_idle", "true"),
    ] {
        let expected = (value.to_owned(), SettingOrigin::Code);
        assert_eq!(set(&factory, name), expected, "{name}");
    }
    let options = factory.options();
    assert_eq!(options.balance, Balance::LeastLoaded);
    assert_eq!(options.ejection, OutlierEjection::off());
    assert_eq!((options.max_connections, options.max_waiting), (1, 5));
    assert_eq!(options.connect_timeout, Duration::from_secs(4));
    assert_eq!(options.keepalive_interval, Some(Duration::from_secs(60)));
    assert_eq!(options.keepalive_timeout, Duration::from_secs(6));
    assert!(options.keepalive_while_idle && !options.secure);
}

#[test]
fn what_can_be_switched_off_is() {
    let factory = ClientFactory::new()
        .no_default_timeout()
        .no_circuit_breaker()
        .no_keepalive()
        .no_retry_throttle();
    for (name, value) in [
        ("default_timeout", "off"),
        ("circuit_breaker_threshold", "off"),
        ("keepalive_interval", "off"),
        ("retry_throttle", "false"),
    ] {
        assert_eq!(set(&factory, name).0, value, "{name}");
    }
}

#[test]
fn the_last_of_two_breakers_counts() {
    let five = NonZero::new(5).unwrap();
    let (open_for, window) = (Duration::from_secs(1), Duration::from_secs(2));
    let factory = ClientFactory::new().circuit_breaker_by_rate(0.5, 10, window);
    assert_eq!(set(&factory, "circuit_breaker_rate").0, "0.5");
    let factory = factory.circuit_breaker(five, open_for);
    assert_eq!(set(&factory, "circuit_breaker_rate").0, "off");
    assert_eq!(set(&factory, "circuit_breaker_threshold").0, "5");
}

#[test]
fn numbers_beyond_what_there_is_are_brought_back_to_it() {
    let second = Duration::from_secs(1);
    for (given, kept) in [(0.5, "1"), (1e9, "100"), (f64::INFINITY, "100")] {
        let factory = ClientFactory::new().retry_backoff(second, given, second);
        assert_eq!(set(&factory, "retry_backoff_multiplier").0, kept, "{given}");
    }
    for (given, kept) in [(-1.0, "0.001"), (7.0, "1")] {
        let factory = ClientFactory::new().circuit_breaker_by_rate(given, 1, second);
        assert_eq!(set(&factory, "circuit_breaker_rate").0, kept, "{given}");
    }
    let (none, one) = (Duration::ZERO, NonZero::<u32>::MIN);
    let factory = ClientFactory::new()
        .default_timeout(none)
        .circuit_breaker(one, none)
        .circuit_breaker_by_rate(1.0, 0, none)
        .connect_timeout(none)
        .keepalive(none, none);
    for (name, kept) in [
        ("default_timeout", "1ms"),
        ("circuit_breaker_timeout", "1ms"),
        ("circuit_breaker_minimum_calls", "1"),
        ("circuit_breaker_window", "1ms"),
        ("connect_timeout", "1ms"),
        ("keepalive_interval", "1s"),
        ("keepalive_timeout", "1ms"),
    ] {
        assert_eq!(set(&factory, name).0, kept, "{name}");
    }
}

#[test]
#[cfg(all(feature = "config", feature = "server"))]
fn server_and_client_are_set_by_one_file() {
    let name = format!("apibase-both-{}.toml", std::process::id());
    let path = std::env::temp_dir().join(name);
    let text = "[server]\nport = 50053\n[client]\nmax_retries = 1\n\
                [client.override]\ndefault_timeout = \"5s\"\n";
    std::fs::write(&path, text).unwrap();
    let variables = [("GRPC__CONFIG_FILE", &path)];
    let client = ClientFactory::from_variables(variables);
    let server = crate::Server::from_variables(variables);
    let by_path = ClientFactory::from_file(&path);
    std::fs::remove_file(&path).unwrap();
    for client in [client.unwrap(), by_path.unwrap()] {
        let file = ("1".to_owned(), SettingOrigin::File);
        assert_eq!(set(&client, "max_retries"), file);
        let over = ("5s".to_owned(), SettingOrigin::Override);
        assert_eq!(set(&client.max_retries(7), "default_timeout"), over);
    }
    let described = server.unwrap().describe();
    assert_eq!(described.get("port").unwrap().value(), Some("50053"));
}
