//! Settings that an operator may change: from the environment, a file, or code.
//!
//! What can be set is one table, made by [`settings!`]: a row has a name, what it takes, a default
//! and a line for people. Reading, errors, docs and descriptions all come from the table.
//!
//! Precedence: code, then the environment, then the file, then the default. A variable that is empty
//! counts as unset, because a chart renders a value that nobody gave as an empty text; in a file, what
//! is there was meant.

mod describe;
mod environment;
mod error;
#[cfg(feature = "config")]
mod file;
mod nearest;
mod table;
mod takes;

pub use self::describe::{EffectiveSetting, EffectiveSettings};
pub(crate) use self::environment::read;
pub use self::error::{ConfigError, ConfigProblem};
pub(crate) use self::nearest::nearest;
pub use self::table::SettingOrigin;
pub(crate) use self::table::{Row, Setting, Table, settings};
#[cfg(feature = "tls")]
pub use self::takes::ClientCertificates;
pub(crate) use self::takes::{
    ClientAuth, Count, EncodingList, FilePath, Host, Maybe, OrOff, Port, Size, SocketPath, Switch,
    Takes, Time, Timeout, Workers,
};

/// What every variable of ours starts with. A single underscore would be the core libraries' of gRPC
/// (`GRPC_VERBOSITY`), and what Kubernetes sets for a service called `grpc`.
const PREFIX: &str = "GRPC__";

/// The variable that names the file.
const CONFIG_FILE: &str = "CONFIG_FILE";

/// Who reads variables, and tables of the file. Each reads its own and lets the others' be.
const SECTIONS: [&str; 2] = ["SERVER", "CLIENT"];

#[cfg(test)]
mod tests;
