//! Least loaded: simulated endpoints, each as fast as it is said to be.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use tokio::task::LocalSet;
use tokio::time::{Instant, advance, sleep};

use super::*;

/// How long calls took, on each endpoint.
type Took = Rc<RefCell<Vec<Vec<Duration>>>>;

const CALLS: usize = 20_000;

/// Calls that come at random, `rate` a second; `latency` is an endpoint's.
async fn simulate(
    balance: Balance,
    count: usize,
    rate: f64,
    seed: u64,
    latency: impl Fn(usize, Duration, &mut Rng) -> Duration + Copy + 'static,
) -> Vec<Vec<Duration>> {
    let all = endpoints(count, balance);
    let picker = Picker::new(balance);
    let took = Took::default();
    took.borrow_mut().resize(count, Vec::new());
    let mut random = Rng::with_seed(seed);
    let begun = Instant::now();
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut tasks = Vec::new();
            for _ in 0..CALLS {
                // Poisson arrivals.
                sleep(Duration::from_secs_f64(-random.f64().max(1e-9).ln() / rate)).await;
                let at = pick(&picker, &all);
                let candidate = Arc::clone(&all[at]);
                let started = candidate.started();
                let time = latency(at, begun.elapsed(), &mut random);
                let took = Rc::clone(&took);
                tasks.push(tokio::task::spawn_local(async move {
                    sleep(time).await;
                    candidate.finished(started, Ending::Well);
                    took.borrow_mut()[at].push(time);
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
        })
        .await;
    took.take()
}

fn p99(mut all: Vec<Duration>) -> f64 {
    all.sort_unstable();
    all[all.len() * 99 / 100].as_secs_f64()
}

/// 5 to 15 ms, and of the endpoint 0 so many times as much.
fn slower(at: usize, times: f64, random: &mut Rng) -> Duration {
    let times = if at == 0 { times } else { 1.0 };
    Duration::from_secs_f64(times * (0.005 + 0.010 * random.f64()))
}

/// A new one, or `APIBASE_SEED`.
fn seed() -> u64 {
    let seed = std::env::var("APIBASE_SEED")
        .map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
    println!("APIBASE_SEED={seed}");
    // Picks are drawn from this thread's generator.
    fastrand::seed(seed);
    seed
}

#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_among_three_leaves_p99_at_one_and_a_half_of_the_healthy_ones() {
    let seed = seed();
    for rate in [20.0, 100.0, 300.0] {
        for (times, balance) in [
            (20.0, Balance::LeastLoaded),
            (10.0, Balance::LeastLoaded),
            (5.0, Balance::LeastLoaded),
            (10.0, Balance::RoundRobin),
        ] {
            let took = simulate(balance, 3, rate, seed, move |at, _, random| {
                slower(at, times, random)
            })
            .await;
            let healthy = p99(took[1..].concat());
            let ratio = p99(took.concat()) / healthy;
            let on_slow = took[0].len();
            println!(
                "{balance:?}, {times}×, {rate}/s: p99 {ratio:.2}, {on_slow} calls on the slow one"
            );
            match balance {
                Balance::LeastLoaded => assert!(ratio <= 1.5, "{ratio}"),
                // Else the simulation shows nothing.
                _ => assert!(ratio > 3.0, "{ratio}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_recovers_is_used_again() {
    let seed = seed();
    let recovery = Duration::from_secs(60);
    let took = simulate(
        Balance::LeastLoaded,
        3,
        100.0,
        seed,
        move |at, now, random| slower(at, if now < recovery { 10.0 } else { 1.0 }, random),
    )
    .await;
    // 200 seconds, 140 of them healthy: a fair part were 4,600 calls.
    assert!(took[0].len() > 3000, "{}", took[0].len());
}

#[tokio::test(start_paused = true)]
async fn equals_have_equal_parts() {
    let seed = seed();
    for count in [3, 16, 40] {
        let took = simulate(Balance::LeastLoaded, count, 300.0, seed, |_, _, random| {
            slower(1, 1.0, random)
        })
        .await;
        let fair = CALLS / count;
        for (at, took) in took.iter().enumerate() {
            let part = took.len();
            assert!(
                (fair / 2..fair * 2).contains(&part),
                "{at} of {count}: {part}"
            );
        }
    }
}

/// A call on an endpoint that takes as long, and ends so.
async fn call(candidate: &Candidate, millis: u64, ending: Ending) {
    let started = candidate.started();
    advance(Duration::from_millis(millis)).await;
    candidate.finished(started, ending);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_endpoint_is_tried_by_one_call() {
    let all = endpoints(2, Balance::LeastLoaded);
    let picker = Picker::new(Balance::LeastLoaded);
    call(&all[0], 1, Ending::Well).await;
    assert_eq!(pick(&picker, &all), 1);
    let trying = all[1].started();
    assert!((0..50).all(|_| pick(&picker, &all) == 0));
    // Given up at once, it is as unknown as before.
    all[1].finished(trying, Ending::GivenUp);
    assert_eq!(pick(&picker, &all), 1);
}

#[tokio::test(start_paused = true)]
async fn failing_fast_draws_no_calls() {
    let all = endpoints(2, Balance::LeastLoaded);
    let picker = Picker::new(Balance::LeastLoaded);
    call(&all[0], 20, Ending::Well).await;
    call(&all[1], 20, Ending::Well).await;
    for _ in 0..20 {
        call(&all[0], 0, Ending::Badly).await;
    }
    assert!((0..50).all(|_| pick(&picker, &all) == 1));
    // However often it failed, it is tried again within minutes.
    advance(Duration::from_secs(120)).await;
    call(&all[1], 20, Ending::Well).await;
    assert_eq!(pick(&picker, &all), 0);
}

#[tokio::test(start_paused = true)]
async fn what_hangs_and_is_given_up_is_slow() {
    let all = endpoints(2, Balance::LeastLoaded);
    let picker = Picker::new(Balance::LeastLoaded);
    call(&all[0], 10, Ending::Well).await;
    call(&all[1], 12, Ending::Well).await;
    // Of one that is given up early nothing is learnt.
    call(&all[0], 1, Ending::GivenUp).await;
    assert_eq!(pick(&picker, &all), 0);
    call(&all[0], 1000, Ending::GivenUp).await;
    assert!((0..50).all(|_| pick(&picker, &all) == 1));
}

#[tokio::test(start_paused = true)]
async fn after_months_without_a_call_nothing_overflows() {
    let all = endpoints(2, Balance::LeastLoaded);
    let picker = Picker::new(Balance::LeastLoaded);
    for days in [1, 24, 25, 49, 50, 400] {
        call(&all[0], 10, Ending::Well).await;
        call(&all[1], 5000, Ending::Well).await;
        assert_eq!(pick(&picker, &all), 0, "{days}");
        advance(Duration::from_secs(days * 24 * 3600)).await;
        pick(&picker, &all);
    }
}

#[test]
fn who_does_not_ask_writes_nothing() {
    let one = Candidate::new("10.0.0.1:1".into(), Balance::RoundRobin);
    let before = format!("{one:?}");
    let started = one.started();
    assert_eq!(format!("{one:?}"), before);
    one.finished(started, Ending::Well);
    assert_eq!(format!("{one:?}"), before);
}
