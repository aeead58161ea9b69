//! The arguments.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bench_load::{Call, Shape};

use crate::server::Side;

const SIDES: &str = "apibase,tonic,axum";
const ROWS: &str =
    "1x1,1x2,1x4,1x8,1x64,2x2,8x1,8x8,16x4,32x2,8x8/2,list-1x1,list-1x8,sync-1x1,sync-1x8";
/// Where something is counted, the shape matters little.
const COUNTED_ROWS: &str = "1x1,8x8,list-1x1,sync-1x1";
/// The least number of rounds that counts.
const ROUNDS: usize = 20;

pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) bin: PathBuf,
    pub(crate) sides: Vec<Side>,
    pub(crate) rows: Vec<Row>,
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
    /// Calls that are counted, or connections that are held.
    pub(crate) calls: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Time,
    Allocations,
    Instructions,
    Memory,
}

/// One row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) call: Call,
    pub(crate) shape: Shape,
    pub(crate) workers: usize,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.peekable();
        let mode = match arguments.next_if(|word| !word.starts_with("--")) {
            Some(mode) => mode.parse()?,
            None => Mode::Time,
        };
        let rows = if mode == Mode::Time {
            ROWS
        } else {
            COUNTED_ROWS
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

    /// JSON is for one call only.
    pub(crate) fn sides_for(&self, call: Call) -> impl Iterator<Item = &Side> {
        let sides = self.sides.iter();
        sides.filter(move |side| call == Call::Get || !side.is_json())
    }

    /// How many calls to count; list and sync have a thousand messages each.
    pub(crate) fn calls_of(&self, row: &Row, default: u64) -> u64 {
        let calls = self.calls.unwrap_or(default);
        calls.div_ceil(if row.call == Call::Get { 1 } else { 100 })
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
            "memory" => Ok(Self::Memory),
            _ => Err(format!(
                "the modes are time, allocations, instructions and memory, not {name}"
            )),
        }
    }
}

impl FromStr for Row {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, workers) = text.split_once('/').unwrap_or((text, "1"));
        let (call, shape) = rest.split_once('-').unwrap_or(("get", rest));
        Ok(Self {
            call: Call::named(call).ok_or(format!("{call} is no call: get, list or sync"))?,
            shape: shape.parse()?,
            workers: workers.parse().map_err(|_| format!("{text} is no row"))?,
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = match self.call {
            Call::Get | Call::Json => "GetItem",
            Call::Create => "CreateItem",
            Call::Health => "Check",
            Call::List => "ListItems",
            Call::Sync => "SyncItems",
        };
        let Shape {
            connections,
            streams,
        } = self.shape;
        write!(f, "{call} {connections}×{streams}")?;
        match self.workers {
            1 => Ok(()),
            workers => write!(f, ", {workers} workers"),
        }
    }
}
