//! Dependencies, and how they are checked.

use std::sync::Mutex;
use std::thread;

use tokio::time::{Instant, sleep};

use super::*;

#[tokio::test(start_paused = true)]
async fn without_dependencies_it_is_serving_as_soon_as_it_runs() {
    let health = Health::new();
    assert_eq!(overall(&health).await, NotServing);
    tokio::spawn(health.run());
    assert_eq!(overall(&health).await, Serving);
}

#[tokio::test(start_paused = true)]
async fn it_is_not_serving_until_the_first_checks_have_passed() {
    let health = Health::new()
        .dependency("fast", pass)
        .dependency("slow", || async {
            sleep(3 * SECOND).await;
            pass().await
        });
    assert_eq!(overall(&health).await, NotServing);
    tokio::spawn(health.run());
    sleep(2 * SECOND).await;
    assert_eq!(overall(&health).await, NotServing);
    sleep(SECOND).await;
    assert_eq!(overall(&health).await, Serving);
}

#[tokio::test(start_paused = true)]
async fn one_dependency_that_is_down_is_enough_until_it_is_back() {
    let (database, queue) = (Switch::up(), Switch::up());
    let health = Health::new()
        .dependency("database", database.check())
        .dependency("queue", queue.check());
    tokio::spawn(health.run());
    assert_eq!(overall(&health).await, Serving);
    queue.set(false);
    assert_eq!(overall(&health).await, Serving, "nobody has looked yet");
    sleep(10 * SECOND).await;
    assert_eq!(overall(&health).await, NotServing);
    queue.set(true);
    sleep(10 * SECOND).await;
    assert_eq!(overall(&health).await, Serving);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_takes_longer_than_five_seconds_has_failed() {
    let health = Health::new().dependency("hangs", || async {
        std::future::pending::<()>().await;
        pass().await
    });
    tokio::spawn(health.run());
    moment().await;
    for _ in 0..3 {
        assert_eq!(overall(&health).await, NotServing);
        sleep(5 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_times_out_is_dropped_and_made_again() {
    let slow = Arc::new(AtomicBool::new(false));
    let dropped = Arc::new(AtomicUsize::new(0));
    let (is_slow, drops) = (Arc::clone(&slow), Arc::clone(&dropped));
    let health = Health::new()
        .interval(10 * SECOND)
        .timeout(2 * SECOND)
        .dependency("database", move || {
            let (is_slow, drops) = (Arc::clone(&is_slow), OnDrop(Arc::clone(&drops)));
            async move {
                let _held = drops;
                if is_slow.load(Ordering::Relaxed) {
                    sleep(3 * SECOND).await;
                }
                pass().await
            }
        });
    tokio::spawn(health.run());
    assert_eq!(overall(&health).await, Serving);
    slow.store(true, Ordering::Relaxed);
    sleep(10 * SECOND).await;
    assert_eq!(overall(&health).await, Serving, "it isn't late yet");
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    sleep(2 * SECOND).await;
    assert_eq!(overall(&health).await, NotServing);
    assert_eq!(dropped.load(Ordering::Relaxed), 2);
    slow.store(false, Ordering::Relaxed);
    sleep(8 * SECOND).await;
    assert_eq!(overall(&health).await, Serving);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_has_failed_and_is_made_again() {
    let panics = Arc::new(AtomicBool::new(true));
    let (at_once, later) = (Arc::clone(&panics), Arc::clone(&panics));
    let health = Health::new()
        .dependency("before it is a future", move || {
            assert!(!at_once.load(Ordering::Relaxed), "at once");
            pass()
        })
        .dependency("after a while", move || {
            let later = Arc::clone(&later);
            async move {
                sleep(SECOND).await;
                assert!(!later.load(Ordering::Relaxed), "later");
                pass().await
            }
        });
    tokio::spawn(health.run());
    sleep(2 * SECOND).await;
    assert_eq!(overall(&health).await, NotServing);
    panics.store(false, Ordering::Relaxed);
    sleep(10 * SECOND).await;
    assert_eq!(overall(&health).await, Serving);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_panics_when_it_is_read_is_a_failure() {
    struct Unreadable;

    impl std::fmt::Display for Unreadable {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("nobody reads this")
        }
    }

    let health = Health::new().dependency("odd", || async { Err(Unreadable) });
    tokio::spawn(health.run());
    assert_eq!(overall(&health).await, NotServing);
}

#[tokio::test(start_paused = true)]
async fn asking_makes_no_check() {
    let database = Switch::up();
    let health = Health::new().dependency("database", database.check());
    tokio::spawn(health.run());
    moment().await;
    for _ in 0..1000 {
        assert_eq!(health.status(""), Some(Serving));
    }
    sleep(9 * SECOND).await;
    assert_eq!(database.asked(), 1);
    sleep(SECOND).await;
    assert_eq!(database.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn checks_start_at_the_interval_or_when_the_one_before_has_ended() {
    let starts = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&starts);
    let began = Instant::now();
    let health = Health::new()
        .interval(4 * SECOND)
        .timeout(10 * SECOND)
        .dependency("database", move || {
            let nth = {
                let mut noted = noted.lock().unwrap();
                noted.push(began.elapsed().as_secs());
                noted.len()
            };
            async move {
                // The second one is slow.
                sleep(if nth == 2 { 7 * SECOND } else { SECOND }).await;
                pass().await
            }
        });
    tokio::spawn(health.run());
    sleep(20 * SECOND).await;
    assert_eq!(*starts.lock().unwrap(), [0, 4, 11, 15, 19]);
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_zero_does_not_spin() {
    let database = Switch::up();
    let health = Health::new()
        .interval(Duration::ZERO)
        .dependency("database", database.check());
    tokio::spawn(health.run());
    sleep(SECOND).await;
    assert!(database.asked() <= 1001, "{}", database.asked());
}

#[tokio::test(start_paused = true)]
async fn no_interval_and_no_timeout_is_too_long() {
    let health = Health::new()
        .interval(Duration::MAX)
        .timeout(Duration::MAX)
        .dependency("database", pass);
    tokio::spawn(health.run());
    assert_eq!(overall(&health).await, Serving);
}

#[tokio::test(start_paused = true)]
async fn dependencies_are_checked_side_by_side() {
    let mut health = Health::new();
    for _ in 0..50 {
        health = health.dependency("slow", || async {
            sleep(4 * SECOND).await;
            pass().await
        });
    }
    tokio::spawn(health.run());
    sleep(4 * SECOND).await;
    assert_eq!(overall(&health).await, Serving);
}

/// In real time: a thread that is blocked stops no virtual clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_blocks_its_thread_is_late_and_never_made_twice_at_once() {
    let (at_once, most) = (Arc::default(), Arc::<AtomicUsize>::default());
    let seen = Arc::clone(&most);
    let at_once: Arc<AtomicUsize> = at_once;
    let health = Health::new()
        .interval(Duration::from_millis(1))
        .timeout(Duration::from_millis(10))
        .dependency("blocks", move || {
            let (at_once, most) = (Arc::clone(&at_once), Arc::clone(&seen));
            async move {
                most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(100));
                at_once.fetch_sub(1, Ordering::SeqCst);
                pass().await
            }
        });
    let run = tokio::spawn(health.run());
    for _ in 0..10 {
        assert_eq!(overall(&health).await, NotServing);
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
    health.drain();
    run.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dependency_can_be_added_while_it_runs() {
    let health = running().await;
    assert_eq!(overall(&health).await, Serving);
    let health = health.dependency("late", || async {
        sleep(SECOND).await;
        pass().await
    });
    assert_eq!(overall(&health).await, NotServing);
    sleep(SECOND).await;
    assert_eq!(overall(&health).await, Serving);
}

#[tokio::test(start_paused = true)]
async fn it_runs_until_it_drains_and_leaves_no_check_behind() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let held = Arc::clone(&dropped);
    let health = Health::new().dependency("hangs", move || {
        let held = OnDrop(Arc::clone(&held));
        async move {
            let _held = held;
            std::future::pending::<()>().await;
            pass().await
        }
    });
    let run = tokio::spawn(health.run());
    moment().await;
    health.drain();
    run.await.unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn it_runs_until_nobody_holds_it() {
    let database = Switch::up();
    let health = Health::new().dependency("database", database.check());
    let clone = health.clone();
    let run = tokio::spawn(health.run());
    drop(health);
    sleep(100 * SECOND).await;
    assert!(!run.is_finished());
    drop(clone);
    run.await.unwrap();
    assert_eq!(Arc::strong_count(&database.up), 1, "the check is gone");
}

#[tokio::test(start_paused = true)]
async fn when_its_run_is_dropped_nothing_is_known_any_more() {
    let database = Switch::up();
    let health = Health::new().dependency("database", database.check());
    let run = tokio::spawn(health.run());
    assert_eq!(overall(&health).await, Serving);
    run.abort();
    assert_eq!(overall(&health).await, NotServing);
    let asked = database.asked();
    sleep(100 * SECOND).await;
    assert_eq!(database.asked(), asked);
    tokio::spawn(health.run());
    assert_eq!(overall(&health).await, Serving, "it can run again");
}

#[tokio::test(start_paused = true)]
async fn of_two_runs_one_checks() {
    let database = Switch::up();
    let health = Health::new().dependency("database", database.check());
    let (first, second) = (tokio::spawn(health.run()), tokio::spawn(health.run()));
    sleep(5 * SECOND).await;
    assert_eq!(database.asked(), 1);
    first.abort();
    assert_eq!(overall(&health).await, Serving, "the second takes over");
    assert_eq!(database.asked(), 2);
    health.drain();
    second.await.unwrap();
    health.run().await;
}

struct OnDrop(Arc<AtomicUsize>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
