//! A server beyond its capacity: does it serve on, refuse at once, and tell its health?
//!
//! `overload SERVER [SECONDS]`: the server is `bench-server-apibase-busy`, each phase takes SECONDS, 10 if
//! nothing is said. What it can do at most is found first, by callers that wait for their answers.
//! Then calls come at rates of their own. Fails where a bound isn't held at twice the capacity.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bench_load::{Call, Ending, Offered, Outcome, Server, Shape, offer, on_core, run};

/// The bounds at twice the capacity: goodput as a part of the peak, and microseconds in which 99% of the
/// refusals are there.
const GOODPUT: f64 = 0.95;
const REFUSED: f64 = 5_000.0;

/// Callers at once while the capacity is looked for: fewer than the server takes.
const CALLERS: [usize; 4] = [1, 2, 4, 8];
const CONNECTIONS: usize = 8;
/// Checks of the health in a second.
const CHECKS: f64 = 20.0;

fn main() -> ExitCode {
    match overload() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("overload: {error}");
            ExitCode::FAILURE
        }
    }
}

fn overload() -> Result<bool, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let binary = arguments.next().ok_or("usage: overload SERVER [SECONDS]")?;
    let seconds = arguments.next().map_or(Ok(10.0), |text| text.parse())?;
    let time = Duration::try_from_secs_f64(seconds)?;
    let server = Server::start(on_core(0, Path::new(&binary)))?;
    let peak = peak(&server, time / CALLERS.len() as u32)?;
    println!("capacity: {peak:.0} calls/s\n");
    println!(
        "| offered | goodput/s | of capacity | served p50/p99/max ms | refused/s | refused p50/p99/max ms | health p50/p99/max ms | failed |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut is_held = true;
    for times in [0.8, 2.0, 4.0] {
        let calls = Offered {
            call: Call::Create,
            rate: peak * times,
            connections: CONNECTIONS,
        };
        let checks = Offered {
            call: Call::Health,
            rate: CHECKS,
            connections: 1,
        };
        let outcomes = offer(server.address, &[calls, checks], time)?;
        let [calls, checks] = outcomes.as_slice() else {
            return Err("two were offered".into());
        };
        let goodput = calls.served.calls as f64 / seconds;
        println!(
            "| {times}× | {goodput:.0} | {:.3} | {} | {:.0} | {} | {} | {} |",
            goodput / peak,
            latencies(&calls.served.latencies),
            calls.refused.calls as f64 / seconds,
            latencies(&calls.refused.latencies),
            latencies(&checks.served.latencies),
            calls.failed + checks.failed + checks.refused.calls,
        );
        if times == 2.0 {
            is_held = holds(calls, checks, goodput / peak);
        }
    }
    println!(
        "\nat twice the capacity: {}",
        if is_held { "held" } else { "NOT HELD" }
    );
    Ok(is_held)
}

fn peak(server: &Server, time: Duration) -> Result<f64, Box<dyn Error>> {
    let mut peak = 0.0_f64;
    for connections in CALLERS {
        let shape = Shape {
            connections,
            streams: 1,
        };
        let ending = Ending::After(time, server.pid());
        let figures = run(server.address, Call::Create.into(), shape, ending)?;
        peak = peak.max(figures.rate);
    }
    Ok(peak)
}

fn holds(calls: &Outcome, checks: &Outcome, goodput: f64) -> bool {
    let [_, _, refused, _] = calls.refused.latencies;
    let health_answers = checks.served.calls > 0 && checks.open <= 1;
    let nothing_failed = calls.failed + checks.failed + checks.refused.calls == 0;
    goodput >= GOODPUT && refused < REFUSED && health_answers && nothing_failed
}

fn latencies([p50, _, p99, most]: &[f64; 4]) -> String {
    format!("{:.2}/{:.2}/{:.2}", p50 / 1e3, p99 / 1e3, most / 1e3)
}
