//! The arguments.

use std::path::PathBuf;
use std::time::Duration;

use super::{Comparison, Measure, Row, Side};

/// The least number of rounds that counts.
const ROUNDS: usize = 20;

/// What is asked for.
#[derive(Debug)]
pub struct Options<R> {
    /// Where the binaries are.
    pub bin: PathBuf,
    /// What is compared: the first beside each other one.
    pub sides: Vec<Side>,
    /// On what they are compared.
    pub rows: Vec<R>,
    /// How often each side is timed.
    pub rounds: usize,
    /// How long a round is, beside a quarter of it to warm up.
    pub time: Duration,
    /// How many are counted.
    pub calls: Option<u64>,
}

/// What is measured.
pub(super) enum Mode<R> {
    Time,
    Allocations,
    Instructions,
    Other(Measure<R>),
}

pub(super) fn parse<R: Row>(
    comparison: &Comparison<R>,
    arguments: impl Iterator<Item = String>,
) -> Result<(Mode<R>, Options<R>), String> {
    let mut arguments = arguments.peekable();
    let mode = match arguments.next_if(|word| !word.starts_with("--")) {
        Some(name) => Mode::named(&name, comparison.more_modes)?,
        None => Mode::Time,
    };
    let is_timed = matches!(mode, Mode::Time);
    let mut options = Options {
        bin: PathBuf::from("target/release"),
        sides: Vec::new(),
        rows: list(if is_timed {
            comparison.rows
        } else {
            comparison.counted_rows
        })?,
        rounds: ROUNDS,
        time: Duration::from_secs(1),
        calls: None,
    };
    let mut sides = comparison.sides.to_owned();
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
                options.time =
                    Duration::try_from_secs_f64(seconds).map_err(|_| bad("a number of seconds"))?;
            }
            _ => return Err(format!("no option is called {name}")),
        }
    }
    if is_timed && options.rounds < ROUNDS {
        eprintln!("fewer than {ROUNDS} rounds: such figures don't count");
    }
    let sides = sides.split(',');
    options.sides = sides
        .map(|side| Side::new(side, comparison.kind, &options.bin))
        .collect();
    Ok((mode, options))
}

impl<R: Row> Options<R> {
    /// The sides that have this row.
    pub fn sides_of(&self, row: &R) -> impl Iterator<Item = &Side> {
        self.sides.iter().filter(|side| row.is_for(side))
    }

    /// How many calls of a row are counted.
    pub(super) fn calls_of(&self, row: &R, default: u64) -> u64 {
        let calls = self.calls.unwrap_or(default);
        calls.div_ceil(if row.is_long() { 100 } else { 1 })
    }
}

impl<R> Mode<R> {
    fn named(name: &str, more: &[(&'static str, Measure<R>)]) -> Result<Self, String> {
        match name {
            "time" => Ok(Self::Time),
            "allocations" => Ok(Self::Allocations),
            "instructions" => Ok(Self::Instructions),
            _ => match more.iter().find(|(other, _)| *other == name) {
                Some((_, measure)) => Ok(Self::Other(*measure)),
                None => Err(format!("the modes are {}, not {name}", names(more))),
            },
        }
    }
}

fn names<R>(more: &[(&'static str, Measure<R>)]) -> String {
    let mut names = vec!["time", "allocations", "instructions"];
    names.extend(more.iter().map(|(name, _)| name));
    let last = names.pop().unwrap_or_default();
    format!("{} and {last}", names.join(", "))
}

fn list<R: Row>(rows: &str) -> Result<Vec<R>, String> {
    rows.split(',').map(str::parse).collect()
}
