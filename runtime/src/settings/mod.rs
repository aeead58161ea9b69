//! Settings that an operator may change: from the environment, a file, or code.
//!
//! What can be set is one table, made by [`settings!`]: a row has a name, what it takes, a default
//! and a line for people. Reading, errors, docs and descriptions all come from the table.
//!
//! Precedence: code, then the environment, then the file, then the default. What an operator overrides
//! (`GRPC__CLIENT__OVERRIDE__…`, for rows that say so) goes before code. A variable that is empty counts
//! as unset, because a chart renders a value that nobody gave as an empty text; in a file, what is there
//! was meant.

mod describe;
#[cfg(test)]
mod docs;
mod environment;
mod error;
#[cfg(feature = "config")]
mod file;
mod nearest;
mod table;
mod takes;

pub use self::describe::{EffectiveSetting, EffectiveSettings};
#[cfg(test)]
pub(crate) use self::docs::are_the_table_of;
pub(crate) use self::environment::read;
#[cfg(feature = "otel")]
pub(crate) use self::error::shown;
pub use self::error::{ConfigError, ConfigProblem};
pub(crate) use self::nearest::nearest;
pub use self::table::SettingOrigin;
pub(crate) use self::table::{Row, Setting, Table, settings};
#[cfg(all(feature = "server", feature = "tls"))]
pub use self::takes::ClientCertificates;
#[cfg(feature = "server")]
pub(crate) use self::takes::EncodingList;
pub(crate) use self::takes::{
    BalanceName, ClientAuth, Count, FilePath, Host, HostNames, Maybe, Multiplier, OrOff, Port,
    Ratio, Size, SocketPath, Switch, Takes, Threshold, Time, Timeout, Tokens, Whole, Workers,
};

/// What every variable of ours starts with. A single underscore would be the core libraries' of gRPC
/// (`GRPC_VERBOSITY`), and what Kubernetes sets for a service called `grpc`.
const PREFIX: &str = "GRPC__";

/// What stands before the name of a setting, in variables, that overrides code.
const OVERRIDE_KEY: &str = "OVERRIDE__";

/// The table of a file, below that of its section, with settings that override code.
const OVERRIDE_TABLE: &str = "override";

/// The variable that names the file.
const CONFIG_FILE: &str = "CONFIG_FILE";

/// Who reads variables, and tables of the file. Each reads its own and lets the others' be.
const SECTIONS: [&str; 2] = ["SERVER", "CLIENT"];

#[cfg(test)]
#[cfg(feature = "server")]
mod tests;
