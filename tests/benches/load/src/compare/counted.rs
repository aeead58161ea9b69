//! What is exact: allocations and instructions of a call.

use std::error::Error;

use super::{Comparison, Options, Row};

/// Enough that what happens now and then, a timer for example, is not seen.
const ALLOCATING: u64 = 20_000;
const INSTRUCTED: u64 = 2_000;

pub(super) fn allocations<R: Row>(
    comparison: &Comparison<R>,
    options: &Options<R>,
) -> Result<(), Box<dyn Error>> {
    let Comparison { row, kind, .. } = comparison;
    println!("| {row} | {kind} | allocations a call | bytes a call |");
    println!("|---|---|---|---|");
    for row in &options.rows {
        for side in options.sides_of(row) {
            let calls = options.calls_of(row, ALLOCATING);
            let all = row.allocations(side, options, calls)?;
            let [allocations, bytes] = all.map(|all| all / calls as f64);
            println!("| {row} | {} | {allocations:.2} | {bytes:.0} |", side.name);
        }
    }
    Ok(())
}

pub(super) fn instructions<R: Row>(
    comparison: &Comparison<R>,
    options: &Options<R>,
) -> Result<(), Box<dyn Error>> {
    let Comparison { row, kind, .. } = comparison;
    println!("| {row} | {kind} | instructions a call |");
    println!("|---|---|---|");
    for row in &options.rows {
        for side in options.sides_of(row) {
            let calls = options.calls_of(row, INSTRUCTED);
            // The difference is free of what a process and a connection cost.
            let fewer = row.instructions(side, options, calls)?;
            let more = row.instructions(side, options, 2 * calls)?;
            let each = (more - fewer) / calls as f64;
            println!("| {row} | {} | {each:.0} |", side.name);
        }
    }
    Ok(())
}
