//! What a server can be set to: the table, and nothing else.
//!
//! Adding a setting is adding a row. One whose enforcer isn't there yet is refused by `not_yet`, so
//! that nobody relies on it; take the flag away when the enforcer lands. The docs,
//! `config/settings.md`, are made of the table by a test.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::settings::{
    ClientAuth, Count, EncodingList, FilePath, Host, HostNames, Maybe, OrOff, Port, Size,
    SocketPath, Switch, Time, Timeout, Workers, settings,
};
use crate::wire::{DEFAULT_MAX_MESSAGE_SIZE, DEFAULT_MAX_METADATA_SIZE};

const NOT_BUILT: &str = "it takes the feature `reflection`; build with it, or set it to false";

const NO_ADMIN: &str = "it takes the feature `admin`; build with it, or unset it";

const NO_TLS: &str = "it takes the feature `tls`; build with it, or unset it";

settings! {
    /// A server's settings and where they come from.
    pub(super) struct ServerSettings = "SERVER";

    /// Whether to serve: with `false`, serving returns at once; `serve_if_enabled` serves with `true`
    /// only.
    enabled: Maybe<Switch> = None;
    /// Listens on this address of the machine; `[::]` is all of IPv6, and on Linux of IPv4 too.
    host: Host = Ipv4Addr::UNSPECIFIED.into();
    /// Listens on this port; 0 takes a free one.
    port: Port = 50051;
    /// Listens on this Unix socket, in place of host and port.
    unix_socket: Maybe<SocketPath> = None;
    /// How many threads serve, where `Server::run` starts them.
    max_workers: Workers = 10;
    /// Takes this many calls at once; one more is refused at once.
    max_concurrent_rpcs: Count = 100;
    /// Takes this many calls at once from one connection. A proxy or a sidecar may have one for all.
    max_concurrent_rpcs_per_connection: OrOff<Count> = None;
    /// Reads messages up to this size; a larger one is refused.
    max_message_size: Size = DEFAULT_MAX_MESSAGE_SIZE;
    /// Reads messages that are compressed so, and compresses replies so for callers that take it; the first
    /// one is preferred.
    compression: OrOff<EncodingList> = None;
    /// Takes requests with metadata up to this size, as HTTP/2 counts it; one with more is refused.
    max_metadata_size: Size = DEFAULT_MAX_METADATA_SIZE;
    /// Cuts a call off after this time, however long its caller would wait.
    deadline_cap: OrOff<Timeout> = None;
    /// Takes this many connections at once; one more is closed at once.
    max_connections: OrOff<Count> = Some(10_000);
    /// Takes this many connections at once from one address. A proxy or a sidecar is one address.
    max_connections_per_peer: OrOff<Count> = None;
    /// Asks a connection to end after this time, give or take 10%, so that callers spread anew.
    max_connection_age: OrOff<Timeout> = None;
    /// Gives the calls of such a connection this long to end.
    max_connection_age_grace: Time = Duration::from_secs(30);
    /// Asks a peer that has been silent this long whether it is there.
    keepalive_interval: OrOff<Timeout> = Some(Duration::from_secs(60));
    /// Closes a connection whose peer doesn't answer that, or takes nothing that it is sent, for this
    /// long.
    keepalive_timeout: Timeout = Duration::from_secs(20);
    /// Closes a connection that isn't HTTP/2 by then.
    handshake_timeout: Timeout = Duration::from_secs(10);
    /// Serves over TLS with the certificate chain of this PEM file; takes the feature `tls`.
    tls_cert_file: Maybe<FilePath> = None,
        built(cfg!(feature = "tls"), "", NO_TLS), needs("tls_key_file");
    /// The private key of that certificate, a PEM file.
    tls_key_file: Maybe<FilePath> = None,
        built(cfg!(feature = "tls"), "", NO_TLS), needs("tls_cert_file");
    /// Asks clients for a certificate, signed by a CA of this PEM file.
    tls_client_ca_file: Maybe<FilePath> = None,
        built(cfg!(feature = "tls"), "", NO_TLS), needs("tls_cert_file");
    /// Whether clients have to have one; unset, they do.
    tls_client_auth: Maybe<ClientAuth> = None,
        built(cfg!(feature = "tls"), "", NO_TLS), needs("tls_client_ca_file");
    /// Told to stop, first serves on for this long while health says `NOT_SERVING`, so that nobody is sent
    /// here any more.
    lame_duck: Time = Duration::ZERO;
    /// Told to stop, gives calls this long to end, then cuts off what is left.
    grace: Time = Duration::from_secs(5);
    /// Serves `grpc.reflection`.
    reflection_enabled: Switch = true, built(cfg!(feature = "reflection"), "false", NOT_BUILT);
    /// Serves `grpc.health.v1.Health`.
    health_check_enabled: Switch = true;
    /// Shows a status page, answers probes and tells metrics over HTTP on this port; 0 takes a free one.
    /// Takes the feature `admin`.
    admin_port: Maybe<Port> = None, built(cfg!(feature = "admin"), "", NO_ADMIN);
    /// Has that port on this address of the machine. Nobody is asked who they are there.
    admin_host: Host = Ipv4Addr::LOCALHOST.into(),
        built(cfg!(feature = "admin"), "127.0.0.1", NO_ADMIN);
    /// The names by which that port may be asked, beside IP addresses and `localhost`.
    admin_names: Maybe<HostNames> = None, built(cfg!(feature = "admin"), "", NO_ADMIN);
    /// Shows callers what is redacted otherwise. For development.
    detailed_errors: Switch = false;
}

#[cfg(test)]
mod docs;

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::ConfigError;
    use crate::settings::{SettingOrigin, read};

    fn from(pairs: &[(&str, &str)]) -> Result<ServerSettings, ConfigError> {
        let variables = pairs.iter().map(|(key, value)| (key.into(), value.into()));
        read(variables, None)
    }

    #[test]
    fn every_key_is_read_and_others_are_let_be() {
        let settings = from(&[
            ("GRPC__SERVER__ENABLED", "false"),
            ("GRPC__SERVER__HOST", "127.0.0.1"),
            ("GRPC__SERVER__PORT", "50052"),
            ("GRPC__SERVER__MAX_CONCURRENT_RPCS", "7"),
            ("GRPC__SERVER__MAX_MESSAGE_SIZE", "64KiB"),
            ("GRPC__SERVER__GRACE", "250ms"),
            ("GRPC__SERVER__DETAILED_ERRORS", "true"),
            ("GRPC__CLIENT__DEFAULT_TIMEOUT", "30.0"),
            ("GRPC_VERBOSITY", "debug"),
            ("PATH", "/bin"),
        ])
        .unwrap();
        assert_eq!(*settings.enabled.get(), Some(false));
        assert_eq!(*settings.host.get(), IpAddr::from([127, 0, 0, 1]));
        assert_eq!(*settings.port.get(), 50052);
        assert_eq!(*settings.max_concurrent_rpcs.get(), 7);
        assert_eq!(*settings.max_message_size.get(), 65536);
        assert_eq!(*settings.grace.get(), Duration::from_millis(250));
        assert!(*settings.detailed_errors.get());
        assert_eq!(settings.port.origin(), SettingOrigin::Env);
    }

    #[test]
    fn a_bad_value_names_key_value_and_what_it_takes() {
        let error = from(&[("GRPC__SERVER__PORT", "http")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "GRPC__SERVER__PORT: `http` is not a number from 0 to 65535"
        );
    }

    #[test]
    #[cfg(feature = "config")]
    fn a_server_is_set_by_a_file() {
        let name = format!("apibase-server-{}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        let text = "[server]\nport = 50053\nmax_message_size = \"8MiB\"\ngrace = \"5s\"\n";
        std::fs::write(&path, text).unwrap();
        let server = crate::Server::from_file(&path);
        std::fs::remove_file(&path).unwrap();
        let described = server.unwrap().port(50054).describe();
        assert_eq!(described.file(), Some(path.as_path()));
        let set = |name| {
            let setting = described.get(name).unwrap();
            (setting.value().unwrap(), setting.origin())
        };
        assert_eq!(set("port"), ("50054", SettingOrigin::Code));
        assert_eq!(set("max_message_size"), ("8MiB", SettingOrigin::File));
    }

    #[test]
    #[cfg(not(feature = "tls"))]
    fn tls_without_the_feature_names_the_feature() {
        let error = from(&[("GRPC__SERVER__TLS_CERT_FILE", "/etc/tls/tls.crt")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "GRPC__SERVER__TLS_CERT_FILE: it takes the feature `tls`; build with it, or unset it"
        );
    }

    #[test]
    fn a_setting_that_nothing_enforces_is_refused_unless_it_asks_for_nothing() {
        for (key, value) in [
            ("REFLECTION_ENABLED", "False"),
            ("HEALTH_CHECK_ENABLED", "false"),
            ("MAX_WORKERS", ""),
        ] {
            let key = format!("GRPC__SERVER__{key}");
            assert!(from(&[(key.as_str(), value)]).is_ok(), "{key}");
        }
    }
}
