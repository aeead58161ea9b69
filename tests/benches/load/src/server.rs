//! The process of a server: see `bench_harness::serve`.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bench_harness::Count;

/// A server that runs, until it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
    /// Some until the server is told to end.
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// What runs `binary` on this core alone.
#[must_use]
pub fn on_core(core: usize, binary: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(binary);
    command
}

impl Server {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it doesn't.
    pub fn start(mut command: Command) -> Result<Self, Box<dyn Error>> {
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
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it has allocated.
    ///
    /// # Errors
    ///
    /// When it doesn't say.
    pub fn count(&mut self) -> Result<Count, Box<dyn Error>> {
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
    ///
    /// # Errors
    ///
    /// When Linux doesn't say.
    pub fn resident(&self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kilobytes.ok_or("no VmRSS")?.trim().parse::<u64>()? * 1024)
    }

    /// Ends it and waits until it has.
    pub fn stop(&mut self) {
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
