//! Runs one operation of a side again and again, so that callgrind can count it.

use std::env;
use std::hint::black_box;
use std::process::ExitCode;

use crate::{Item, ItemList, Maps, Order, Side, Words, samples};

/// The `main` of a side: `<type> <way> <times>`, for example `item into 100`.
///
/// Only what happens inside of `measured` is the operation: callgrind is told to count there and
/// nowhere else. Samples are made, and results dropped, outside of it.
#[must_use]
pub fn main<S: Side>() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [entity, way, times] = arguments.as_slice() else {
        return usage();
    };
    let Ok(times) = times.parse() else {
        return usage();
    };
    let known = match entity.as_str() {
        "item" => run::<S, Item>(way, times, &samples::item()),
        "list" => run::<S, ItemList>(way, times, &samples::item_list()),
        "order" => run::<S, Order>(way, times, &samples::order()),
        "words" => run::<S, Words>(way, times, &samples::words()),
        _ => false,
    };
    if known { ExitCode::SUCCESS } else { usage() }
}

fn usage() -> ExitCode {
    eprintln!("arguments: item|list|order|words to|into|from TIMES");
    ExitCode::FAILURE
}

fn run<S: Maps<E>, E: Clone>(way: &str, times: u32, sample: &E) -> bool {
    match way {
        "to" => repeat(times, sample, |sample| {
            drop(measured(S::to_message, sample));
        }),
        "into" => repeat(times, sample, |sample| {
            drop(measured(S::into_message, sample.clone()));
        }),
        "from" => {
            let Ok(message) = S::to_message(sample) else {
                return false;
            };
            repeat(times, &message, |message| {
                drop(measured(S::from_message, message.clone()));
            });
        }
        _ => return false,
    }
    true
}

fn repeat<T>(times: u32, sample: &T, once: impl Fn(&T)) {
    for _ in 0..times {
        once(black_box(sample));
    }
}

/// What callgrind counts: see `scripts/bench-mappers`, which knows this name.
#[inline(never)]
fn measured<I, O>(operation: impl Fn(I) -> O, input: I) -> O {
    operation(input)
}
