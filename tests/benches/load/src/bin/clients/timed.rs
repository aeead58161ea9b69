//! CPU, time and latency.

use std::error::Error;

use bench_harness::median;
use bench_load::{Figures, columns, latencies, on_core, ratio};

use crate::options::{Options, Row};
use crate::side::{Servers, Side};

/// Of one row, the figures of each side, round by round.
struct Measured<'a> {
    row: &'a Row,
    sides: Vec<(&'a Side, Vec<Figures>)>,
}

pub(crate) fn measure(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut table: Vec<Measured<'_>> = options
        .rows
        .iter()
        .map(|row| Measured {
            row,
            sides: options
                .sides
                .iter()
                .map(|side| (side, Vec::new()))
                .collect(),
        })
        .collect();
    for round in 1..=options.rounds {
        for Measured { row, sides } in &mut table {
            for (side, figures) in sides {
                let (rounds, name) = (options.rounds, &side.name);
                eprint!("\rround {round} of {rounds}, {row}, {name:<20}");
                figures.push(once(options, side, row)?);
            }
        }
    }
    eprintln!();
    let Some((first, others)) = options.sides.split_first() else {
        return Err("there is no side".into());
    };
    for other in others {
        print_table(&table, first, other);
    }
    print_servers(&table);
    Ok(())
}

/// A client and its servers, from their start to their end.
fn once(options: &Options, side: &Side, row: &Row) -> Result<Figures, Box<dyn Error>> {
    let servers = Servers::start(options, row)?;
    let seconds = options.time.as_secs_f64().to_string();
    let ending = ["after", &seconds, &servers.pids()];
    servers
        .called_by(on_core(1, &side.binary), row, &ending)?
        .parse()
}

fn print_table(table: &[Measured<'_>], a: &Side, b: &Side) {
    let (a, b) = (&a.name, &b.name);
    println!(
        "\n| call×callers | CPU µs: {a} | {b} | ratio [95%] | time µs: {a} | {b} | ratio [95%] | p50/p90/p99 µs: {a} | {b} | p99 ratio [95%] |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for Measured { row, sides } in table {
        let of = |name: &str| {
            let mut sides = sides.iter();
            sides.find(|(side, _)| side.name == name)
        };
        let (Some((_, a)), Some((_, b))) = (of(a), of(b)) else {
            continue;
        };
        println!(
            "| {row} | {} | {} | {} | {} | {} |",
            columns(a, b, |figures| figures.load_cpu, 2),
            columns(a, b, |figures| 1e6 / figures.rate, 2),
            latencies(a),
            latencies(b),
            ratio(a, b, |figures| figures.latencies[2]),
        );
    }
}

/// What a client costs its server: how it writes and what it announces can be seen there.
fn print_servers(table: &[Measured<'_>]) {
    println!("\nCPU µs of the server per call:");
    for Measured { row, sides } in table {
        let shares = sides.iter().map(|(side, figures)| {
            let cpu = median(figures.iter().map(|one| one.server_cpu));
            format!("{} {cpu:.2}", side.name)
        });
        println!("- {row}: {}", shares.collect::<Vec<_>>().join(", "));
    }
}
