//! [`Cluster`]: all endpoints of a target, and which of them a call goes to ([`waiting`]).

mod waiting;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::uri::Authority;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::endpoint::{Address, Endpoint};
use super::options::ChannelOptions;
use super::queue::Queue;
use crate::client::EndpointState;
use crate::client::balance::{Balance, Change, Ejector, Notice, Picker};
use crate::client::health::HealthWatch;
use crate::client::resolve::{Dns, Host, Known, Named, Names, Resolver, resolution};
use crate::client::runtime::{self, Missing};
use crate::client::target::Resolved;
use crate::client::transport::next_event;
use crate::observe::{EndpointChange, Event};

/// How long one endpoint is given before the next is tried too, where one is enough (gRFC A61).
const STAGGER: Duration = Duration::from_millis(250);

/// All endpoints of a target.
pub(super) struct Cluster {
    /// As its user wrote it.
    name: String,
    pub(super) target: Resolved,
    pub(super) options: ChannelOptions,
    pub(super) queue: Arc<Queue>,
    picker: Picker,
    ejector: Arc<Ejector>,
    /// Those with a connection: all that a call looks at when all is well.
    ready: ArcSwap<Vec<Arc<Endpoint>>>,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    endpoints: Vec<Arc<Endpoint>>,
    /// Why there is no endpoint.
    unresolved: Option<Unready>,
    /// Since when none is ready.
    unready_since: Instant,
    /// Asks for the addresses, where there are names among them.
    names: Option<Names>,
    tasks: Vec<AbortHandle>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Started,
    Closed,
}

/// When an endpoint may be connected to.
#[derive(Debug)]
pub(super) enum Turn {
    At(Instant),
    /// When the one that is ready no longer is.
    Other,
    Never,
}

/// Why no endpoint is ready, and won't be soon.
#[derive(Clone, Debug)]
pub(super) struct Unready {
    event: u64,
    what: String,
    next: Instant,
}

impl Cluster {
    pub(super) fn new(name: String, target: Resolved, options: ChannelOptions) -> Self {
        let ejector = Arc::new(ejector(&name, &options));
        Self {
            name,
            target,
            queue: Arc::new(Queue::new(options.max_waiting)),
            picker: Picker::new(options.balance),
            ejector,
            options,
            ready: ArcSwap::default(),
            state: Mutex::new(State {
                phase: Phase::Idle,
                endpoints: Vec::new(),
                unresolved: None,
                unready_since: Instant::now(),
                names: None,
                tasks: Vec::new(),
            }),
        }
    }

    /// When `endpoint` may be connected to, if not before `earliest`.
    pub(super) fn turn(&self, endpoint: &Endpoint, earliest: Instant) -> Turn {
        if self.options.balance != Balance::PickFirst || endpoint.has_connection() {
            return Turn::At(earliest);
        }
        if !self.ready.load().is_empty() {
            return Turn::Other;
        }
        let state = self.state();
        let before = state
            .endpoints
            .iter()
            .take_while(|other| other.address != endpoint.address);
        let (mut position, mut all_fail) = (0, true);
        for other in before {
            position += 1;
            all_fail &= other.is_failing();
        }
        match all_fail {
            true => Turn::At(earliest),
            false => Turn::At(earliest.max(state.unready_since + STAGGER * position)),
        }
    }

    /// Says which endpoints are ready, to all who wait.
    pub(super) fn refresh(&self) {
        let mut state = self.state();
        self.publish(&mut state);
    }

    fn publish(&self, state: &mut State) {
        let ready = state.endpoints.iter().filter(|one| one.is_ready());
        let ready: Vec<_> = ready.cloned().collect();
        if ready.is_empty() && !self.ready.load().is_empty() {
            state.unready_since = Instant::now();
        }
        self.ready.store(Arc::new(ready));
        self.queue.changed();
    }

    /// What asks the server of this name for its health, where servers are asked.
    pub(super) fn health(&self, authority: &Authority) -> Option<HealthWatch> {
        let service = self.options.health_check.as_ref()?;
        let (scheme, patience) = (self.target.scheme(), self.options.connect_timeout);
        HealthWatch::new(scheme, authority.clone(), service, patience)
    }

    /// Something has happened to an endpoint.
    pub(super) fn tell(&self, endpoint: &Endpoint, change: EndpointChange<'_>) {
        self.options.observers.observe(&Event::Endpoint {
            target: &self.name,
            endpoint: endpoint.identity.name(),
            change,
        });
    }

    /// An endpoint can't be connected to, or a connection was lost: addresses may have changed.
    pub(super) fn lost(&self) {
        if let Some(names) = &self.state().names {
            names.again();
        }
    }

    /// Resolves and connects from now on.
    fn start(self: &Arc<Self>) -> Result<(), Missing> {
        let mut state = self.state();
        match state.phase {
            Phase::Idle => {}
            Phase::Closed => return Ok(()),
            // The runtime that it was started on may be gone, as that of a test which shares a client
            // with others: then there is nobody left to connect.
            Phase::Started => match state.tasks.first() {
                Some(task) if task.is_finished() => state.stop(),
                _ => return Ok(()),
            },
        }
        runtime::check()?;
        state.phase = Phase::Started;
        state.unready_since = Instant::now();
        let ejector = Arc::clone(&self.ejector);
        let ejecting = tokio::spawn(async move { ejector.run().await });
        state.tasks.push(ejecting.abort_handle());
        let hosts = &self.target.hosts;
        let resolver = match (&self.options.resolver, &self.options.connector) {
            (Some(resolver), _) => Arc::clone(resolver),
            (None, None) => Arc::new(Dns) as Arc<dyn Resolver>,
            (None, Some(_)) => {
                let addresses = hosts
                    .iter()
                    .map(|host| host.of(Address::from(&host.it)))
                    .collect();
                let back = self.put(&mut state, addresses);
                drop(state);
                self.ejector.tell(&back);
                return Ok(());
            }
        };
        let (names, resolution) = resolution(hosts.clone(), resolver);
        let mut known = names.known();
        if hosts.iter().all(|host| matches!(host.it, Host::Fixed(_))) {
            let known = known.borrow().clone();
            let back = self.take(&mut state, &known);
            drop(state);
            self.ejector.tell(&back);
            return Ok(());
        }
        state.names = Some(names);
        let cluster = Arc::clone(self);
        let follow = async move {
            loop {
                let news = known.borrow_and_update().clone();
                let back = cluster.take(&mut cluster.state(), &news);
                cluster.ejector.tell(&back);
                if known.changed().await.is_err() {
                    return;
                }
            }
        };
        let resolving = tokio::spawn(async { tokio::join!(resolution.run(), follow) });
        state.tasks.push(resolving.abort_handle());
        Ok(())
    }

    /// Takes up what is known of the addresses. The notices are for when the state is let go.
    fn take(self: &Arc<Self>, state: &mut State, known: &Known) -> Vec<Notice> {
        match known {
            Known::Nothing => Vec::new(),
            Known::Failed { why, until } => {
                state.unresolved = Some(Unready::new(why.to_string(), *until));
                self.queue.changed();
                Vec::new()
            }
            Known::Addresses(addresses) => {
                state.unresolved = None;
                let addresses = addresses.iter();
                let addresses = addresses.map(|one| one.of(Address::Known(one.it.clone())));
                let addresses = addresses.collect();
                self.put(state, addresses)
            }
        }
    }

    /// Connects to these addresses, and to no others. The notices are for when the state is let go.
    fn put(self: &Arc<Self>, state: &mut State, addresses: Vec<Named<Address>>) -> Vec<Notice> {
        if state.phase != Phase::Started {
            return Vec::new();
        }
        let mut before = std::mem::take(&mut state.endpoints);
        for address in addresses {
            if state.endpoints.iter().any(|known| known.address == address) {
                continue;
            }
            let known = before.iter().position(|known| known.address == address);
            let endpoint = known.map_or_else(
                || Arc::new(Endpoint::new(address, self.options.balance, &self.ejector)),
                |known| before.swap_remove(known),
            );
            state.endpoints.push(endpoint);
        }
        for gone in before {
            gone.stop();
        }
        let members = state.endpoints.iter();
        let members = members.map(|endpoint| Arc::clone(&endpoint.identity.candidate));
        let back = self.ejector.set_members(members.collect());
        for endpoint in &state.endpoints {
            endpoint.start(self);
        }
        self.publish(state);
        back
    }

    /// The endpoints that there are now.
    pub(super) fn endpoints(&self) -> Vec<EndpointState> {
        let endpoints = self.state().endpoints.clone();
        endpoints.iter().map(|one| one.seen()).collect()
    }

    /// Ends all that runs. Connections close when their last calls have ended.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.phase = Phase::Closed;
        state.stop();
        self.publish(&mut state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ejector(target: &str, options: &ChannelOptions) -> Ejector {
    let (target, observers) = (target.to_owned(), options.observers.clone());
    Ejector::new(options.ejection, move |notice| {
        let (endpoint, change) = (&*notice.endpoint, notice.change);
        tracing::info!(target, endpoint, ?change, "ejection of an endpoint");
        observers.observe(&Event::Endpoint {
            target: &target,
            endpoint,
            change: match change {
                Change::Ejected { time, .. } => EndpointChange::Ejected { time },
                Change::Returned => EndpointChange::Returned,
            },
        });
    })
}

impl State {
    /// Ends all that runs.
    fn stop(&mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
        }
        for endpoint in std::mem::take(&mut self.endpoints) {
            endpoint.stop();
        }
    }
}

impl Unready {
    fn new(what: String, next: Instant) -> Self {
        Self {
            event: next_event(),
            what,
            next,
        }
    }
}

impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let wait = self.next.saturating_duration_since(Instant::now());
        match wait.is_zero() {
            true => Ok(()),
            false => write!(f, "; the next try is in {:.1} s", wait.as_secs_f64()),
        }
    }
}
