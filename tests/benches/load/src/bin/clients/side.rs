//! A side: a client, by name; and the servers that it calls.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use bench_load::{Server, on_core};

use crate::options::{Options, Row};

pub(crate) struct Side {
    pub(crate) name: String,
    pub(crate) binary: PathBuf,
}

impl Side {
    /// `NAME` or `NAME=BINARY`.
    pub(crate) fn new(text: &str, folder: &Path) -> Self {
        let (name, binary) = match text.split_once('=') {
            Some((name, binary)) => (name, binary.into()),
            None => (text, folder.join(format!("bench-client-{text}"))),
        };
        Self {
            name: name.to_owned(),
            binary,
        }
    }

    /// The client that counts its allocations.
    pub(crate) fn counting(&self) -> PathBuf {
        let mut binary: OsString = self.binary.clone().into();
        binary.push("-counted");
        binary.into()
    }
}

/// What a client calls.
pub(crate) struct Servers(Vec<Server>);

impl Servers {
    pub(crate) fn start(options: &Options, row: &Row) -> Result<Self, Box<dyn Error>> {
        let binary = options.bin.join("bench-client-server");
        let servers: Result<Vec<_>, _> = (0..row.servers)
            .map(|_| Server::start(on_core(0, &binary)))
            .collect();
        Ok(Self(servers?))
    }

    /// Their processes, as a client takes them.
    pub(crate) fn pids(&self) -> String {
        let pids = self.0.iter().map(|server| server.pid().to_string());
        pids.collect::<Vec<_>>().join(",")
    }

    /// Runs a client that calls them, and returns what it says.
    pub(crate) fn called_by(
        &self,
        mut client: Command,
        row: &Row,
        ending: &[&str],
    ) -> Result<String, Box<dyn Error>> {
        let addresses = self.0.iter().map(|server| server.address.to_string());
        client
            .arg(addresses.collect::<Vec<_>>().join(","))
            .args([row.work.to_string(), row.callers.to_string()])
            .args(ending);
        let output = client
            .output()
            .map_err(|error| format!("cannot run {client:?}: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{row}: {client:?}: {said}").into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
