//! Many calls, and all faults at once. Time is virtual; the seed is printed, and `APIBASE_SEED` repeats it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod unreliable;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::{BreakerPolicy, CallError, Caller, Code, Context, DomainError, Method, RetryPolicy};
use common::{EchoReply, Outcome, Scripted, ask, reply};
use h2::Reason;
use tokio::time::{Instant, sleep};
use unreliable::{Fault, Unreliable};

const DEADLINE: Duration = Duration::from_secs(5);
const PATH: &str = "/echo.EchoService/Echo";

/// What a team would write for a method that may be called again.
///
/// Its breaker opens by rate: with so many faults there are five failures in a row once in some
/// 600,000 attempts, by chance and without any trouble that a breaker could help against.
static IDEMPOTENT: [Method; 1] = [Method::unary(PATH)
    .no_side_effects()
    .deadline(DEADLINE)
    .retry(
        RetryPolicy::up_to(4)
            .initial_backoff(Duration::from_millis(20))
            .max_backoff(Duration::from_millis(500))
            .attempt_timeout(Duration::from_millis(500)),
    )
    .breaker(
        BreakerPolicy::at_rate(0.5)
            .minimum_calls(50)
            .window(Duration::from_secs(10)),
    )];

/// The same of one that may not.
static ONCE: [Method; 1] = [Method::unary(PATH).deadline(DEADLINE).breaker(
    BreakerPolicy::at_rate(0.5)
        .minimum_calls(50)
        .window(Duration::from_secs(10)),
)];

/// Each of these befalls one attempt in a hundred.
const FAULTS: [Fault; 9] = [
    Fault::NoConnection,
    Fault::Refused,
    Fault::Lost,
    Fault::Reset(Reason::INTERNAL_ERROR),
    Fault::Status(Code::Unavailable),
    Fault::Silence,
    Fault::LostAfterHead,
    Fault::SilenceAfterHead,
    Fault::Slow(Duration::from_millis(300)),
];

/// What came of many calls.
#[derive(Default)]
struct Tally {
    calls: AtomicU32,
    succeeded: AtomicU32,
    attempts: Arc<AtomicU32>,
    /// In microseconds.
    longest: AtomicU64,
    failed: Mutex<Vec<String>>,
}

fn seed() -> u64 {
    let seed = std::env::var("APIBASE_SEED")
        .map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
    println!("APIBASE_SEED={seed}");
    // Jitter is drawn from this thread's generator.
    fastrand::seed(seed);
    seed
}

/// A caller of `methods` through a network that has each fault once in a hundred attempts.
fn caller(
    methods: &'static [Method],
    scripted: Scripted,
    seed: u64,
    tally: &Tally,
) -> Caller<Unreliable> {
    let mut random = fastrand::Rng::with_seed(seed);
    let attempts = Arc::clone(&tally.attempts);
    let draw = move || {
        attempts.fetch_add(1, Relaxed);
        FAULTS.get(random.usize(..100)).copied()
    };
    Caller::new(Unreliable::new(scripted, draw), methods)
}

/// Makes `each` calls on each of a hundred tasks.
async fn load(
    caller: &Caller<Unreliable>,
    method: &'static Method,
    each: u32,
    seed: u64,
    tally: &Arc<Tally>,
) {
    let callers: Vec<_> = (0..100)
        .map(|task: u64| {
            let (caller, tally) = (caller.clone(), Arc::clone(tally));
            let mut random = fastrand::Rng::with_seed(seed ^ task);
            tokio::spawn(async move {
                for call in 0..each {
                    sleep(Duration::from_micros(random.u64(..20_000))).await;
                    let number = task * u64::from(each) + u64::from(call);
                    one(&caller, method, number, &tally).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

async fn one(caller: &Caller<Unreliable>, method: &'static Method, number: u64, tally: &Tally) {
    let words = number.to_string();
    let started = Instant::now();
    let ctx = Context::background();
    let outcome: Outcome<EchoReply> = caller.unary(&ctx, method, ask(words.as_str())).await;
    let took = u64::try_from(started.elapsed().as_micros()).unwrap();
    tally.calls.fetch_add(1, Relaxed);
    tally.longest.fetch_max(took, Relaxed);
    match outcome {
        Ok(got) => {
            assert_eq!(got, reply(0, words));
            tally.succeeded.fetch_add(1, Relaxed);
        }
        Err(error) => tally.failed.lock().unwrap().push(format!("{error:?}")),
    }
}

#[tokio::test(start_paused = true)]
async fn under_a_mix_of_all_faults_999_of_1000_idempotent_calls_succeed() {
    let seed = seed();
    let tally = Arc::new(Tally::default());
    let caller = caller(&IDEMPOTENT, Scripted::new(), seed, &tally);
    load(&caller, &IDEMPOTENT[0], 1_000, seed, &tally).await;

    let (calls, succeeded) = (tally.calls.load(Relaxed), tally.succeeded.load(Relaxed));
    let attempts = tally.attempts.load(Relaxed);
    let failed = tally.failed.lock().unwrap();
    let some = &failed[..failed.len().min(10)];
    println!("{succeeded} of {calls} calls succeeded with {attempts} attempts: {some:#?}");
    assert_eq!(calls, 100_000);
    // What nothing is done against would fail eight in a hundred.
    assert!(calls - succeeded <= calls / 1000, "{some:#?}");
    assert!(attempts - calls < calls / 10, "{attempts} attempts");
    let longest = Duration::from_micros(tally.longest.load(Relaxed));
    assert!(
        longest <= DEADLINE + Duration::from_millis(2),
        "{longest:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn under_the_same_mix_no_call_that_is_not_idempotent_is_done_twice() {
    const CALLS: u32 = 20_000;
    let seed = seed();
    let tally = Arc::new(Tally::default());
    let done: Arc<Vec<_>> = Arc::new((0..CALLS).map(|_| AtomicU32::new(0)).collect());
    let scripted = Scripted::new().on_echo({
        let done = Arc::clone(&done);
        move |_, request| {
            let number: usize = str::from_utf8(&request.payload).unwrap().parse().unwrap();
            done[number].fetch_add(1, Relaxed);
            async move { Ok(reply(0, request.payload)) }
        }
    });
    let caller = caller(&ONCE, scripted, seed, &tally);
    load(&caller, &ONCE[0], CALLS / 100, seed, &tally).await;

    assert!(done.iter().all(|times| times.load(Relaxed) <= 1));
    // What was never sent, or refused, was sent again all the same: that is one fault in four.
    let (succeeded, attempts) = (tally.succeeded.load(Relaxed), tally.attempts.load(Relaxed));
    println!("{succeeded} of {CALLS} calls succeeded with {attempts} attempts");
    assert!(attempts > CALLS + CALLS / 100, "{attempts} attempts");
    assert!(succeeded > CALLS - CALLS * 8 / 100, "{succeeded} succeeded");
    assert!(succeeded < CALLS, "there were no faults");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_fails_every_call_gets_hardly_more_attempts_than_calls() {
    const CALLS: u32 = 5_000;
    static RETRIED: [Method; 1] = [Method::unary(PATH)
        .no_side_effects()
        .retry(
            RetryPolicy::up_to(4)
                .initial_backoff(Duration::from_millis(1))
                .max_backoff(Duration::from_millis(1)),
        )
        .breaker(BreakerPolicy::after(u32::MAX))];
    seed();
    let attempts = Arc::new(AtomicU32::new(0));
    let draw = {
        let attempts = Arc::clone(&attempts);
        move || {
            attempts.fetch_add(1, Relaxed);
            Some(Fault::Status(Code::Unavailable))
        }
    };
    let caller = Caller::new(Unreliable::new(Scripted::new(), draw), &RETRIED);
    let ctx = Context::background();
    for _ in 0..CALLS {
        let outcome: Outcome<EchoReply> = caller.unary(&ctx, &RETRIED[0], ask("")).await;
        let error: CallError<DomainError> = outcome.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
    }
    // Half of the 500 tokens, and from then on none is retried.
    let retries = attempts.load(Relaxed) - CALLS;
    assert!(retries > 100 && retries <= 250, "{retries} retries");
}

/// The throttle gives a tenth of a token back for each success and takes one for each failure, so that
/// retries can't be more than a tenth of the successes and what was there at the start.
#[tokio::test(start_paused = true)]
async fn rule_13_retries_are_at_most_a_tenth_of_what_succeeds_beside_half_of_the_tokens() {
    const CALLS: u32 = 20_000;
    static RETRIED: [Method; 1] = [Method::unary(PATH)
        .no_side_effects()
        .retry(
            RetryPolicy::up_to(4)
                .initial_backoff(Duration::from_millis(1))
                .max_backoff(Duration::from_millis(1)),
        )
        .breaker(BreakerPolicy::after(u32::MAX))];
    let seed = seed();
    for failing_of_100 in [5, 30, 60] {
        let mut random = fastrand::Rng::with_seed(seed);
        let attempts = Arc::new(AtomicU32::new(0));
        let draw = {
            let attempts = Arc::clone(&attempts);
            move || {
                attempts.fetch_add(1, Relaxed);
                (random.u32(..100) < failing_of_100).then_some(Fault::Status(Code::Unavailable))
            }
        };
        let caller = Caller::new(Unreliable::new(Scripted::new(), draw), &RETRIED);
        let ctx = Context::background();
        let mut succeeded = 0;
        for _ in 0..CALLS {
            let outcome: Outcome<EchoReply> = caller.unary(&ctx, &RETRIED[0], ask("")).await;
            succeeded += u32::from(outcome.is_ok());
        }
        let retries = attempts.load(Relaxed) - CALLS;
        println!("{failing_of_100}%: {retries} retries, {succeeded} calls succeeded");
        assert!(retries <= 250 + succeeded / 10, "{retries} retries");
        // Where there are few failures, all are retried: four in a row are one call in 160,000.
        assert!(failing_of_100 > 5 || succeeded >= CALLS - 5, "{succeeded}");
    }
}
