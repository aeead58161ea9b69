//! What a client can be set to: the table, and nothing else.
//!
//! Adding a setting is adding a row. The docs, `config/settings.md`, are made of the table by a test. How
//! a setting and what a proto says of a method become what holds for its calls is in `effective.rs`.

mod balance;

use std::num::NonZero;
use std::time::Duration;

pub use self::balance::Balance;
use crate::policy::Thousandths;
use crate::settings::{
    BalanceName, Count, FilePath, Maybe, Multiplier, OrOff, Ratio, Size, Switch, Threshold,
    Timeout, Tokens, Whole, settings,
};
use crate::wire::DEFAULT_MAX_MESSAGE_SIZE;

const NO_TLS: &str = "it takes the feature `tls`; build with it, or unset it";

settings! {
    /// A client's settings and where they come from.
    pub(crate) struct ClientSettings = "CLIENT";

    /// Gives a call with one reply this long, where neither its proto nor the program says; a stream of
    /// replies has no default. As an override it replaces the deadline of every call that has one.
    default_timeout: OrOff<Timeout> = Some(Duration::from_secs(30)), overridable();
    /// Sends a call again up to this many times; no call is sent more than five times. What isn't known
    /// to be idempotent is sent again only where no server has acted on it. As an override, or set by
    /// code, it limits hedging too.
    max_retries: Whole = 3, overridable();
    /// Waits this long before the first retry, give or take 20%, as before each one.
    retry_backoff_base: Timeout = Duration::from_secs(1), overridable();
    /// Waits no longer than this before a retry, but for the 20%.
    retry_backoff_max: Timeout = Duration::from_secs(30), overridable();
    /// Waits this many times as long before each retry as before the one before.
    retry_backoff_multiplier: Multiplier = Thousandths::of(2_000), overridable();
    /// Stops retrying while too many calls to a target fail: each failure takes a token, each success
    /// gives a part of one back, and at half of the tokens or less nothing is retried (gRFC A6).
    retry_throttle: Switch = true, overridable();
    /// How many tokens there are.
    retry_throttle_tokens: Tokens = Thousandths::of(500_000), overridable();
    /// How much of a token a success gives back.
    retry_throttle_ratio: Ratio = Thousandths::of(100), overridable();
    /// Sends a target little more than this many times what it has accepted of the calls of the last two
    /// minutes, and fails the others at once (Google's SRE book, "Client-Side Throttling", which has 2).
    /// Not accepted is what the target answered with `RESOURCE_EXHAUSTED` or `UNAVAILABLE`, or not in time.
    adaptive_throttle: OrOff<Multiplier> = None, overridable();
    /// Stops calling a method of a target after this many failures in a row.
    circuit_breaker_threshold: Threshold = NonZero::new(5), overridable();
    /// Lets a call through after this time, to see whether the target is back.
    circuit_breaker_timeout: Timeout = Duration::from_secs(30), overridable();
    /// Stops calling when this part of the calls fails, in place of so many in a row.
    circuit_breaker_rate: OrOff<Ratio> = None, overridable();
    /// Counts the calls of this time for that part.
    circuit_breaker_window: Timeout = Duration::from_secs(10), overridable();
    /// Doesn't stop calling for that part as long as there are fewer calls than this.
    circuit_breaker_minimum_calls: Count = 20, overridable();
    /// Lets a call wait for a connection as long as it has time, where it would fail at once because
    /// none can be made.
    wait_for_ready: Switch = false, overridable();
    /// Reads messages up to this size; a larger one fails the call.
    max_message_size: Size = DEFAULT_MAX_MESSAGE_SIZE, overridable();
    /// Makes a target TLS that doesn't say what it is, such as `items:50051`; `http://` and `https://` do.
    secure: Switch = true;
    /// Trusts the CAs of this PEM file, in place of the system's; takes the feature `tls`.
    tls_ca_file: Maybe<FilePath> = None, built(cfg!(feature = "tls"), "", NO_TLS);
    /// Shows servers the certificate chain of this PEM file.
    tls_cert_file: Maybe<FilePath> = None,
        built(cfg!(feature = "tls"), "", NO_TLS), needs("tls_key_file");
    /// The private key of that certificate, a PEM file.
    tls_key_file: Maybe<FilePath> = None,
        built(cfg!(feature = "tls"), "", NO_TLS), needs("tls_cert_file");
    /// How calls are spread over the endpoints of a target.
    lb_policy: BalanceName = Balance::RoundRobin, overridable();
    /// Opens up to this many connections to each endpoint of a target: one more when all have as many
    /// calls as the endpoint takes on one.
    max_connections: Count = 4, overridable();
    /// Lets up to this many calls to a target wait for a place on its connections; one more fails at once.
    max_waiting: Count = 1_000, overridable();
    /// Gives up making a connection after this time, with TLS and HTTP/2's first words; a server that is
    /// asked for its health has as long for its first answer.
    connect_timeout: Timeout = Duration::from_secs(20), overridable();
    /// Asks a server that has been silent this long, while calls run, whether it is there.
    keepalive_interval: OrOff<Timeout> = Some(Duration::from_secs(10)), overridable();
    /// Closes a connection whose server doesn't answer that for this long.
    keepalive_timeout: Timeout = Duration::from_secs(5), overridable();
    /// Asks it while no call runs, too. Servers may take that for an attack.
    keepalive_while_idle: Switch = false, overridable();
}

#[cfg(test)]
mod tests;
