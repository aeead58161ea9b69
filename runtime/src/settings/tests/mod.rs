//! Reading, errors and descriptions, with a table that has one row of each kind.

#[cfg(feature = "config")]
mod file;
mod needs;
mod overrides;
#[cfg(all(feature = "config", feature = "testing"))]
mod properties;
mod takes;

use std::time::Duration;

use super::{
    ConfigError, ConfigProblem, Count, EffectiveSettings, Host, Maybe, OrOff, Port, SettingOrigin,
    Size, SocketPath, Switch, Time, Timeout, Workers, read, settings,
};

settings! {
    /// One row of each kind.
    struct Sample = "SERVER";

    /// Whether to serve,
    /// or not.
    enabled: Maybe<Switch> = None;
    /// Where.
    host: Host = std::net::Ipv4Addr::UNSPECIFIED.into();
    /// Which.
    port: Port = 50051;
    /// A file.
    socket: Maybe<SocketPath> = None;
    /// How long.
    grace: Time = Duration::from_secs(5);
    /// How old.
    max_age: OrOff<Timeout> = None;
    /// How many.
    max_calls: OrOff<Count> = Some(100);
    /// How large.
    max_size: Size = 4096;
    /// Nobody sees it.
    pin: Port = 0, secret();
    /// Later.
    max_workers: Workers = 10, not_yet("later; unset it");
    /// Later, too.
    tidy: Switch = true, built(false, "false", "later; set it to false");
}

fn from(pairs: &[(&str, &str)]) -> Result<Sample, ConfigError> {
    read(
        pairs
            .iter()
            .map(|(key, value)| (format!("GRPC__{key}").into(), value.into())),
        None,
    )
}

fn refusal(pairs: &[(&str, &str)]) -> String {
    from(pairs).unwrap_err().to_string()
}

fn shown(settings: &Sample) -> String {
    EffectiveSettings::of(settings).to_string()
}

#[test]
fn a_description_has_every_setting_with_its_origin_and_no_secret() {
    let mut settings = from(&[
        ("SERVER__HOST", "[::1]"),
        ("SERVER__SOCKET", "/run/it\"s \\ here.sock"),
        ("SERVER__GRACE", "90000ms"),
        ("SERVER__PIN", "4711"),
        ("SERVER__MAX_CALLS", "off"),
    ])
    .unwrap();
    settings.max_size.set(1 << 20);
    assert_eq!(shown(&settings), DESCRIBED);
    assert!(!format!("{settings:?}").contains("4711"));
}

const DESCRIBED: &str = r#"[server]
# enabled is not set                # default
host = "::1"                        # env
port = 50051                        # default
socket = "/run/it\"s \\ here.sock"  # env
grace = "90s"                       # env
max_age = "off"                     # default
max_calls = "off"                   # env
max_size = "1MiB"                   # code
# pin is set, and secret            # env"#;

#[test]
fn a_setting_knows_all_about_itself() {
    let described = EffectiveSettings::of(&from(&[("SERVER__PIN", "4711")]).unwrap());
    let setting = described.get("enabled").unwrap();
    assert_eq!(setting.key(), "GRPC__SERVER__ENABLED");
    assert_eq!(setting.name(), "enabled");
    assert_eq!(setting.doc(), "Whether to serve, or not.");
    assert_eq!(setting.takes(), "true or false");
    assert_eq!((setting.value(), setting.default_value()), (None, None));
    assert_eq!(setting.origin(), SettingOrigin::Default);
    assert!(!setting.is_secret());
    let pin = described.get("pin").unwrap();
    assert!(pin.is_secret());
    assert_eq!((pin.value(), pin.default_value()), (None, None));
    assert_eq!(pin.origin(), SettingOrigin::Env);
    // What nothing enforces is not in force.
    assert!(described.get("max_workers").is_none() && described.get("tidy").is_none());
    assert_eq!(described.file(), None);
}

#[test]
fn code_goes_before_the_environment() {
    let mut settings = from(&[("SERVER__PORT", "1")]).unwrap();
    assert_eq!(settings.port.origin(), SettingOrigin::Env);
    settings.port.set(2);
    assert_eq!(*settings.port.get(), 2);
    assert_eq!(settings.port.origin(), SettingOrigin::Code);
    assert!(SettingOrigin::Code > SettingOrigin::Env && SettingOrigin::Env > SettingOrigin::File);
}

#[test]
fn an_empty_variable_is_unset_and_spaces_around_values_do_not_count() {
    let settings = from(&[
        ("SERVER__PORT", ""),
        ("SERVER__HOST", " \n"),
        ("SERVER__MAX_CALLS", " 7\n"),
        ("SERVER__MAX_WORKERS", ""),
        ("CONFIG_FILE", " "),
    ])
    .unwrap();
    assert_eq!(settings.port.origin(), SettingOrigin::Default);
    assert_eq!(settings.host.origin(), SettingOrigin::Default);
    assert_eq!(*settings.max_calls.get(), Some(7));
}

#[test]
fn a_bad_value_names_key_value_and_what_it_takes() {
    assert_eq!(
        refusal(&[("SERVER__PORT", "http")]),
        "GRPC__SERVER__PORT: `http` is not a number from 0 to 65535"
    );
    assert_eq!(
        refusal(&[("SERVER__MAX_AGE", "0")]),
        "GRPC__SERVER__MAX_AGE: `0` is not a time such as `20s`, `250ms`, `1m30s` or `2.5` \
         (seconds), above 0 and at most 8760h, or `off`"
    );
    assert_eq!(
        refusal(&[("SERVER__HOST", "items.default.svc")]),
        "GRPC__SERVER__HOST: `items.default.svc` is not an IP address such as `0.0.0.0`, \
         `127.0.0.1` or `[::]`, or `localhost`"
    );
    assert_eq!(
        refusal(&[("SERVER__MAX_SIZE", "4MB")]),
        "GRPC__SERVER__MAX_SIZE: `4MB` is not a size such as `4MiB`, `64KiB` or `65536` (bytes), \
         above 0 and below 4GiB"
    );
    assert_eq!(
        refusal(&[("SERVER__SOCKET", "unix:x.sock")]),
        "GRPC__SERVER__SOCKET: `unix:x.sock` is not an absolute path of at most 107 bytes"
    );
}

#[test]
fn a_bad_value_of_a_secret_is_not_shown() {
    assert_eq!(
        refusal(&[("SERVER__PIN", "hunter2")]),
        "GRPC__SERVER__PIN: its value is not a number from 0 to 65535"
    );
}

#[test]
fn a_value_that_would_fill_or_break_the_log_is_cut_and_escaped() {
    assert_eq!(
        refusal(&[("SERVER__ENABLED", "\u{1b}[2J\n\"\u{202e}")]),
        "GRPC__SERVER__ENABLED: `\\u{1b}[2J\\n\"\\u{202e}` is not true or false"
    );
    let long = refusal(&[("SERVER__ENABLED", "x".repeat(100_000).as_str())]);
    let cut = format!("`{}…` is not", "x".repeat(80));
    assert!(long.contains(&cut), "{long}");
}

#[test]
#[cfg(unix)]
fn a_value_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let bytes = |text: &[u8]| std::ffi::OsString::from_vec(text.to_vec());
    let refused = |key: &[u8], value: &[u8]| {
        let error = read::<Sample>([(bytes(key), bytes(value))], None).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        refused(b"GRPC__SERVER__PORT", b"\xff"),
        "GRPC__SERVER__PORT: its value is not UTF-8; it takes a number from 0 to 65535"
    );
    assert_eq!(
        refused(b"GRPC__SERVER__PORT\xff", b"1"),
        "GRPC__SERVER__PORT\u{fffd}: there is no such setting; did you mean \
         `GRPC__SERVER__PORT`?"
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_in_order() {
    let pairs = [
        ("SERVER__PORT", "http"),
        ("SERVER__MAX_WORKERS", "4"),
        ("SERVER__TIDY", "true"),
        ("SERVER__HOTS", "::"),
    ];
    let expected = "4 settings are wrong:
  GRPC__SERVER__HOTS: there is no such setting; did you mean `GRPC__SERVER__HOST`?
  GRPC__SERVER__MAX_WORKERS: later; unset it
  GRPC__SERVER__PORT: `http` is not a number from 0 to 65535
  GRPC__SERVER__TIDY: later; set it to false";
    assert_eq!(refusal(&pairs), expected);
    let error = from(&pairs).unwrap_err();
    assert_eq!(error.key(), "GRPC__SERVER__HOTS");
    let keys: Vec<_> = error.problems().iter().map(ConfigProblem::key).collect();
    assert_eq!(keys.len(), 4);
    assert!(
        error
            .problems()
            .iter()
            .all(|problem| problem.place().is_none())
    );
}

#[test]
fn what_nothing_enforces_is_let_be_where_it_asks_for_nothing() {
    assert!(from(&[("SERVER__TIDY", "False")]).is_ok());
    assert_eq!(
        refusal(&[("SERVER__TIDY", "no")]),
        "GRPC__SERVER__TIDY: `no` is not true or false"
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    for (key, meant) in [
        ("GRPC__SERVER__PROT", "GRPC__SERVER__PORT"),
        ("GRPC__SERVER__MAX-CALLS", "GRPC__SERVER__MAX_CALLS"),
        ("GRPC__SERVER__port", "GRPC__SERVER__PORT"),
        ("GRPC__SERVER___PORT", "GRPC__SERVER__PORT"),
        ("GRPC__SERVER__SOCK", "GRPC__SERVER__SOCKET"),
        ("GRPC__SERVER__MAX", "GRPC__SERVER__MAX_AGE"),
        ("GRPC__SERVER_PORT", "GRPC__SERVER__PORT"),
        ("GRPC__SEVER__PORT", "GRPC__SERVER__PORT"),
        ("GRPC__PORT", "GRPC__SERVER__PORT"),
        ("grpc__server__port", "GRPC__SERVER__PORT"),
        ("Grpc__Server__Port", "GRPC__SERVER__PORT"),
        ("GRPC__CONFIG", "GRPC__CONFIG_FILE"),
        ("GRPC__SERVER__CONFIG_FILE", "GRPC__CONFIG_FILE"),
        ("grpc__config_file", "GRPC__CONFIG_FILE"),
        ("GRPC__CLEINT__MAX_RETRIES", "GRPC__CLIENT__MAX_RETRIES"),
        ("grpc__client__max_retries", "GRPC__CLIENT__MAX_RETRIES"),
    ] {
        let error = read::<Sample>([(key.into(), "secret".into())], None).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{key}: there is no such setting; did you mean `{meant}`?")
        );
    }
}

#[test]
fn an_unknown_key_that_is_like_none_is_refused_with_all_that_there_are() {
    assert_eq!(
        refusal(&[("SERVER__COMPRESSION", "secret")]),
        "GRPC__SERVER__COMPRESSION: there is no such setting; there are GRPC__SERVER__ENABLED, \
         GRPC__SERVER__HOST, GRPC__SERVER__PORT, GRPC__SERVER__SOCKET, GRPC__SERVER__GRACE, \
         GRPC__SERVER__MAX_AGE, GRPC__SERVER__MAX_CALLS, GRPC__SERVER__MAX_SIZE, \
         GRPC__SERVER__PIN, GRPC__CONFIG_FILE"
    );
    assert!(refusal(&[("", "")]).starts_with("GRPC__: there is no such setting; "));
}

#[test]
fn what_is_not_ours_is_let_be() {
    for key in [
        "GRPC__CLIENT__MAX_RETRIES",
        "GRPC__CLIENT__whatever",
        // Kubernetes sets it where there is a service called `grpc-server`.
        "GRPC_SERVER_PORT",
        "GRPC_VERBOSITY",
        "XGRPC__SERVER__PORT",
        "GRPC",
        "",
    ] {
        let read = read::<Sample>([(key.into(), "x".into())], None);
        assert!(read.is_ok(), "{key}");
    }
}

#[test]
#[cfg(not(feature = "config"))]
fn a_file_without_the_feature_names_the_feature() {
    assert_eq!(
        refusal(&[("CONFIG_FILE", "/etc/server.toml")]),
        "GRPC__CONFIG_FILE: a file of settings takes the feature `config` of the crate apibase"
    );
}
