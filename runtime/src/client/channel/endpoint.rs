//! [`Endpoint`]: one address of a target, and its connections.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use http::uri::Authority;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::cluster::{Cluster, Turn};
use super::connection::{Connection, Place};
use super::dial::dial;
use super::keepalive::Keepalive;
use super::options::ChannelOptions;
use super::redial::Redial;
use crate::Code;
use crate::client::EndpointState;
use crate::client::balance::{Balance, Candidate, Ejector, Ending, Started};
use crate::client::resolve::{EndpointAddress, Host, Named};
use crate::client::transport::next_event;
use crate::observe::EndpointChange;

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Address {
    Known(EndpointAddress),
    /// A connector's to find.
    Name(String),
}

/// What the calls on an endpoint know of it, and tell.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) candidate: Arc<Candidate>,
    /// Whom they say they go to.
    pub(super) authority: Authority,
    ejector: Arc<Ejector>,
}

/// One address of a target. A task of its own keeps its connections up.
pub(super) struct Endpoint {
    pub(super) identity: Arc<Identity>,
    pub(super) address: Named<Address>,
    /// Those that take calls, the oldest first.
    connections: ArcSwap<Vec<Arc<Connection>>>,
    status: Mutex<Status>,
    /// Tells its task that there is something to look at.
    pub(super) news: Arc<Notify>,
    /// A call found no place on any of the connections.
    is_crowded: AtomicBool,
    /// How often its server said that we ask too often whether it is there.
    calmed: AtomicU32,
    task: Mutex<Option<AbortHandle>>,
}

/// How an endpoint is.
#[derive(Clone, Debug)]
pub(super) enum Status {
    /// It is being connected to, or will be.
    Connecting,
    /// It has a connection.
    Ready,
    /// It couldn't be connected to, and calls needn't wait for the next try.
    Failing(Arc<Trouble>),
}

/// Why an endpoint couldn't be connected to.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) event: u64,
    pub(super) cause: String,
    pub(super) next: Instant,
}

/// A connection that is being made.
type Dial = Pin<Box<dyn Future<Output = io::Result<Connection>> + Send>>;

impl Identity {
    /// As in `Attempt::endpoint`: `10.0.0.7:50051`.
    pub(super) fn name(&self) -> &Arc<str> {
        self.candidate.name()
    }

    /// A call is over: with this status, or none where its caller gave it up.
    pub(super) fn finished(&self, started: Started, code: Option<Code>) {
        let ending = Ending::of(code);
        self.candidate.finished(started, ending);
        self.ejector.finished(&self.candidate, ending);
    }
}

impl Endpoint {
    pub(super) fn new(address: Named<Address>, balance: Balance, ejector: &Arc<Ejector>) -> Self {
        let name = match &address.it {
            Address::Known(address) => address.to_string(),
            Address::Name(name) => name.clone(),
        };
        Self {
            identity: Arc::new(Identity {
                candidate: Arc::new(Candidate::new(name.into(), balance)),
                authority: address.authority.clone(),
                ejector: Arc::clone(ejector),
            }),
            address,
            connections: ArcSwap::default(),
            status: Mutex::new(Status::Connecting),
            news: Arc::new(Notify::new()),
            is_crowded: AtomicBool::new(false),
            calmed: AtomicU32::new(0),
            task: Mutex::new(None),
        }
    }

    /// What choosing goes by.
    pub(super) fn candidate(&self) -> &Candidate {
        &self.identity.candidate
    }

    /// A place for a call on one of its connections, if there is one.
    pub(super) fn place(&self) -> Option<Place> {
        self.connections.load().iter().find_map(Connection::place)
    }

    /// Calls have no place on its connections; another one may help.
    pub(super) fn set_crowded(&self) {
        if !self.is_crowded.swap(true, Ordering::Relaxed) {
            self.news.notify_one();
        }
    }

    pub(super) fn has_connection(&self) -> bool {
        !self.connections.load().is_empty()
    }

    /// Whether one of them takes calls, places permitting.
    pub(super) fn is_ready(&self) -> bool {
        let connections = self.connections.load();
        connections.iter().any(|one| one.line.is_well())
    }

    /// What it looks like from outside.
    pub(super) fn seen(&self) -> EndpointState {
        EndpointState {
            name: Arc::clone(self.identity.name()),
            connections: self.connections.load().len(),
            is_ejected: self.candidate().is_ejected(),
        }
    }

    pub(super) fn status(&self) -> Status {
        self.status_mut().clone()
    }

    pub(super) fn is_failing(&self) -> bool {
        matches!(*self.status_mut(), Status::Failing(_))
    }

    fn status_mut(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its keepalive: half as often for each time that its server found it too often (gRFC A8).
    pub(super) fn keepalive(&self, options: &ChannelOptions) -> Option<Keepalive> {
        let calmed = self.calmed.load(Ordering::Relaxed).min(16);
        Some(Keepalive {
            interval: options.keepalive_interval?.saturating_mul(1 << calmed),
            timeout: options.keepalive_timeout,
            while_idle: options.keepalive_while_idle,
        })
    }

    /// Connects from now on, unless it does already.
    pub(super) fn start(self: &Arc<Self>, cluster: &Arc<Cluster>) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        task.get_or_insert_with(|| {
            tokio::spawn(Arc::clone(self).keep_up(Arc::clone(cluster))).abort_handle()
        });
    }

    /// Connects no more. Its connections close when their last calls have ended.
    pub(super) fn stop(&self) {
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            task.abort();
        }
        self.connections.store(Arc::default());
    }

    async fn keep_up(self: Arc<Self>, cluster: Arc<Cluster>) {
        let mut redial = Redial::new();
        let mut earliest = Instant::now();
        let mut dialling: Option<Dial> = None;
        loop {
            let mut changed = std::pin::pin!(cluster.queue.changed.notified());
            changed.as_mut().enable();
            if let Some(wait) = self.sweep(&cluster, &mut redial) {
                earliest = Instant::now() + wait;
            }
            self.heed_health(&cluster);
            let turn = match self.wants_connection(&cluster.options) {
                true => cluster.turn(&self, earliest),
                false => Turn::Never,
            };
            if dialling.is_none() && matches!(turn, Turn::At(at) if at <= Instant::now()) {
                let dial = dial(Arc::clone(&cluster), Arc::clone(&self));
                dialling = Some(Box::pin(dial));
            }
            let result = tokio::select! {
                biased;
                result = until_dialled(&mut dialling) => result,
                () = self.news.notified() => continue,
                () = until_turn(&turn), if dialling.is_none() => continue,
                () = changed, if matches!(turn, Turn::Other | Turn::At(_)) => continue,
            };
            dialling = None;
            match result {
                Ok(connection) => self.add(connection, &cluster),
                Err(error) => {
                    cluster.lost();
                    earliest = Instant::now() + redial.failed();
                    self.fail(error.to_string(), earliest, &cluster);
                }
            }
        }
    }

    fn wants_connection(&self, options: &ChannelOptions) -> bool {
        match self.connections.load().len() {
            0 => true,
            some => self.is_crowded.load(Ordering::Relaxed) && some < options.max_connections,
        }
    }

    /// Does what the servers of its connections say of their health.
    fn heed_health(&self, cluster: &Cluster) {
        if cluster.options.health_check.is_none() || !self.has_connection() {
            return;
        }
        let is_ready = self.is_ready();
        let was_ready = matches!(*self.status_mut(), Status::Ready);
        let connections = self.connections.load();
        let ailment = connections.iter().find_map(|one| one.line.ailment());
        match (was_ready, is_ready, ailment) {
            (false, true, _) => *self.status_mut() = Status::Ready,
            (_, false, Some(ailment)) if !self.is_failing() => {
                *self.status_mut() = Status::Failing(Arc::new(Trouble {
                    event: next_event(),
                    cause: ailment.to_owned(),
                    next: Instant::now(),
                }));
            }
            _ => return,
        }
        cluster.refresh();
        let change = match ailment.filter(|_| !is_ready) {
            Some(cause) => EndpointChange::Unhealthy { cause },
            None => EndpointChange::Healthy,
        };
        cluster.tell(self, change);
    }

    fn add(&self, mut connection: Connection, cluster: &Cluster) {
        // Another endpoint was quicker, and one is enough.
        if !self.has_connection() && matches!(cluster.turn(self, Instant::now()), Turn::Other) {
            return;
        }
        self.is_crowded.store(false, Ordering::Relaxed);
        let watch = cluster.health(&self.address.authority);
        let is_known = watch.is_none();
        if let Some(watch) = watch {
            connection.watch_health(watch);
        }
        let mut connections = self.connections.load().to_vec();
        connections.push(Arc::new(connection));
        let count = connections.len();
        self.connections.store(Arc::new(connections));
        if is_known {
            *self.status_mut() = Status::Ready;
        }
        cluster.refresh();
        cluster.tell(self, EndpointChange::Connected { connections: count });
    }

    fn fail(&self, cause: String, next: Instant, cluster: &Cluster) {
        // One more connection couldn't be made: calls that have no place still want it.
        if self.has_connection() {
            return;
        }
        tracing::debug!(endpoint = %self.identity.name(), cause, "cannot connect");
        let change = EndpointChange::Unreachable {
            cause: &cause,
            retry_in: next.saturating_duration_since(Instant::now()),
        };
        cluster.tell(self, change);
        *self.status_mut() = Status::Failing(Arc::new(Trouble {
            event: next_event(),
            cause,
            next,
        }));
        cluster.refresh();
    }

    /// Takes out the connections that take no more calls. If that leaves none, how long to wait before
    /// the next one is made.
    fn sweep(&self, cluster: &Cluster, redial: &mut Redial) -> Option<std::time::Duration> {
        let connections = self.connections.load_full();
        let (open, gone): (Vec<_>, Vec<_>) = connections
            .iter()
            .cloned()
            .partition(|connection| connection.line.is_open());
        if gone.is_empty() {
            return None;
        }
        if gone
            .iter()
            .any(|connection| connection.line.is_too_chatty())
        {
            self.calmed.fetch_add(1, Ordering::Relaxed);
        }
        self.is_crowded.store(false, Ordering::Relaxed);
        let (is_last, connections) = (open.is_empty(), open.len());
        self.connections.store(Arc::new(open));
        cluster.tell(self, EndpointChange::Disconnected { connections });
        cluster.lost();
        if !is_last {
            // What is left may not have said yet that it is well: then calls wait until it does.
            if !self.is_ready() {
                *self.status_mut() = Status::Connecting;
            }
            cluster.refresh();
            return None;
        }
        let merits = gone.iter().map(|connection| connection.merits());
        let (was_of_use, held) = merits.max().unwrap_or_default();
        let wait = redial.lost(was_of_use, held);
        *self.status_mut() = Status::Connecting;
        if wait.is_zero() {
            cluster.refresh();
        } else {
            let cause = "the server closes its connections before it answers".to_owned();
            self.fail(cause, Instant::now() + wait, cluster);
        }
        Some(wait)
    }
}

async fn until_dialled(dialling: &mut Option<Dial>) -> io::Result<Connection> {
    match dialling {
        Some(dial) => dial.await,
        None => std::future::pending().await,
    }
}

async fn until_turn(turn: &Turn) {
    match turn {
        Turn::At(at) => sleep_until(*at).await,
        Turn::Other | Turn::Never => std::future::pending().await,
    }
}

impl From<&Host> for Address {
    /// Without a name's being resolved.
    fn from(host: &Host) -> Self {
        match host {
            Host::Fixed(address) => Self::Known(address.clone()),
            Host::Name { host, port } => Self::Name(format!("{host}:{port}")),
        }
    }
}
