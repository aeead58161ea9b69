//! Throughput, CPU and latency.

use std::error::Error;
use std::process::Command;

use bench_harness::median;
use bench_load::{Figures, columns, latencies, on_core};

use crate::options::{Options, Row};
use crate::server::Side;

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
                .sides_for(row.call)
                .map(|side| (side, Vec::new()))
                .collect(),
        })
        .collect();
    for round in 1..=options.rounds {
        for Measured { row, sides } in &mut table {
            for (side, figures) in sides {
                eprint!(
                    "\rround {round} of {}, {row}, {:<20}",
                    options.rounds, side.name
                );
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
    print_load(&table);
    Ok(())
}

/// A server, from its start to its end. The generator is a process of its own, so that it can be kept
/// to another core.
fn once(options: &Options, side: &Side, row: &Row) -> Result<Figures, Box<dyn Error>> {
    let server = side.start(row.workers)?;
    let load = options.bin.join("load");
    let mut command = if row.workers == 1 {
        on_core(1, &load)
    } else {
        Command::new(load)
    };
    let output = command
        .args(["time", &server.address.to_string()])
        .args([side.call(row.call).name(), &row.shape.to_string()])
        .args([
            options.time.as_secs_f64().to_string(),
            server.pid().to_string(),
        ])
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{row}, {}: {said}", side.name).into());
    }
    String::from_utf8(output.stdout)?.parse()
}

fn print_table(table: &[Measured<'_>], a: &Side, b: &Side) {
    let (a, b) = (&a.name, &b.name);
    println!(
        "\n| call, connections×streams | calls/s: {a} | {b} | ratio [95%] | CPU µs: {a} | {b} | ratio [95%] | p50/p90/p99 µs: {a} | {b} |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for Measured { row, sides } in table {
        let of = |name: &str| {
            let mut sides = sides.iter();
            sides.find(|(side, _)| side.name == name)
        };
        let (Some((_, a)), Some((_, b))) = (of(a), of(b)) else {
            continue;
        };
        println!(
            "| {row} | {} | {} | {} |",
            columns(a, b, |figures| figures.rate, 0),
            columns(a, b, |figures| figures.server_cpu, 2),
            format_args!("{} | {}", latencies(a), latencies(b)),
        );
    }
}

/// How far the generator's own cost could be seen.
fn print_load(table: &[Measured<'_>]) {
    println!("\nCPU of the generator beside the server's, per call:");
    for Measured { row, sides } in table {
        let shares = sides.iter().map(|(side, figures)| {
            let share = median(figures.iter().map(|one| one.load_cpu / one.server_cpu));
            format!("{} {share:.2}", side.name)
        });
        println!("- {row}: {}", shares.collect::<Vec<_>>().join(", "));
    }
}
