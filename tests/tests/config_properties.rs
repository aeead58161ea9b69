//! What holds for a server's settings in any environment.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

use std::ffi::OsString;

use apibase::Server;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const CASES: u32 = 512;

/// Every key that a server has.
fn keys() -> Vec<String> {
    let described = Server::new().describe();
    let keys = described.settings().iter();
    keys.map(|setting| setting.key().to_owned()).collect()
}

/// A key: one of the server's, one that is nearly so, or anything.
fn key() -> impl Strategy<Value = String> {
    let ours = select(keys());
    prop_oneof![
        6 => ours.clone(),
        1 => (ours.clone(), any::<prop::sample::Index>(), any::<char>()).prop_map(slip),
        1 => ours.prop_map(|key| key.to_lowercase()),
        1 => "(GRPC__|grpc__)(SERVER__|CLIENT__|SEVER__|CONFIG)?[A-Za-z_-]{0,12}",
        1 => any::<String>(),
    ]
}

/// The key with another character somewhere.
fn slip((key, index, char): (String, prop::sample::Index, char)) -> String {
    let place = index.index(key.chars().count());
    let (before, after) = (key.chars().take(place), key.chars().skip(place + 1));
    before.chain([char]).chain(after).collect()
}

fn value() -> impl Strategy<Value = OsString> {
    prop_oneof![
        select(vec!["true", "false", "off", "", " 7 ", "[::]", "localhost"]).prop_map(Into::into),
        any::<u32>().prop_map(|number| number.to_string().into()),
        "[0-9]{1,3}(\\.[0-9])?(h|m|s|ms|KiB|Mi)?".prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        vec(any::<u8>(), 0..8).prop_map(bytes),
    ]
}

#[cfg(unix)]
fn bytes(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn bytes(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// What the server is set to, as variables.
fn variables(server: &Server) -> Vec<(String, String)> {
    let described = server.describe();
    let settings = described.settings().iter();
    let pairs = settings.filter_map(|setting| {
        let value = setting.value()?;
        Some((setting.key().to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// A value that the key takes, by what it is now.
fn good(key: &str) -> BoxedStrategy<String> {
    match key.trim_start_matches("GRPC__SERVER__") {
        "HOST" => any::<std::net::IpAddr>()
            .prop_map(|ip| ip.to_string())
            .boxed(),
        "PORT" => any::<u16>().prop_map(|port| port.to_string()).boxed(),
        "MAX_CONCURRENT_RPCS" => (1..=u32::MAX).prop_map(|max| max.to_string()).boxed(),
        "MAX_MESSAGE_SIZE" => (1..=u32::MAX).prop_map(|bytes| bytes.to_string()).boxed(),
        "GRACE" => (0..31_536_000_000_u64)
            .prop_map(|ms| format!("{ms}ms"))
            .boxed(),
        "ENABLED" | "DETAILED_ERRORS" => any::<bool>().prop_map(|yes| yes.to_string()).boxed(),
        // What is added later is tried with its default.
        _ => {
            let described = Server::new().describe();
            let mut settings = described.settings().iter();
            let setting = settings.find(|setting| setting.key() == key).unwrap();
            Just(setting.default_value().unwrap_or_default().to_owned()).boxed()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn any_environment_is_taken_or_refused_by_the_names_of_its_keys(
        environment in vec((key(), value()), 0..8),
    ) {
        match Server::from_variables(environment.clone()) {
            Ok(server) => {
                let again = Server::from_variables(variables(&server)).unwrap();
                prop_assert_eq!(variables(&again), variables(&server));
            }
            Err(error) => {
                prop_assert!(!error.problems().is_empty());
                let ours = environment.iter().filter(|(key, _)| {
                    key.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("GRPC__"))
                });
                prop_assert!(error.problems().len() <= ours.count());
                for problem in error.problems() {
                    let shown = problem.to_string();
                    prop_assert!(!shown.contains(char::is_control), "{shown:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_described_sets_the_same(
        environment in keys().into_iter().map(|key| {
            let value = good(&key);
            (Just(key), prop::option::of(value))
        }).collect::<Vec<_>>(),
    ) {
        let set = environment.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let server = Server::from_variables(set).unwrap();
        let again = Server::from_variables(variables(&server)).unwrap();
        prop_assert_eq!(variables(&again), variables(&server));
    }
}
