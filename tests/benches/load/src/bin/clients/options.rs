//! The arguments.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bench_load::Work;

use crate::side::Side;

const SIDES: &str = "apibase,tonic,tonic-plain";
const ROWS: &str = "say-16x1,say-16x8,say-16x64,say-1024x1,say-1024x8,say-1024x64,say-65536x1,\
                    say-65536x8,say-65536x64,list-100x1,list-100x8,upload-100x1,upload-100x8,\
                    chat-100x1,chat-100x8,say-16x1/4,say-16x64/4";
/// Where something is counted, the callers matter little.
const COUNTED_ROWS: &str =
    "say-16x1,say-16x8,say-1024x1,say-65536x1,list-100x1,upload-100x1,chat-100x1";
/// The least number of rounds that counts.
const ROUNDS: usize = 20;

pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) bin: PathBuf,
    pub(crate) sides: Vec<Side>,
    pub(crate) rows: Vec<Row>,
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
    /// Calls that are counted.
    calls: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Time,
    Allocations,
    Instructions,
}

/// One row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) work: Work,
    pub(crate) callers: usize,
    pub(crate) servers: usize,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.peekable();
        let mode = match arguments.next_if(|word| !word.starts_with("--")) {
            Some(mode) => mode.parse()?,
            None => Mode::Time,
        };
        let rows = match mode {
            Mode::Time => ROWS,
            Mode::Allocations | Mode::Instructions => COUNTED_ROWS,
        };
        let mut options = Self {
            mode,
            bin: PathBuf::from("target/release"),
            sides: Vec::new(),
            rows: list(rows)?,
            rounds: ROUNDS,
            time: Duration::from_secs(1),
            calls: None,
        };
        let mut sides = SIDES.to_owned();
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(format!("{name} has no value"))?;
            let bad = |what: &str| format!("{name} is {what}, not {value}");
            match name.as_str() {
                "--bin" => options.bin = value.into(),
                "--sides" => sides = value,
                "--rows" => options.rows = list(&value)?,
                "--rounds" => options.rounds = value.parse().map_err(|_| bad("a number"))?,
                "--calls" => options.calls = Some(value.parse().map_err(|_| bad("a number"))?),
                "--seconds" => {
                    let seconds = value.parse().map_err(|_| bad("a number of seconds"))?;
                    options.time = Duration::try_from_secs_f64(seconds)
                        .map_err(|_| bad("a number of seconds"))?;
                }
                _ => return Err(format!("no option is called {name}")),
            }
        }
        if mode == Mode::Time && options.rounds < ROUNDS {
            eprintln!("fewer than {ROUNDS} rounds: such figures don't count");
        }
        options.sides = sides
            .split(',')
            .map(|side| Side::new(side, &options.bin))
            .collect();
        Ok(options)
    }

    /// How many calls to count; a stream has a thousand messages.
    pub(crate) fn calls_of(&self, row: &Row, default: u64) -> u64 {
        let calls = self.calls.unwrap_or(default);
        calls.div_ceil(if row.work.messages() == 1 { 1 } else { 100 })
    }
}

fn list(rows: &str) -> Result<Vec<Row>, String> {
    rows.split(',').map(str::parse).collect()
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "time" => Ok(Self::Time),
            "allocations" => Ok(Self::Allocations),
            "instructions" => Ok(Self::Instructions),
            _ => Err(format!(
                "the modes are time, allocations and instructions, not {name}"
            )),
        }
    }
}

impl FromStr for Row {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is no row, such as say-16x8 or say-16x8/4");
        let (rest, servers) = text.split_once('/').unwrap_or((text, "1"));
        let (work, callers) = rest.split_once('x').ok_or_else(wrong)?;
        Ok(Self {
            work: work.parse()?,
            callers: callers.parse().map_err(|_| wrong())?,
            servers: servers.parse().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.work, self.callers)?;
        match self.servers {
            1 => Ok(()),
            servers => write!(f, ", {servers} servers"),
        }
    }
}
