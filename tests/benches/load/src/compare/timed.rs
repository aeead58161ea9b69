//! Rounds, in each of which every side is timed once on every row.

use std::error::Error;

use bench_harness::median;

use super::{Comparison, Figure, Options, Row, Side};
use crate::run::Figures;

/// How often a side is timed once more in a round in which none of its calls has ended.
const AGAIN: usize = 5;

/// Of one row, the figures of each side, round by round.
struct Measured<'a, R> {
    row: &'a R,
    sides: Vec<(&'a Side, Vec<Figures>)>,
}

pub(super) fn measure<R: Row>(
    comparison: &Comparison<R>,
    options: &Options<R>,
) -> Result<(), Box<dyn Error>> {
    let rows = options.rows.iter();
    let mut table: Vec<Measured<'_, R>> = rows
        .map(|row| Measured {
            row,
            sides: options
                .sides_of(row)
                .map(|side| (side, Vec::new()))
                .collect(),
        })
        .collect();
    for round in 1..=options.rounds {
        for Measured { row, sides } in &mut table {
            for (side, figures) in sides {
                let (rounds, name) = (options.rounds, &side.name);
                eprint!("\rround {round} of {rounds}, {row}, {name:<20}");
                figures.push(timed(*row, side, options)?);
            }
        }
    }
    eprintln!();
    let Some((first, others)) = options.sides.split_first() else {
        return Err("there is no side".into());
    };
    for other in others {
        print_table(comparison, &table, &first.name, &other.name);
    }
    print_below(comparison.below, &table);
    Ok(())
}

/// A host can take a machine away for longer than a round is: that says nothing of the side.
fn timed<R: Row>(row: &R, side: &Side, options: &Options<R>) -> Result<Figures, Box<dyn Error>> {
    for _ in 0..=AGAIN {
        let figures = row.time(side, options)?;
        if !figures.is_empty() {
            return Ok(figures);
        }
        eprintln!("\n{row}, {}: no call has ended, once more", side.name);
    }
    let name = &side.name;
    Err(format!(
        "{row}, {name}: no call has ended in any of {} rounds",
        AGAIN + 1
    )
    .into())
}

fn print_table<R: Row>(comparison: &Comparison<R>, table: &[Measured<'_, R>], a: &str, b: &str) {
    let columns = comparison.columns.iter();
    let titles = columns.map(|column| column.titles(a, b));
    let titles = format!("{} | {}", comparison.row, join(titles));
    println!("\n| {titles} |");
    println!("{}|", "|---".repeat(titles.split(" | ").count()));
    for Measured { row, sides } in table {
        let of = |name: &str| sides.iter().find(|(side, _)| side.name == name);
        let (Some((_, a)), Some((_, b))) = (of(a), of(b)) else {
            continue;
        };
        let columns = comparison.columns.iter();
        println!(
            "| {row} | {} |",
            join(columns.map(|column| column.cells(a, b)))
        );
    }
}

fn print_below<R: Row>((words, of): (&str, Figure), table: &[Measured<'_, R>]) {
    println!("\n{words}:");
    for Measured { row, sides } in table {
        let medians = sides.iter().map(|(side, figures)| {
            let middle = median(figures.iter().map(of));
            format!("{} {middle:.2}", side.name)
        });
        println!("- {row}: {}", medians.collect::<Vec<_>>().join(", "));
    }
}

fn join(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(" | ")
}
