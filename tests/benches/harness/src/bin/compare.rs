//! Runs two benches in turn, A B A B …, and prints the ratios of their figures, pair by pair.
//!
//! `compare ROUNDS A B`, where A and B are commands of [`bench_harness::run`] or
//! [`bench_harness::in_process`]: a binary, and its arguments after blanks.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::{Command, ExitCode};

use bench_harness::{Ratio, mean_ratio, median};

/// The least number of rounds that counts.
const ROUNDS: usize = 20;

/// Per number of callers: nanoseconds, allocations and bytes of a call; what was not counted is not a
/// number.
type Figures = BTreeMap<usize, [f64; 3]>;

fn main() -> ExitCode {
    match compare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rounds, a, b] = arguments.as_slice() else {
        return Err("usage: compare ROUNDS A B".into());
    };
    let rounds: usize = rounds.parse()?;
    if rounds < ROUNDS {
        eprintln!("fewer than {ROUNDS} rounds: the intervals are too narrow to count");
    }
    let mut pairs = Vec::new();
    for round in 1..=rounds {
        pairs.push((figures(a)?, figures(b)?));
        eprint!("\rround {round} of {rounds}");
    }
    eprintln!();
    println!("callers  time A/B (95% of pairs' mean)  allocations A, B  bytes A, B");
    let shapes: Vec<usize> = pairs
        .first()
        .map(|(a, _)| a.keys().copied().collect())
        .unwrap_or_default();
    for callers in shapes {
        let of = |pick: fn(&[f64; 3]) -> f64| -> Vec<(f64, f64)> {
            pairs
                .iter()
                .filter_map(|(a, b)| Some((pick(a.get(&callers)?), pick(b.get(&callers)?))))
                .collect()
        };
        let time = mean_ratio(&of(|[time, _, _]| *time));
        let Ratio {
            middle: mean,
            interval: (low, high),
        } = time;
        let medians = |pairs: Vec<(f64, f64)>| {
            let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            (median(a), median(b))
        };
        let (allocations_a, allocations_b) = medians(of(|[_, allocations, _]| *allocations));
        let (bytes_a, bytes_b) = medians(of(|[_, _, bytes]| *bytes));
        print!("{callers:>7}  {mean:.3} [{low:.3}, {high:.3}]");
        if allocations_a.is_nan() {
            println!("  (not counted)");
        } else {
            println!("  {allocations_a:.1}, {allocations_b:.1}  {bytes_a:.0}, {bytes_b:.0}");
        }
    }
    Ok(())
}

fn figures(command: &str) -> Result<Figures, Box<dyn Error>> {
    let mut words = command.split_whitespace();
    let binary = words.next().ok_or("a command has no binary")?;
    let output = Command::new(binary)
        .args(words)
        .output()
        .map_err(|error| format!("cannot run {command}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command} failed: {said}").into());
    }
    let mut figures = Figures::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let mut words = line.split_whitespace();
        let mut number = || -> Result<f64, Box<dyn Error>> {
            let word = words.next().ok_or("a line has too few figures")?;
            Ok(word.parse()?)
        };
        let (callers, time) = (number()? as usize, number()?);
        let mut count = || number().unwrap_or(f64::NAN);
        figures.insert(callers, [time, count(), count()]);
    }
    Ok(figures)
}
