//! A server's settings from the environment, `GRPC__SERVER__…`.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

const PREFIX: &str = "GRPC__SERVER__";
const KEYS: [&str; 5] = [
    "ENABLED",
    "HOST",
    "PORT",
    "MAX_CONCURRENT_RPCS",
    "DETAILED_ERRORS",
];

/// What the environment says; unset keys are `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ServerConfig {
    pub(super) enabled: Option<bool>,
    pub(super) host: Option<IpAddr>,
    pub(super) port: Option<u16>,
    pub(super) max_concurrent_rpcs: Option<usize>,
    pub(super) detailed_errors: Option<bool>,
}

/// A key of the environment that is wrong: the key, its value and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    key: String,
    problem: String,
}

impl ServerConfig {
    pub(super) fn read(
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for (key, value) in variables {
            let Some(key) = key.to_str() else { continue };
            let Some(name) = key.strip_prefix(PREFIX) else {
                continue;
            };
            let value = value.to_string_lossy();
            match name {
                "ENABLED" => config.enabled = Some(parse(key, &value, "true or false")?),
                "HOST" => config.host = Some(parse(key, &value, "an IP address")?),
                "PORT" => config.port = Some(parse(key, &value, "a number from 0 to 65535")?),
                "MAX_CONCURRENT_RPCS" => {
                    config.max_concurrent_rpcs = Some(parse(key, &value, "a whole number")?);
                }
                "DETAILED_ERRORS" => {
                    config.detailed_errors = Some(parse(key, &value, "true or false")?);
                }
                "REFLECTION_ENABLED" | "HEALTH_CHECK_ENABLED" => {
                    if parse(key, &value, "true or false")? {
                        return Err(not_yet(
                            key,
                            "this version doesn't serve it; set it to false",
                        ));
                    }
                }
                "MAX_WORKERS" => {
                    return Err(not_yet(
                        key,
                        "the threads are those of the runtime that serves",
                    ));
                }
                _ => return Err(unknown(key)),
            }
        }
        Ok(config)
    }
}

impl ConfigError {
    /// The whole name of the key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

impl Error for ConfigError {}

fn parse<T: FromStr>(key: &str, value: &str, takes: &str) -> Result<T, ConfigError> {
    value.trim().parse().map_err(|_| ConfigError {
        key: key.to_owned(),
        problem: format!("`{value}` is not {takes}"),
    })
}

/// A setting of the specification that nothing enforces yet: it is refused, not ignored.
fn not_yet(key: &str, problem: &str) -> ConfigError {
    ConfigError {
        key: key.to_owned(),
        problem: problem.to_owned(),
    }
}

fn unknown(key: &str) -> ConfigError {
    let known: Vec<_> = KEYS.iter().map(|name| format!("{PREFIX}{name}")).collect();
    ConfigError {
        key: key.to_owned(),
        problem: format!("there is no such setting; there are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ServerConfig, ConfigError> {
        ServerConfig::read(pairs.iter().map(|(key, value)| (key.into(), value.into())))
    }

    #[test]
    fn every_key_is_read_and_others_are_let_be() {
        let config = read(&[
            ("GRPC__SERVER__ENABLED", "false"),
            ("GRPC__SERVER__HOST", "127.0.0.1"),
            ("GRPC__SERVER__PORT", "50052"),
            ("GRPC__SERVER__MAX_CONCURRENT_RPCS", "7"),
            ("GRPC__SERVER__DETAILED_ERRORS", "true"),
            ("PATH", "/bin"),
        ]);
        let expected = ServerConfig {
            enabled: Some(false),
            host: Some([127, 0, 0, 1].into()),
            port: Some(50052),
            max_concurrent_rpcs: Some(7),
            detailed_errors: Some(true),
        };
        assert_eq!(config, Ok(expected));
        assert_eq!(read(&[]), Ok(ServerConfig::default()));
    }

    #[test]
    fn a_bad_value_names_key_value_and_what_it_takes() {
        let error = read(&[("GRPC__SERVER__PORT", "http")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "GRPC__SERVER__PORT: `http` is not a number from 0 to 65535"
        );
    }

    #[test]
    fn a_setting_that_nothing_enforces_is_refused_unless_it_asks_for_nothing() {
        assert!(read(&[("GRPC__SERVER__REFLECTION_ENABLED", "false")]).is_ok());
        for (key, value) in [
            ("GRPC__SERVER__REFLECTION_ENABLED", "true"),
            ("GRPC__SERVER__HEALTH_CHECK_ENABLED", "true"),
            ("GRPC__SERVER__MAX_WORKERS", "10"),
        ] {
            assert_eq!(read(&[(key, value)]).unwrap_err().key(), key);
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let error = read(&[("GRPC__SERVER__PROT", "1")]).unwrap_err();
        assert!(error.to_string().contains("GRPC__SERVER__PORT"), "{error}");
    }
}
