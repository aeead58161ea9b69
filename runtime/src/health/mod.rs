//! [`Health`]: whether the server, and each service on it, can do its work.
//!
//! [`state`] says who is SERVING, [`checks`] asks the dependencies, [`service`] answers those who
//! ask by `grpc.health.v1`.

mod checks;
mod messages;
mod own;
#[cfg(feature = "admin")]
mod report;
mod service;
mod state;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::DropGuard;

use self::checks::{Checks, Dependency};
#[cfg(feature = "admin")]
pub(crate) use self::report::{DependencyReport, HealthReport};
pub use self::state::ServingStatus;
use self::state::ServingStatus::{NotServing, Serving};
use self::state::{Phase, State};

/// The health of a server, served as `grpc.health.v1.Health`: Kubernetes' probes, grpcurl and every
/// gRPC client ask it.
///
/// | name | what it says |
/// |---|---|
/// | `""` | the whole server: SERVING while it [runs](Self::run) and every dependency is healthy |
/// | `"liveness"` | the process: SERVING until it shuts down, whatever the dependencies say |
/// | a service of the server | as `""`, unless it was [set](Self::set) by itself |
/// | any other that was [set](Self::set) | what was set |
///
/// Readiness asks for `""`. Liveness asks for `"liveness"`: asked for `""`, it would restart every
/// pod because of one database.
///
/// Clones share one state. It belongs to one server: when that shuts down, it is over.
///
/// ```
/// use std::time::Duration;
/// use apibase::Health;
///
/// # #[derive(Clone)] struct Database;
/// # impl Database { async fn ping(&self) -> std::io::Result<()> { Ok(()) } }
/// # let database = Database;
/// let health = Health::new()
///     .interval(Duration::from_secs(5))
///     .dependency("database", move || {
///         let database = database.clone();
///         async move { database.ping().await }
///     });
/// ```
#[derive(Clone)]
pub struct Health {
    handle: Arc<Handle>,
}

/// What all clones share; when the last of them is gone, nobody can ask any more and checks end.
struct Handle {
    shared: Arc<Shared>,
    _stop: DropGuard,
}

/// What is shared with the task that runs.
struct Shared {
    states: watch::Sender<State>,
    checks: Checks,
}

impl Health {
    /// The name that stands for the process alone: SERVING from the start until it shuts down.
    pub const LIVENESS: &'static str = "liveness";

    /// The health of a server that depends on nothing.
    #[must_use]
    pub fn new() -> Self {
        let shared = Arc::new(Shared {
            states: watch::Sender::new(State::new()),
            checks: Checks::new(),
        });
        let stop = shared.checks.stop.clone().drop_guard();
        Self {
            handle: Arc::new(Handle {
                shared,
                _stop: stop,
            }),
        }
    }

    /// The server depends on this: `""` is SERVING only while `check` passes, and `NOT_SERVING` until
    /// it has passed for the first time.
    ///
    /// Checks run in the background, each by itself and never twice at once; what they find is kept
    /// until the next time, so that asking costs nothing. An error, a panic and one that takes longer
    /// than the [timeout](Self::timeout) are failures, and a check that takes too long is dropped. A
    /// check must not block its thread: what blocks belongs into `tokio::task::spawn_blocking`.
    ///
    /// The log has when a dependency goes down (WARN, with the error) and when it comes back (INFO).
    ///
    /// It can be added while the server runs.
    #[must_use]
    pub fn dependency<F, Fut, E>(self, name: impl Into<Cow<'static, str>>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let dependency = Dependency::new(name.into(), check);
        self.shared().add_dependency(dependency);
        self
    }

    /// Checks each dependency this often, from one start to the next; a check that takes longer than
    /// that delays the next. At least a millisecond. Default: 10 seconds.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        self.shared().checks.set_interval(interval);
        self
    }

    /// Gives each check this long; one that takes longer has failed. Default: 5 seconds.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.shared().checks.set_timeout(timeout);
        self
    }

    /// The name has a state of its own: `NOT_SERVING` until it is [set](Self::set).
    #[must_use]
    pub fn service(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.set(name, NotServing);
        self
    }

    /// Sets the state of one name, which is its own from now on, whatever the dependencies say. A
    /// name that nobody knew is known from now on.
    ///
    /// `""` set to `NOT_SERVING` stays so until it is set to SERVING, and then is what the dependencies
    /// say. After [`drain`](Self::drain) nothing is set any more.
    ///
    /// There is room for 1,000 names of at most 1,024 bytes; one more is not taken, and the log says
    /// so.
    pub fn set(&self, name: impl Into<Cow<'static, str>>, status: ServingStatus) {
        let name = name.into();
        let mut taken = true;
        let mut change = (None, None);
        self.shared().states.send_if_modified(|state| {
            let before = state.status(&name);
            taken = state.set(name.clone(), status);
            change = (before, state.status(&name));
            change.0 != change.1
        });
        if !taken {
            refuse(&name);
        }
        let service = &*name;
        match change {
            (Some(Serving), Some(NotServing)) => {
                tracing::warn!(service, "a service was set to NOT_SERVING");
            }
            (Some(NotServing), Some(Serving)) => {
                tracing::info!(service, "a service was set to SERVING");
            }
            _ => {}
        }
    }

    /// Takes back what was [set](Self::set): a service of the server says what `""` says again, and
    /// another name is unknown again.
    pub fn clear(&self, name: &str) {
        self.shared().states.send_if_modified(|state| {
            let before = state.status(name);
            state.clear(name);
            state.status(name) != before
        });
    }

    /// The server has this service: its name is known, and says what `""` says.
    pub fn register(&self, name: &'static str) {
        let mut taken = true;
        self.shared().states.send_if_modified(|state| {
            let before = state.status(name);
            taken = state.register(name);
            state.status(name) != before
        });
        if !taken {
            refuse(name);
        }
    }

    /// The state of one name; `None` if it is unknown.
    #[must_use]
    pub fn status(&self, name: &str) -> Option<ServingStatus> {
        self.shared().states.borrow().status(name)
    }

    /// Checks the dependencies until [`drain`](Self::drain), or until nobody else holds this health.
    ///
    /// [`Server`](crate::Server) does so for the health that it serves. Who mounts a `Health`
    /// elsewhere spawns this: without it, `""` is `NOT_SERVING`. When it is dropped, so is every check,
    /// and nothing is known of the dependencies any more. Of two that run at once, the second waits
    /// for the end of the first.
    pub fn run(&self) -> impl Future<Output = ()> + Send + use<> {
        checks::run(Arc::clone(self.shared()))
    }

    /// `NOT_SERVING` under all names, for good: what is set later is ignored, and checks end.
    ///
    /// Those who watch are told, and their streams stay open: a client whose stream ends while the
    /// server still takes calls opens it again at once. So this comes first, and when clients had the
    /// time to go elsewhere, [`shut_down`](Self::shut_down).
    pub fn drain(&self) {
        self.shared().enter(Phase::Draining);
    }

    /// [`drain`](Self::drain), and then ends the streams of those who watch: with UNAVAILABLE, once
    /// they were told `NOT_SERVING`. Who comes later gets UNAVAILABLE at once.
    pub fn shut_down(&self) {
        self.shared().enter(Phase::Over);
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

impl Shared {
    /// Goes on to `phase`; never back.
    fn enter(&self, phase: Phase) {
        let mut before = phase;
        self.states.send_if_modified(|state| {
            before = state.enter(phase);
            before < phase
        });
        self.checks.stop.cancel();
        if before == Phase::Open {
            tracing::info!("health is NOT_SERVING from now on: the server shuts down");
        }
    }
}

/// There are too many names, or this one is too long. It can be a megabyte: the log has its length.
fn refuse(name: &str) {
    tracing::warn!(
        bytes = name.len(),
        "a name is not taken: health has room for {} names of at most {} bytes",
        state::MAX_NAMES,
        state::MAX_NAME,
    );
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states = &self.shared().states;
        f.debug_struct("Health")
            .field("state", &*states.borrow())
            .field("watchers", &states.receiver_count())
            .finish_non_exhaustive()
    }
}
