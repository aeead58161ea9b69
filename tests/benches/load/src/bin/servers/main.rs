//! Measures servers in turn, A B A B …, and prints Markdown tables of the first beside each other one.
//!
//! ```text
//! servers [MODE] --bin FOLDER [--sides A,B] [--rows ROWS] [--rounds N] [--seconds S] [--calls N]
//! ```
//!
//! MODE is `time` (the default), `allocations`, `instructions` or `memory`. A side is a name, whose
//! binary is `FOLDER/bench-server-NAME`, or `NAME=BINARY`, to compare two builds of one server. A row is
//! a call and a shape, `get-8x64` or short `8x64`, with `/2` for a server of two workers that has all
//! cores; with one worker it has core 0 and the generator core 1.

mod counted;
mod instructions;
mod memory;
mod options;
mod server;
mod timed;

use std::error::Error;
use std::process::ExitCode;

use bench_load::Call;
use options::{Mode, Options};
use server::Side;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("servers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    compare_answers(&options)?;
    match options.mode {
        Mode::Time => timed::measure(&options),
        Mode::Allocations => counted::measure(&options),
        Mode::Instructions => instructions::measure(&options),
        Mode::Memory => memory::measure(&options),
    }
}

/// Every side has to answer each call with the same bytes; JSON with the same texts in it.
fn compare_answers(options: &Options) -> Result<(), Box<dyn Error>> {
    let mut calls: Vec<Call> = options.rows.iter().map(|row| row.call).collect();
    calls.dedup();
    for call in calls {
        let mut first: Option<(&Side, Vec<u8>)> = None;
        for side in options.sides_for(call) {
            let answer = bench_load::once(side.start(1)?.address, side.call(call))?;
            if side.is_json() {
                contains_the_item(&answer).map_err(|error| format!("{}: {error}", side.name))?;
                eprintln!(
                    "{}: {} answers {} bytes",
                    call.name(),
                    side.name,
                    answer.len()
                );
                continue;
            }
            has_replies(&answer, call).map_err(|error| format!("{}: {error}", side.name))?;
            match &first {
                Some((other, bytes)) if *bytes != answer => {
                    let names = format!("{} and {}", other.name, side.name);
                    return Err(format!("{names} answer {} differently", call.name()).into());
                }
                Some(_) => {}
                None => {
                    eprintln!("{}: {} bytes by every side", call.name(), answer.len());
                    first = Some((side, answer));
                }
            }
        }
    }
    Ok(())
}

fn contains_the_item(answer: &[u8]) -> Result<(), String> {
    use bench_harness::shop;
    let text = String::from_utf8_lossy(answer);
    let words = [shop::ID, shop::NAME, shop::DESCRIPTION, shop::SKU];
    let times = [shop::CREATED_AT_TEXT, shop::UPDATED_AT_TEXT];
    match words
        .into_iter()
        .chain(times)
        .find(|word| !text.contains(word))
    {
        Some(word) => Err(format!("{word} is not in its answer {text}")),
        None => Ok(()),
    }
}

/// Whether there are as many messages in gRPC's frames as there should be.
fn has_replies(mut answer: &[u8], call: Call) -> Result<(), String> {
    let mut replies = 0;
    while let Some((&[_, length @ ..], rest)) = answer.split_first_chunk::<5>() {
        let length = u32::from_be_bytes(length) as usize;
        answer = rest.get(length..).ok_or("its last reply is cut off")?;
        replies += 1;
    }
    match call.replies() {
        wanted if wanted == replies => Ok(()),
        wanted => Err(format!(
            "{} has {replies} replies, not {wanted}",
            call.name()
        )),
    }
}
