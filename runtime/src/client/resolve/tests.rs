//! Names in virtual time: a resolver whose answers are a script, and when it was asked.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::*;

/// Answers with what it is set to.
struct Scripted {
    answer: Mutex<Answer>,
    asked: Mutex<Vec<Duration>>,
    born: Instant,
}

#[derive(Clone)]
enum Answer {
    Found(Addresses),
    Fails,
    Hangs,
    Panics,
}

impl Resolver for Scripted {
    fn resolve<'a>(&'a self, host: &'a str, _port: u16) -> Resolving<'a> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(self.born.elapsed());
            let answer = self.answer.lock().unwrap().clone();
            match answer {
                Answer::Found(found) => Ok(found),
                Answer::Fails => Err(io::Error::other(format!("no {host} today"))),
                Answer::Hangs => std::future::pending().await,
                Answer::Panics => panic!("as the script says"),
            }
        })
    }
}

struct Fixture {
    resolver: Arc<Scripted>,
    names: Names,
    known: watch::Receiver<Known>,
}

fn found(last: impl IntoIterator<Item = u8>) -> Answer {
    let found = last.into_iter();
    Answer::Found(Addresses::new(found.map(ip).collect::<Vec<_>>()))
}

/// By the name that all have here.
fn named<T>(it: T) -> Named<T> {
    let authority = Authority::from_static("items:50051");
    Named { it, authority }
}

fn ip(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 50051))
}

impl Fixture {
    fn new(answer: Answer) -> Self {
        Self::of(vec![Host::new("items", 50051)], answer)
    }

    fn of(hosts: Vec<Host>, answer: Answer) -> Self {
        Self::named(hosts.into_iter().map(named).collect(), answer)
    }

    fn named(hosts: Vec<Named<Host>>, answer: Answer) -> Self {
        let resolver = Arc::new(Scripted {
            answer: Mutex::new(answer),
            asked: Mutex::default(),
            born: Instant::now(),
        });
        let (names, resolution) = resolution(hosts, Arc::clone(&resolver) as Arc<dyn Resolver>);
        tokio::spawn(resolution.run());
        Self {
            resolver,
            known: names.known(),
            names,
        }
    }

    fn set(&self, answer: Answer) {
        *self.resolver.answer.lock().unwrap() = answer;
    }

    /// When it was asked, in whole seconds.
    fn asked(&self) -> Vec<u64> {
        let asked = self.resolver.asked.lock().unwrap();
        asked.iter().map(Duration::as_secs).collect()
    }

    /// What is said next, within an hour.
    async fn next(&mut self) -> Known {
        let changed = timeout(Duration::from_secs(3600), self.known.changed()).await;
        changed.expect("nothing was said").unwrap();
        self.known.borrow_and_update().clone()
    }

    /// Nothing is said for as long.
    async fn silent(&mut self, seconds: u64) {
        let changed = timeout(Duration::from_secs(seconds), self.known.changed()).await;
        assert!(changed.is_err(), "{:?}", self.known.borrow());
    }
}

fn addresses(last: impl IntoIterator<Item = u8>) -> Known {
    let all: Vec<_> = last
        .into_iter()
        .map(|last| named(EndpointAddress::Ip(ip(last))))
        .collect();
    Known::Addresses(all.into())
}

#[tokio::test(start_paused = true)]
async fn rule_26_a_name_is_asked_for_every_30_seconds() {
    let mut names = Fixture::new(found([1, 2]));
    assert_eq!(names.next().await, addresses([1, 2]));
    names.silent(100).await;
    assert_eq!(names.asked(), [0, 30, 60, 90]);
}

#[tokio::test(start_paused = true)]
async fn rule_26_whatever_is_lost_a_name_is_asked_for_no_more_often() {
    let mut names = Fixture::new(found([1]));
    names.next().await;
    // A connection is lost, ten times a second.
    for _ in 0..950 {
        names.names.again();
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(names.asked(), [0, 30, 60, 90]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_shortens_a_ttl() {
    let hour = Addresses::new([ip(1)]).ttl(Duration::MAX);
    let mut names = Fixture::new(Answer::Found(hour));
    names.next().await;
    names.silent(100).await;
    assert_eq!(names.asked(), [0]);
    names.names.again();
    sleep(Duration::from_secs(10)).await;
    names.names.again();
    sleep(Duration::from_secs(3000)).await;
    assert_eq!(names.asked(), [0, 100, 130]);
    sleep(Duration::from_secs(1000)).await;
    assert_eq!(names.asked(), [0, 100, 130, 3730]);
}

#[tokio::test(start_paused = true)]
async fn a_ttl_below_the_floor_counts_as_the_floor() {
    let soon = Addresses::new([ip(1)]).ttl(Duration::ZERO);
    let mut names = Fixture::new(Answer::Found(soon));
    names.next().await;
    names.silent(65).await;
    assert_eq!(names.asked(), [0, 30, 60]);
}

#[tokio::test(start_paused = true)]
async fn rule_26_failed_and_empty_answers_keep_the_last_good_addresses() {
    let mut names = Fixture::new(found([1, 2]));
    names.next().await;
    for bad in [Answer::Fails, found([]), Answer::Hangs, Answer::Panics] {
        names.set(bad);
        names.silent(120).await;
    }
    assert_eq!(*names.known.borrow(), addresses([1, 2]));
    names.set(found([2, 3]));
    assert_eq!(names.next().await, addresses([2, 3]));
    let asked = names.asked();
    let pauses = asked.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(pauses.clone().all(|pause| pause >= 30), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn rule_26_the_order_of_answers_is_no_change() {
    let mut names = Fixture::new(found([1, 2, 3]));
    names.next().await;
    names.set(found([3, 1, 2]));
    names.silent(40).await;
    names.set(found([2, 2, 1, 3, 3]));
    names.silent(40).await;
    assert_eq!(*names.known.borrow(), addresses([1, 2, 3]));
    names.set(found([3, 1]));
    assert_eq!(names.next().await, addresses([3, 1]));
}

#[tokio::test(start_paused = true)]
async fn names_that_flap_are_followed_at_the_floor() {
    let mut names = Fixture::new(found([1]));
    names.next().await;
    for round in 0..6 {
        let last = 1 + (round + 1) % 2;
        names.set(found([last]));
        assert_eq!(names.next().await, addresses([last]));
    }
    assert_eq!(names.asked(), [0, 30, 60, 90, 120, 150, 180]);
}

#[tokio::test(start_paused = true)]
async fn a_name_without_any_address_yet_is_asked_for_with_growing_pauses() {
    let mut names = Fixture::new(Answer::Fails);
    let Known::Failed { why, until } = names.next().await else {
        panic!("it has an address");
    };
    assert_eq!(&*why, "`items` can't be resolved: no items today");
    let pause = until - Instant::now();
    assert!((0.8..=1.2).contains(&pause.as_secs_f64()), "{pause:?}");
    // However many connections are wanted.
    for _ in 0..10_000 {
        names.names.again();
        sleep(Duration::from_millis(100)).await;
    }
    let asked = names.resolver.asked.lock().unwrap().clone();
    for (index, pair) in asked.windows(2).enumerate() {
        let pause = (pair[1] - pair[0]).as_secs_f64();
        let middle = 1.6_f64.powi(i32::try_from(index).unwrap()).min(120.0);
        // A timer has whole milliseconds.
        let range = middle * 0.8..=middle * 1.2 + 0.002;
        assert!(range.contains(&pause), "pause {index} is {pause}");
    }
    assert!((14..=22).contains(&asked.len()), "{}", asked.len());
    names.set(found([]));
    sleep(Duration::from_secs(150)).await;
    let Known::Failed { why, .. } = names.known.borrow_and_update().clone() else {
        panic!("it has an address");
    };
    assert_eq!(&*why, "`items` can't be resolved: it has no address");
    names.set(found([1]));
    assert_eq!(names.next().await, addresses([1]));
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_hangs_or_panics_has_failed() {
    for (answer, says) in [
        (Answer::Hangs, "no answer within 20 seconds"),
        (Answer::Panics, "the resolver panicked"),
    ] {
        let mut names = Fixture::new(answer);
        let Known::Failed { why, .. } = names.next().await else {
            panic!("it has an address");
        };
        assert!(why.ends_with(says), "{why}");
        names.set(found([1]));
        assert_eq!(names.next().await, addresses([1]));
    }
}

#[tokio::test(start_paused = true)]
async fn of_more_than_a_thousand_addresses_the_first_are_taken() {
    for count in [1000_u16, 1001, 1025, 60_000] {
        let all = (0..count).map(|port| SocketAddr::from(([10, 0, 0, 1], port)));
        let answer = Answer::Found(Addresses::new(all.collect::<Vec<_>>()));
        let mut names = Fixture::new(answer);
        let Known::Addresses(known) = names.next().await else {
            panic!("it has no address");
        };
        assert_eq!(known.len(), 1000, "of {count}");
        let last = SocketAddr::from(([10, 0, 0, 1], 999));
        assert_eq!(known.last(), Some(&named(EndpointAddress::Ip(last))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_is_known_at_once_and_nobody_is_asked() {
    let hosts = vec![
        Host::new("10.0.0.1", 50051),
        Host::new("::1", 50051),
        Host::Fixed(EndpointAddress::Unix(PathBuf::from("/run/items.sock"))),
        Host::new("10.0.0.1", 50051),
    ];
    let mut names = Fixture::of(hosts, Answer::Fails);
    let Known::Addresses(known) = names.known.borrow_and_update().clone() else {
        panic!("it has no address");
    };
    let shown: Vec<_> = known.iter().map(|one| one.it.to_string()).collect();
    assert_eq!(
        shown,
        ["10.0.0.1:50051", "[::1]:50051", "unix:/run/items.sock"]
    );
    names.names.again();
    names.silent(1000).await;
    assert_eq!(names.asked(), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_hangs_does_not_keep_the_addresses_beside_it() {
    let hosts = vec![Host::new("items", 50051), Host::new("10.0.0.9", 50051)];
    let mut names = Fixture::of(hosts, Answer::Hangs);
    assert_eq!(*names.known.borrow_and_update(), addresses([9]));
    names.set(found([1]));
    // The list's own place comes after the name's.
    assert_eq!(names.next().await, addresses([1, 9]));
}

#[tokio::test(start_paused = true)]
async fn addresses_are_called_by_their_host_and_that_of_several_by_the_first() {
    let host = |name: &'static str, port| Named {
        it: Host::new(name, port),
        authority: Authority::from_static(name),
    };
    let hosts = vec![host("a", 1), host("b", 2), host("10.0.0.9", 50051)];
    let mut names = Fixture::named(hosts, found([1, 9]));
    let mut called = Vec::new();
    while called.len() < 2 {
        let Known::Addresses(known) = names.next().await else {
            panic!("it has no address");
        };
        let known = known.iter();
        called = known
            .map(|one| (one.it.to_string(), one.server_name().to_owned()))
            .collect();
    }
    let expected = [("10.0.0.1:50051", "a"), ("10.0.0.9:50051", "a")];
    assert_eq!(
        called,
        expected.map(|(at, by)| (at.to_owned(), by.to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_resolution_ends_with_the_last_who_wants_to_know() {
    let names = Fixture::new(found([1]));
    let Fixture {
        resolver,
        names,
        known,
    } = names;
    sleep(Duration::from_secs(40)).await;
    let other = names.clone();
    drop((names, known));
    sleep(Duration::from_secs(40)).await;
    drop(other);
    sleep(Duration::from_secs(100)).await;
    assert_eq!(resolver.asked.lock().unwrap().len(), 3);
    assert_eq!(Arc::strong_count(&resolver), 1, "it still runs");
}

#[tokio::test]
async fn the_system_knows_localhost() {
    let (names, resolution) = resolution(vec![named(Host::new("localhost", 1))], Arc::new(Dns));
    tokio::spawn(resolution.run());
    let mut known = names.known();
    timeout(Duration::from_secs(20), known.changed())
        .await
        .unwrap()
        .unwrap();
    let Known::Addresses(found) = known.borrow().clone() else {
        panic!("it has no address");
    };
    let is_own = |one: &Named<_>| matches!(one.it, EndpointAddress::Ip(address) if address.ip().is_loopback() && address.port() == 1);
    assert!(found.iter().all(is_own), "{found:?}");
}
