//! Links that are cut and healed at random. The seed is printed, and `APIBASE_SEED` repeats it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep};

use super::links::Cut;
use super::net::{Answers, Net, Server};
use super::partitions::{AGAIN, ONCE, Outcome, acted, caller};
use crate::client::{Caller, Channel};
use crate::{Code, Context};

const HOSTS: [&str; 3] = ["a:1", "b:1", "c:1"];
const CALLERS: u64 = 6;
/// How long links are cut and healed.
const TROUBLE: Duration = Duration::from_secs(180);
/// How long it may take until all is well again: a breaker is open for 30 s, give or take, and a
/// connection is asked for again after 16 s at most and then a backoff.
const RECOVERY: Duration = Duration::from_secs(60);
/// How long all must be well then.
const PEACE: Duration = Duration::from_secs(30);

/// One call that was made.
struct Made {
    number: u64,
    is_once: bool,
    begun: Duration,
    outcome: Outcome,
}

fn seed() -> u64 {
    let seed = std::env::var("APIBASE_SEED")
        .map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
    println!("APIBASE_SEED={seed}");
    seed
}

/// Cuts the link to a host and heals it, again and again.
async fn torment(net: Net, host: &'static str, mut random: Rng, end: Instant) {
    while Instant::now() < end {
        sleep(Duration::from_millis(random.u64(1_000..40_000))).await;
        net.cut(host, Cut::ALL[random.usize(..Cut::ALL.len())]);
        sleep(Duration::from_millis(random.u64(1_000..45_000))).await;
        net.heal(host);
    }
}

/// Calls until `end`, each time with a deadline, which is held.
async fn load(
    caller: Caller<Channel>,
    task: u64,
    started: Instant,
    end: Duration,
    made: Arc<Mutex<Vec<Made>>>,
    mut random: Rng,
) {
    let mut number = task;
    while started.elapsed() < end {
        sleep(Duration::from_millis(random.u64(..1_000))).await;
        number += CALLERS;
        let is_once = random.bool();
        let time = Duration::from_millis(random.u64(200..15_000));
        let ctx = Context::background().with_timeout(time);
        let begun = started.elapsed();
        let method = if is_once { ONCE } else { AGAIN };
        let outcome: Outcome = caller.unary(&ctx, method, number).await;
        let took = started.elapsed() - begun;
        assert!(
            took <= time + Duration::from_millis(2),
            "{took:?} of {time:?}: {outcome:?}"
        );
        made.lock().unwrap().push(Made {
            number,
            is_once,
            begun,
            outcome,
        });
    }
}

/// What befalls the calls of some minutes.
async fn round(seed: u64) -> Vec<Made> {
    // Jitter and picks are drawn from this thread's generator.
    fastrand::seed(seed);
    let mut random = Rng::with_seed(seed);
    let net = Net::default();
    let servers = HOSTS.map(|host| {
        let time = Duration::from_millis(random.u64(5..50));
        net.serve(host, Answers::After(time))
    });
    let caller = caller(&net, &HOSTS.join(","));
    let (started, made) = (Instant::now(), Arc::default());
    let troubles = HOSTS
        .map(|host| tokio::spawn(torment(net.clone(), host, random.fork(), started + TROUBLE)));
    let over = TROUBLE + Duration::from_secs(85);
    let end = over + RECOVERY + PEACE;
    let loads: Vec<_> = (1..=CALLERS)
        .map(|task| {
            let made = Arc::clone(&made);
            tokio::spawn(load(
                caller.clone(),
                task,
                started,
                end,
                made,
                random.fork(),
            ))
        })
        .collect();
    for task in troubles.into_iter().chain(loads) {
        task.await.unwrap();
    }
    sleep(RECOVERY).await;
    drop(caller);
    let made = std::mem::take(&mut *made.lock().unwrap());
    check(&servers, &made, over + RECOVERY);
    made
}

fn check(servers: &[Server], made: &[Made], well: Duration) {
    let acted = acted(servers);
    for one in made {
        let acted = acted.get(&one.number).copied().unwrap_or_default();
        if one.is_once {
            assert!(
                acted <= 1,
                "call {} was acted upon {acted} times",
                one.number
            );
        }
        match &one.outcome {
            Ok(number) => {
                assert_eq!(*number, one.number);
                assert!(acted > 0);
            }
            Err(error) => {
                assert!(one.begun < well, "at {:?}: {error:?}", one.begun);
                let codes = [Code::DeadlineExceeded, Code::Unavailable];
                assert!(codes.contains(&error.code()), "{error:?}");
                assert!(acted == 0 || !error.is_not_processed(), "{error:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cuts_at_random_cost_no_more_than_they_must_and_nothing_once_all_is_healed() {
    let seed = seed();
    let (mut calls, mut failed) = (0, 0);
    for round_seed in (0..4).map(|round| seed.wrapping_add(round)) {
        println!("round {round_seed}");
        let made = round(round_seed).await;
        calls += made.len();
        failed += made.iter().filter(|one| one.outcome.is_err()).count();
    }
    println!("{failed} of {calls} calls failed");
    // Else there was no trouble.
    assert!(
        failed > calls / 500 && failed < calls / 2,
        "{failed} of {calls}"
    );
}
