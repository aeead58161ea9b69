//! Which of several endpoints calls go to.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::net::{Answers, Host, Net};
use super::{ChannelOptions, call, channel, settle, unary};
use crate::client::balance::Balance;
use crate::client::channel::{Connecting, IoStream, Secure};
use crate::client::resolve::{Addresses, Resolver, Resolving};
use crate::client::{Attempt, Channel, Target, Transport, Upstream};
use crate::observe::{EndpointChange, Event, Observer};

/// A channel that has met all endpoints of these that can be.
async fn warm(net: &Net, hosts: &str, balance: Balance) -> Channel {
    let options = ChannelOptions {
        balance,
        ..net.options()
    };
    let channel = channel(hosts, options);
    call(&channel).await;
    settle().await;
    channel
}

#[tokio::test(start_paused = true)]
async fn rule_24_one_live_and_one_refused_endpoint_fail_no_call() {
    for (live, dead) in [("a:1", "b:1"), ("b:1", "a:1")] {
        for host in [Host::Refuses, Host::Closes, Host::Hangs, Host::Mute] {
            let net = Net::default();
            net.serve(live, Answers::AtOnce);
            net.put(dead, host);
            let channel = net.channel("a:1,b:1");
            for _ in 0..400 {
                call(&channel).await.by(live);
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rule_24_consecutive_picks_are_distinct() {
    let net = Net::default();
    for host in ["a:1", "b:1", "c:1"] {
        net.serve(host, Answers::AtOnce);
    }
    let channel = warm(&net, "a:1,b:1,c:1", Balance::RoundRobin).await;
    let mut picks = Vec::new();
    for _ in 0..99 {
        picks.push(call(&channel).await.endpoint().to_owned());
    }
    for three in picks.windows(3) {
        assert_eq!(three.iter().collect::<HashSet<_>>().len(), 3, "{three:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_11_another_attempt_goes_to_another_endpoint() {
    let net = Net::default();
    for host in ["a:1", "b:1", "c:1"] {
        net.serve(host, Answers::AtOnce);
    }
    let channel = warm(&net, "a:1,b:1,c:1", Balance::RoundRobin).await;
    for _ in 0..20 {
        let mut attempt = Attempt::first();
        let mut tried = HashSet::new();
        for _ in 0..3 {
            channel.send(unary(), &mut attempt).await.unwrap();
            assert!(tried.insert(attempt.endpoint().unwrap().clone()));
            attempt.next();
        }
        channel.send(unary(), &mut attempt).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn pick_first_connects_to_one_and_moves_on_when_it_is_lost() {
    let net = Net::default();
    let first = net.serve("a:1", Answers::AtOnce);
    net.serve("b:1", Answers::AtOnce);
    let channel = warm(&net, "a:1,b:1", Balance::PickFirst).await;
    sleep(Duration::from_secs(60)).await;
    call(&channel).await.by("a:1");
    assert!(net.dials("b:1").is_empty());

    net.put("a:1", Host::Refuses);
    first.say_goodbye(h2::Reason::NO_ERROR);
    settle().await;
    call(&channel).await.by("b:1");
    let dials = net.dials("a:1").len();
    sleep(Duration::from_secs(600)).await;
    call(&channel).await.by("b:1");
    assert!(net.dials("a:1").len() <= dials + 1, "one is enough");
}

#[tokio::test(start_paused = true)]
async fn pick_first_tries_the_next_one_after_250_ms_and_at_once_after_a_failure() {
    for (host, least) in [(Host::Hangs, 250), (Host::Refuses, 0)] {
        let net = Net::default();
        net.put("a:1", host);
        net.serve("b:1", Answers::AtOnce);
        let options = ChannelOptions {
            balance: Balance::PickFirst,
            ..net.options()
        };
        let started = Instant::now();
        call(&channel("a:1,b:1", options)).await.by("b:1");
        let took = started.elapsed().as_millis();
        assert!((least..least + 10).contains(&took), "{took} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn least_loaded_leaves_alone_who_is_busy() {
    let net = Net::default();
    let busy = net.serve("a:1", Answers::Held);
    net.serve("b:1", Answers::AtOnce);
    let options = ChannelOptions {
        balance: Balance::LeastLoaded,
        ..net.options()
    };
    let channel = channel("a:1,b:1", options);
    channel.ready().await.unwrap();
    settle().await;
    // Until one is held.
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let channel = channel.clone();
            tokio::spawn(async move { call(&channel).await.endpoint().to_owned() })
        })
        .collect();
    settle().await;
    let held = busy.held();
    assert!(held > 0, "both were tried");
    for _ in 0..50 {
        call(&channel).await.by("b:1");
    }
    assert_eq!(busy.held(), held);
    busy.release();
    for call in calls {
        call.await.unwrap();
    }
}

/// The ejections that an observer hears of.
#[derive(Default)]
struct Ejections(Mutex<Vec<String>>);

impl Observer for Ejections {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Endpoint {
            target,
            endpoint,
            change: EndpointChange::Ejected { time },
        } = event
        {
            let told = format!("{target}: {endpoint} is ejected for {time:?}");
            self.0.lock().unwrap().push(told);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rule_22_an_endpoint_that_fails_or_hangs_is_left_out() {
    for answers in [Answers::Unavailable, Answers::Held] {
        let net = Net::default();
        let bad = net.serve("a:1", answers);
        net.serve("b:1", Answers::AtOnce);
        let told = Arc::new(Ejections::default());
        let mut options = net.options();
        options.observers.push(Arc::clone(&told) as _);
        let channel = channel("a:1,b:1", options);
        channel.ready().await.unwrap();
        settle().await;
        let time = Duration::from_millis(100);
        for _ in 0..40 {
            let mut attempt = Attempt::first();
            attempt.set_deadline(Some(Instant::now() + time));
            let _ = tokio::time::timeout(time, channel.send(unary(), &mut attempt)).await;
        }
        assert_eq!(bad.calls(), 5);
        assert_eq!(*told.0.lock().unwrap(), ["a:1,b:1: a:1 is ejected for 30s"]);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_22_an_endpoint_that_answers_without_a_status_is_left_out() {
    for answers in [
        Answers::Bare(502, "application/grpc"),
        Answers::Bare(503, "text/html"),
        Answers::Bare(200, "text/html"),
        Answers::Bare(200, "application/grpc"),
    ] {
        for balance in [Balance::RoundRobin, Balance::LeastLoaded] {
            let net = Net::default();
            let bad = net.serve("a:1", answers);
            net.serve("b:1", Answers::After(Duration::from_millis(5)));
            let channel = warm(&net, "a:1,b:1", balance).await;
            for _ in 0..40 {
                call(&channel).await;
            }
            assert!((1..=5).contains(&bad.calls()), "{} of 40", bad.calls());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rule_22_what_has_no_place_elsewhere_does_not_go_to_who_is_left_out() {
    let net = Net::default();
    let full = net.serve_at_once("a:1", Answers::Held, Some(1));
    let bad = net.serve("b:1", Answers::Unavailable);
    net.serve("c:1", Answers::AtOnce);
    let options = ChannelOptions {
        max_connections: 1,
        ..net.options()
    };
    // The one that is left out comes after the one that is full.
    let channel = channel("a:1,b:1,c:1", options);
    channel.ready().await.unwrap();
    settle().await;
    let held = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel).await }
    });
    settle().await;
    assert_eq!(full.held(), 1);
    for _ in 0..60 {
        call(&channel).await;
    }
    assert_eq!(bad.calls(), 5);
    let mut attempt = Attempt::first();
    attempt.set_endpoint(&"c:1".into());
    attempt.next();
    channel.send(unary(), &mut attempt).await.unwrap();
    assert_eq!(**attempt.endpoint().unwrap(), *"b:1", "there is no other");
    held.abort();
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_whose_calls_are_given_up_early_stays() {
    let net = Net::default();
    let held = net.serve("a:1", Answers::Held);
    net.serve("b:1", Answers::AtOnce);
    let channel = net.channel("a:1,b:1");
    channel.ready().await.unwrap();
    settle().await;
    for _ in 0..40 {
        let mut attempt = Attempt::first();
        let hour = Duration::from_secs(3600);
        attempt.set_deadline(Some(Instant::now() + hour));
        let send = channel.send(unary(), &mut attempt);
        let _ = tokio::time::timeout(Duration::from_millis(100), send).await;
    }
    assert_eq!(held.calls(), 20);
}

/// What an observer hears of the health of endpoints.
#[derive(Default)]
struct Ailments(Mutex<Vec<String>>);

impl Observer for Ailments {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Endpoint {
            endpoint,
            change: EndpointChange::Unhealthy { cause },
            ..
        } = event
        {
            self.0.lock().unwrap().push(format!("{endpoint}: {cause}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_say_how_it_is_fails_calls_and_is_told_of() {
    let net = Net::default();
    let silent = net.serve("a:1", Answers::Held);
    let told = Arc::new(Ailments::default());
    let mut options = ChannelOptions {
        health_check: Some("shop.Items".to_owned()),
        connect_timeout: Duration::from_secs(5),
        ..net.options()
    };
    options.observers.push(Arc::clone(&told) as _);
    let channel = channel("a:1", options);
    let started = Instant::now();
    let failed = call(&channel).await;
    assert_eq!(started.elapsed().as_secs(), 5);
    let error = failed.error().to_string();
    let cause = "a:1: it doesn't answer when it is asked for its health";
    assert!(error.contains(cause), "{error}");
    // It is asked again, and calls don't wait for that.
    sleep(Duration::from_secs(60)).await;
    let (started, asked) = (Instant::now(), silent.calls());
    assert!(asked > 2, "asked {asked} times");
    assert!(call(&channel).await.error().to_string().contains(cause));
    assert_eq!((started.elapsed(), silent.calls()), (Duration::ZERO, asked));
    assert_eq!(*told.0.lock().unwrap(), [cause]);
}

/// Answers what it is told to.
#[derive(Clone, Default)]
pub(super) struct Told {
    addresses: Arc<Mutex<Vec<SocketAddr>>>,
    ttl: Duration,
}

impl Told {
    pub(super) fn tell(&self, addresses: &[&str]) {
        let addresses = addresses.iter().map(|text| text.parse().unwrap());
        *self.addresses.lock().unwrap() = addresses.collect();
    }
}

impl Resolver for Told {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(async {
            match self.addresses.lock().unwrap().clone() {
                none if none.is_empty() => Err(io::Error::other("nothing known")),
                addresses => Ok(Addresses::new(addresses).ttl(self.ttl)),
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn rule_26_calls_go_where_the_name_leads_now() {
    let net = Net::default();
    let old = net.serve("10.0.0.1:1", Answers::AtOnce);
    let new = net.serve("10.0.0.2:1", Answers::AtOnce);
    let told = Told::default();
    told.tell(&["10.0.0.1:1"]);
    let options = ChannelOptions {
        resolver: Some(Arc::new(told.clone())),
        ..net.options()
    };
    let channel = channel("items:1", options);
    call(&channel).await.by("10.0.0.1:1");

    told.tell(&["10.0.0.2:1"]);
    sleep(Duration::from_secs(31)).await;
    call(&channel).await.by("10.0.0.2:1");
    assert_eq!((old.connections(), new.connections()), (0, 1));

    told.tell(&[]);
    sleep(Duration::from_secs(120)).await;
    call(&channel).await.by("10.0.0.2:1");
    assert_eq!(
        net.dials("10.0.0.2:1").len(),
        1,
        "the same answer changes nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn rule_26_a_lost_connection_has_the_name_asked_for() {
    let net = Net::default();
    let old = net.serve("10.0.0.1:1", Answers::AtOnce);
    net.serve("10.0.0.2:1", Answers::AtOnce);
    let told = Told {
        ttl: Duration::from_secs(3600),
        ..Told::default()
    };
    told.tell(&["10.0.0.1:1"]);
    let options = ChannelOptions {
        resolver: Some(Arc::new(told.clone())),
        ..net.options()
    };
    let channel = channel("items:1", options);
    call(&channel).await.by("10.0.0.1:1");

    told.tell(&["10.0.0.2:1"]);
    sleep(Duration::from_secs(300)).await;
    call(&channel).await.by("10.0.0.1:1");
    old.say_goodbye(h2::Reason::NO_ERROR);
    settle().await;
    call(&channel).await.by("10.0.0.2:1");
}

/// Makes no TLS, and hears whose it should be.
#[derive(Default)]
struct Names(Mutex<HashSet<String>>);

impl Secure for Names {
    fn handshake<'a>(&'a self, name: &'a str, stream: Box<dyn IoStream>) -> Connecting<'a> {
        self.0.lock().unwrap().insert(name.to_owned());
        Box::pin(async { Ok(stream) })
    }
}

#[tokio::test(start_paused = true)]
async fn rule_11_each_server_of_a_list_is_called_by_its_own_name() {
    let net = Net::default();
    let hosts = ["10.0.0.1:1", "[fd00::2]:2", "c:3"];
    let servers = hosts.map(|host| net.serve(host, Answers::AtOnce));
    let names = Arc::new(Names::default());
    let options = ChannelOptions {
        tls: Some(Arc::clone(&names) as _),
        ..net.options()
    };
    let target = Target::new("https://10.0.0.1:1,[fd00::2]:2,c:3");
    let channel = Channel::open(target, options, |_, _| Upstream::default()).unwrap();
    call(&channel).await;
    settle().await;
    for _ in 0..6 {
        call(&channel).await;
    }
    for (host, server) in hosts.iter().zip(servers) {
        assert_eq!(server.authorities(), [*host]);
    }
    let expected = ["10.0.0.1", "fd00::2", "c"].map(str::to_owned);
    assert_eq!(*names.0.lock().unwrap(), HashSet::from(expected));
}

#[tokio::test(start_paused = true)]
async fn rule_26_the_backoff_of_an_endpoint_outlives_answers_of_the_resolver() {
    let net = Net::default();
    let told = Told::default();
    told.tell(&["10.0.0.1:1"]);
    let options = ChannelOptions {
        resolver: Some(Arc::new(told.clone())),
        ..net.options()
    };
    let channel = channel("items:1", options);
    for _ in 0..600 {
        call(&channel).await.result.unwrap_err();
        sleep(Duration::from_secs(1)).await;
    }
    let dials = net.dials("10.0.0.1:1").len();
    assert!((10..=17).contains(&dials), "{dials} dials in ten minutes");
}

/// An observer with an end of its own for the channel.
#[derive(Default)]
struct Drops {
    channel: Mutex<Option<Channel>>,
    was_dropped: AtomicBool,
}

impl Observer for Drops {
    fn observe(&self, event: &Event<'_>) {
        let Event::Endpoint {
            change: EndpointChange::Returned,
            ..
        } = event
        else {
            return;
        };
        let Some(channel) = self.channel.lock().unwrap().take() else {
            return;
        };
        // On a thread of its own, so that the test ends if it waits for ever.
        let (done, is_done) = std::sync::mpsc::channel();
        let runtime = tokio::runtime::Handle::current();
        std::thread::spawn(move || {
            let _runtime = runtime.enter();
            drop(channel);
            let _ = done.send(());
        });
        let dropped = is_done.recv_timeout(Duration::from_secs(2)).is_ok();
        self.was_dropped.store(dropped, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_may_drop_the_channel() {
    let net = Net::default();
    net.serve("10.0.0.1:1", Answers::Unavailable);
    net.serve("10.0.0.2:1", Answers::AtOnce);
    let told = Told::default();
    told.tell(&["10.0.0.1:1", "10.0.0.2:1"]);
    let drops = Arc::new(Drops::default());
    let mut options = net.options();
    options.resolver = Some(Arc::new(told.clone()));
    options.observers.push(Arc::clone(&drops) as _);
    let channel = channel("items:1", options);
    call(&channel).await;
    settle().await;
    for _ in 0..20 {
        call(&channel).await;
    }
    // Alone it can't be left out any longer.
    told.tell(&["10.0.0.1:1"]);
    *drops.channel.lock().unwrap() = Some(channel);
    sleep(Duration::from_secs(31)).await;
    assert!(drops.was_dropped.load(Ordering::SeqCst));
}
