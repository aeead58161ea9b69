//! A side, and a process of it.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bench_load::Call;

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
            1 => {
                let mut command = Command::new("taskset");
                command.args(["-c", "0"]).arg(&self.binary);
                command
            }
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

/// A server that runs, until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Child,
    /// Some until the server is told to end.
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// What a server has allocated; see `bench_harness::Count`.
pub(crate) struct Count {
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    pub(crate) live: u64,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Result<Self, Box<dyn Error>> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command
            .spawn()
            .map_err(|error| format!("cannot run {command:?}: {error}"))?;
        let answers = process.stdout.take().ok_or("a process without output")?;
        let mut answers = BufReader::new(answers);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let address = line.trim().parse();
        Ok(Self {
            address: address.map_err(|_| format!("{command:?} said no address but {line:?}"))?,
            asks: process.stdin.take(),
            process,
            answers,
        })
    }

    /// Its process; `taskset` has become it by now.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn count(&mut self) -> Result<Count, Box<dyn Error>> {
        let mut asks = self.asks.as_ref().ok_or("a server that was told to end")?;
        asks.write_all(b"\n")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let figures: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        match *figures? {
            [allocations, bytes, live] => Ok(Count {
                allocations,
                bytes,
                live,
            }),
            _ => Err(format!("a server counted {line:?}").into()),
        }
    }

    /// Bytes of memory that the process has.
    pub(crate) fn resident(&self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kilobytes.ok_or("no VmRSS")?.trim().parse::<u64>()? * 1024)
    }

    /// Ends it and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.asks = None;
        // There is nothing to do about one that doesn't, and nobody to tell.
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
