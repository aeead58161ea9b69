//! A side: a server, by name.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use bench_load::{Call, Server, on_core};

pub(crate) struct Side {
    pub(crate) name: String,
    pub(crate) binary: PathBuf,
}

impl Side {
    /// `NAME` or `NAME=BINARY`.
    pub(crate) fn new(text: &str, folder: &Path) -> Self {
        let (name, binary) = match text.split_once('=') {
            Some((name, binary)) => (name, binary.into()),
            None => (text, folder.join(format!("bench-server-{text}"))),
        };
        Self {
            name: name.to_owned(),
            binary,
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.name.starts_with("axum")
    }

    /// What this call is to this side.
    pub(crate) fn call(&self, call: Call) -> Call {
        if self.is_json() { Call::Json } else { call }
    }

    /// A server with so many workers; one has a core for itself.
    pub(crate) fn start(&self, workers: usize) -> Result<Server, Box<dyn Error>> {
        let mut command = match workers {
            1 => on_core(0, &self.binary),
            _ => Command::new(&self.binary),
        };
        command.arg(workers.to_string());
        Server::start(command)
    }

    /// A server that counts its allocations.
    pub(crate) fn start_counted(&self) -> Result<Server, Box<dyn Error>> {
        let mut binary = self.binary.clone().into_os_string();
        binary.push("-counted");
        Server::start(Command::new(binary))
    }
}
