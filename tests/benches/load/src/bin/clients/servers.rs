//! The servers that a client calls.

use std::error::Error;
use std::process::Command;

use bench_load::compare::Options;
use bench_load::{Server, on_core};

use crate::row::Row;

/// All the same, on one core.
pub(crate) struct Servers(Vec<Server>);

impl Servers {
    pub(crate) fn start(options: &Options<Row>, row: &Row) -> Result<Self, Box<dyn Error>> {
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
