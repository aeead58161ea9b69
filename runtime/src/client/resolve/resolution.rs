//! [`Resolution`]: asks for the addresses of a target again and again, and tells what changes.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Addresses, EndpointAddress, Host, Named, Resolver};
use crate::client::backoff::Backoff;

/// How often a name that has addresses is asked for: at most, when a connection is lost, and at least,
/// where the resolver doesn't say how long they are good. Without the former the loss of a server is a
/// storm of its clients' questions (gRPC's name resolvers have the same floor).
const INTERVAL: Duration = Duration::from_secs(30);

/// Where the resolver does say it, at least this often.
const MAX_TTL: Duration = Duration::from_secs(3600);

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Each address is a connection, a task and a place in every pick.
const MAX_ADDRESSES: usize = 1000;

/// What is known of the addresses of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing: the first answer isn't there yet.
    Nothing,
    /// No answer had an address so far.
    Failed {
        /// What was wrong with the last one.
        why: Arc<str>,
        /// When it is asked for again.
        until: Instant,
    },
    /// The last good ones: at least one, each once, the resolver's best first, and 1,000 at most. One that
    /// several hosts have is called by the first of them.
    Addresses(Arc<[Named<EndpointAddress>]>),
}

/// The addresses of a target, to those who connect to them. The resolution ends with the last one.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    known: watch::Receiver<Known>,
    again: Arc<Notify>,
}

/// Asks again and again.
pub(crate) struct Resolution {
    hosts: Vec<Tracked>,
    resolver: Arc<dyn Resolver>,
    known: watch::Sender<Known>,
    again: Arc<Notify>,
    lookups: JoinSet<Answer>,
}

struct Tracked {
    host: Named<Host>,
    /// The last good answer.
    good: Vec<EndpointAddress>,
    /// What was wrong with the last one.
    wrong: Option<Arc<str>>,
    /// The pauses between questions while it has no address.
    backoff: Backoff,
    /// It is not asked for before, and at this time at the latest.
    earliest: Instant,
    due: Instant,
}

/// What was said of one of the hosts.
struct Answer {
    index: usize,
    said: io::Result<Addresses>,
}

/// The addresses of `hosts`, and what has to run for them to be known.
pub(crate) fn resolution(
    hosts: Vec<Named<Host>>,
    resolver: Arc<dyn Resolver>,
) -> (Names, Resolution) {
    let (known, receiver) = watch::channel(Known::Nothing);
    let again = Arc::new(Notify::new());
    let names = Names {
        known: receiver,
        again: Arc::clone(&again),
    };
    let mut resolution = Resolution {
        hosts: hosts.into_iter().map(Tracked::new).collect(),
        resolver,
        known,
        again,
        lookups: JoinSet::new(),
    };
    // What needs no question is known at once.
    resolution.announce();
    (names, resolution)
}

impl Names {
    /// What is known, and hears of changes. One that differs in its order alone is none.
    pub(crate) fn known(&self) -> watch::Receiver<Known> {
        self.known.clone()
    }

    /// A connection was lost, or its server says that it goes: addresses may have changed. They are asked
    /// for when the last answer is 30 seconds old.
    pub(crate) fn again(&self) {
        self.again.notify_one();
    }
}

impl Resolution {
    /// Asks, until nobody wants to know.
    pub(crate) async fn run(mut self) {
        let known = self.known.clone();
        tokio::select! {
            () = self.run_for_ever() => {}
            () = known.closed() => {}
        }
    }

    async fn run_for_ever(&mut self) {
        loop {
            let now = Instant::now();
            self.ask(now);
            while let Some(answer) = self.lookups.join_next().await {
                self.take(answer);
                self.announce();
            }
            self.settle(now);
            match self.hosts.iter().filter_map(Tracked::due).min() {
                Some(due) => tokio::select! {
                    () = sleep_until(due) => {}
                    () = self.again.notified() => self.hurry(),
                },
                // No name among them.
                None => std::future::pending().await,
            }
        }
    }

    /// Asks for all that is due.
    fn ask(&mut self, now: Instant) {
        for (index, tracked) in self.hosts.iter().enumerate() {
            let Host::Name { host, port } = &tracked.host.it else {
                continue;
            };
            if tracked.due > now {
                continue;
            }
            let (resolver, host, port) = (Arc::clone(&self.resolver), Arc::clone(host), *port);
            self.lookups.spawn(async move {
                let said = timeout(TIMEOUT, resolver.resolve(&host, port)).await;
                let late =
                    || io::Error::new(io::ErrorKind::TimedOut, "no answer within 20 seconds");
                let said = said.unwrap_or_else(|_| Err(late()));
                Answer { index, said }
            });
        }
    }

    fn take(&mut self, answer: Result<Answer, JoinError>) {
        // One that panicked has told the log, and is settled below.
        let Ok(Answer { index, said }) = answer else {
            return;
        };
        if let Some(tracked) = self.hosts.get_mut(index) {
            tracked.take(said, Instant::now());
        }
    }

    /// Ends a round that began at `asked`: what was due then and still is got no answer.
    fn settle(&mut self, asked: Instant) {
        let hosts = self.hosts.iter_mut();
        for tracked in hosts.filter(|tracked| tracked.due().is_some_and(|due| due <= asked)) {
            tracked.failed("the resolver panicked", Instant::now());
        }
        self.announce();
    }

    /// Has names asked for as soon as they may be.
    fn hurry(&mut self) {
        for tracked in &mut self.hosts {
            tracked.due = tracked.earliest;
        }
    }

    /// Tells what has changed.
    fn announce(&mut self) {
        let found = self.found();
        let news = match found.is_empty() {
            false => Known::Addresses(found.into()),
            // Another name's answer may still come.
            true if !self.lookups.is_empty() => return,
            true => match self.failure() {
                Some(failed) => failed,
                None => return,
            },
        };
        self.known.send_if_modified(|known| {
            let is_new = !known.is_same(&news);
            if is_new {
                *known = news;
            }
            is_new
        });
    }

    fn failure(&self) -> Option<Known> {
        let failed = |tracked: &Tracked| Some((tracked.wrong.clone()?, tracked.due()?));
        let failed = self.hosts.iter().filter_map(failed);
        let (why, until) = failed.min_by_key(|(_, due)| *due)?;
        Some(Known::Failed { why, until })
    }

    /// All last good addresses, each once.
    fn found(&self) -> Vec<Named<EndpointAddress>> {
        let mut seen = HashSet::new();
        let hosts = self.hosts.iter();
        let all = hosts.flat_map(|one| one.good.iter().map(|address| (&one.host, address)));
        all.filter(|(_, address)| seen.insert(*address))
            .take(MAX_ADDRESSES)
            .map(|(host, address)| host.of(address.clone()))
            .collect()
    }
}

impl Tracked {
    fn new(host: Named<Host>) -> Self {
        let now = Instant::now();
        let good = match &host.it {
            Host::Fixed(address) => vec![address.clone()],
            Host::Name { .. } => Vec::new(),
        };
        Self {
            host,
            good,
            wrong: None,
            backoff: Backoff::connecting(),
            earliest: now,
            due: now,
        }
    }

    /// When it is asked for; None where it never is.
    fn due(&self) -> Option<Instant> {
        matches!(self.host.it, Host::Name { .. }).then_some(self.due)
    }

    fn take(&mut self, said: io::Result<Addresses>, now: Instant) {
        let Host::Name { host, .. } = &self.host.it else {
            return;
        };
        let name = Arc::clone(host);
        let why = match said {
            Ok(Addresses { found, ttl }) if !found.is_empty() => {
                if found.len() > MAX_ADDRESSES {
                    let found = found.len();
                    tracing::warn!(%name, found, "too many addresses; the first 1,000 are taken");
                }
                let addresses = found.into_iter().take(MAX_ADDRESSES);
                self.good = addresses.map(EndpointAddress::Ip).collect();
                self.wrong = None;
                self.backoff.reset();
                self.earliest = now + INTERVAL;
                self.due = now + ttl.unwrap_or(INTERVAL).clamp(INTERVAL, MAX_TTL);
                return;
            }
            Ok(_) => "it has no address".to_owned(),
            Err(error) => error.to_string(),
        };
        self.failed(&why, now);
    }

    fn failed(&mut self, why: &str, now: Instant) {
        let Host::Name { host: name, .. } = &self.host.it else {
            return;
        };
        if self.wrong.is_none() {
            let kept = self.good.len();
            tracing::warn!(%name, why, kept, "a name can't be resolved; its addresses are kept");
        }
        let pause = match self.good.is_empty() {
            true => self.backoff.next(),
            false => INTERVAL,
        };
        self.wrong = Some(format!("`{name}` can't be resolved: {why}").into());
        self.earliest = now + pause;
        self.due = self.earliest;
    }
}

impl Known {
    /// Whether it says the same: the order of addresses says nothing.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            // Both have each address once.
            (Self::Addresses(a), Self::Addresses(b)) if a.len() == b.len() => {
                let a: HashSet<_> = a.iter().collect();
                b.iter().all(|address| a.contains(address))
            }
            _ => self == other,
        }
    }
}
