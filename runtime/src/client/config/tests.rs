//! The names and defaults that the specification gives, and what an operator may override.

use super::*;
use crate::ConfigError;
use crate::settings::{EffectiveSetting, EffectiveSettings, SettingOrigin, are_the_table_of, read};

fn from(pairs: &[(&str, &str)]) -> Result<ClientSettings, ConfigError> {
    let variables = pairs
        .iter()
        .map(|(key, value)| (format!("GRPC__CLIENT__{key}").into(), value.into()));
    read(variables, None)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// With `UPDATE_DOCS=1` it writes the file anew.
#[test]
fn the_docs_are_the_table() {
    are_the_table_of::<ClientSettings>("client/config/settings.md");
}

#[test]
fn the_defaults_are_the_specifications() {
    let settings = ClientSettings::default();
    assert_eq!(*settings.default_timeout.get(), Some(seconds(30)));
    assert_eq!(*settings.max_retries.get(), 3);
    assert_eq!(*settings.retry_backoff_base.get(), seconds(1));
    assert_eq!(*settings.adaptive_throttle.get(), None);
    assert_eq!(*settings.circuit_breaker_threshold.get(), NonZero::new(5));
    assert_eq!(*settings.circuit_breaker_timeout.get(), seconds(30));
    assert!(*settings.secure.get());
    assert_eq!(*settings.lb_policy.get(), Balance::RoundRobin);
    assert_eq!(*settings.keepalive_interval.get(), Some(seconds(10)));
    assert_eq!(*settings.keepalive_timeout.get(), seconds(5));
}

#[test]
fn every_key_is_read_and_others_are_let_be() {
    let settings = from(&[
        ("DEFAULT_TIMEOUT", "2.5"),
        ("MAX_RETRIES", "0"),
        ("RETRY_BACKOFF_BASE", "250ms"),
        ("RETRY_BACKOFF_MAX", "30"),
        ("RETRY_BACKOFF_MULTIPLIER", "1.6"),
        ("RETRY_THROTTLE", "False"),
        ("RETRY_THROTTLE_TOKENS", "100"),
        ("RETRY_THROTTLE_RATIO", "0.25"),
        ("ADAPTIVE_THROTTLE", "1.5"),
        ("CIRCUIT_BREAKER_THRESHOLD", "7"),
        ("CIRCUIT_BREAKER_TIMEOUT", "10.0"),
        ("CIRCUIT_BREAKER_RATE", "0.5"),
        ("CIRCUIT_BREAKER_WINDOW", "1m"),
        ("CIRCUIT_BREAKER_MINIMUM_CALLS", "10"),
        ("WAIT_FOR_READY", "true"),
        ("MAX_MESSAGE_SIZE", "8MiB"),
        ("SECURE", "false"),
        ("LB_POLICY", "Least_Loaded"),
        ("MAX_CONNECTIONS", "2"),
        ("MAX_WAITING", "10"),
        ("CONNECT_TIMEOUT", "5s"),
        ("KEEPALIVE_INTERVAL", "off"),
        ("KEEPALIVE_TIMEOUT", "1s"),
        ("KEEPALIVE_WHILE_IDLE", "true"),
    ])
    .unwrap();
    let shown = EffectiveSettings::of(&settings);
    let unset: Vec<_> = shown
        .settings()
        .iter()
        .filter(|setting| setting.origin() != SettingOrigin::Env)
        .filter(|setting| !setting.name().starts_with("tls_"))
        .map(EffectiveSetting::name)
        .collect();
    assert!(unset.is_empty(), "{unset:?}");
    assert_eq!(
        *settings.default_timeout.get(),
        Some(Duration::from_millis(2500))
    );
    assert_eq!(settings.retry_backoff_multiplier.get().get(), 1.6);
    assert_eq!(settings.retry_throttle_ratio.get().get(), 0.25);
    assert_eq!(*settings.lb_policy.get(), Balance::LeastLoaded);
    let multiplier = settings.adaptive_throttle.get();
    assert_eq!(multiplier.map(Thousandths::get), Some(1.5));
    assert_eq!(*settings.keepalive_interval.get(), None);

    let others = [("GRPC__SERVER__PORT", "x"), ("GRPC_VERBOSITY", "debug")];
    let others = others.map(|(key, value)| (key.into(), value.into()));
    assert!(read::<ClientSettings>(others, None).is_ok());
}

#[test]
fn a_breaker_is_switched_off_by_zero_or_by_off() {
    for text in ["0", "off", "OFF"] {
        let settings = from(&[("CIRCUIT_BREAKER_THRESHOLD", text)]).unwrap();
        assert_eq!(*settings.circuit_breaker_threshold.get(), None, "{text}");
        let shown = EffectiveSettings::of(&settings);
        let setting = shown.get("circuit_breaker_threshold").unwrap();
        assert_eq!(setting.value(), Some("off"));
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_the_name_that_was_meant() {
    let error = from(&[
        ("MAX_RETRYS", "3"),
        ("RETRY_BACKOFF_MULTIPLIER", "0.5"),
        ("RETRY_THROTTLE_RATIO", "0.1234"),
        ("RETRY_THROTTLE_TOKENS", "0"),
        ("CIRCUIT_BREAKER_THRESHOLD", "-1"),
        ("LB_POLICY", "random"),
        ("OVERRIDE__MAX_RETRY", "3"),
        ("OVERIDE__DEFAULT_TIMEOUT", "3"),
    ])
    .unwrap_err();
    let expected = "8 settings are wrong:
  GRPC__CLIENT__CIRCUIT_BREAKER_THRESHOLD: `-1` is not a whole number from 1 to 4294967295, or `off` or 0
  GRPC__CLIENT__LB_POLICY: `random` is not `round_robin`, `pick_first` or `least_loaded`
  GRPC__CLIENT__MAX_RETRYS: there is no such setting; did you mean `GRPC__CLIENT__MAX_RETRIES`?
  GRPC__CLIENT__OVERIDE__DEFAULT_TIMEOUT: there is no such setting; did you mean `GRPC__CLIENT__OVERRIDE__DEFAULT_TIMEOUT`?
  GRPC__CLIENT__OVERRIDE__MAX_RETRY: there is no such setting; did you mean `GRPC__CLIENT__OVERRIDE__MAX_RETRIES`?
  GRPC__CLIENT__RETRY_BACKOFF_MULTIPLIER: `0.5` is not a number from 1 to 100, with at most three decimals
  GRPC__CLIENT__RETRY_THROTTLE_RATIO: `0.1234` is not a number above 0 and at most 1, with at most three decimals
  GRPC__CLIENT__RETRY_THROTTLE_TOKENS: `0` is not a number above 0 and at most 1000, with at most three decimals";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn where_a_client_connects_and_whom_it_trusts_is_not_overridden() {
    let documented = EffectiveSettings::documented::<ClientSettings>();
    let all = documented.settings().iter();
    let not: Vec<_> = all
        .filter(|setting| !setting.is_overridable())
        .map(EffectiveSetting::name)
        .collect();
    assert_eq!(
        not,
        ["secure", "tls_ca_file", "tls_cert_file", "tls_key_file"]
    );
    for key in not {
        let error =
            from(&[(format!("OVERRIDE__{}", key.to_uppercase()).as_str(), "true")]).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("it can't be overridden; set `GRPC__CLIENT__"),
            "{said}"
        );
    }
}

#[test]
#[cfg(feature = "tls")]
fn a_certificate_needs_its_key() {
    let error = from(&[("TLS_CERT_FILE", "/tls/tls.crt")]).unwrap_err();
    assert_eq!(error.key(), "GRPC__CLIENT__TLS_KEY_FILE");
    assert!(from(&[("TLS_CA_FILE", "/tls/ca.crt")]).is_ok());
}

#[test]
#[cfg(not(feature = "tls"))]
fn tls_without_the_feature_names_the_feature() {
    let error = from(&[("TLS_CA_FILE", "/tls/ca.crt")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "GRPC__CLIENT__TLS_CA_FILE: it takes the feature `tls`; build with it, or unset it"
    );
}
