//! The checks of dependencies: who makes them, when, and what is said of them in the log.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::Shared;

/// The bytes that the log has of a check's error.
const MAX_WHY: usize = 512;

/// What a check is to whoever runs it: an error as its text.
type BoxCheck = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Something that the server can't do without.
pub(super) struct Dependency {
    name: Cow<'static, str>,
    check: Box<dyn Fn() -> BoxCheck + Send + Sync>,
    /// What it has answered last.
    #[cfg(feature = "admin")]
    latest: Mutex<Option<super::report::Answer>>,
}

/// The dependencies, and how they are checked.
pub(super) struct Checks {
    dependencies: Mutex<Vec<Arc<Dependency>>>,
    pace: Mutex<Pace>,
    /// One more dependency is there.
    added: Notify,
    /// Who runs holds it.
    turn: tokio::sync::Mutex<()>,
    pub(super) stop: CancellationToken,
}

#[derive(Clone, Copy)]
struct Pace {
    interval: Duration,
    timeout: Duration,
}

impl Dependency {
    pub(super) fn new<F, Fut, E>(name: Cow<'static, str>, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let check = Arc::new(check);
        let check = move || -> BoxCheck {
            let check = Arc::clone(&check);
            Box::pin(async move { check().await.map_err(|error| error.to_string()) })
        };
        Self {
            name,
            check: Box::new(check),
            #[cfg(feature = "admin")]
            latest: Mutex::default(),
        }
    }

    #[cfg(feature = "admin")]
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    #[cfg(feature = "admin")]
    pub(super) fn latest(&self) -> Option<super::report::Answer> {
        lock(&self.latest).clone()
    }

    /// Keeps what a check has found that was `started` then.
    #[cfg(feature = "admin")]
    fn keep(&self, started: Instant, found: &Result<(), String>) {
        let why = found.as_ref().err().map(|why| shortened(why));
        let mut latest = lock(&self.latest);
        let before = latest.take();
        *latest = Some(super::report::Answer::after(before, started, why));
    }
}

impl Checks {
    pub(super) fn new() -> Self {
        Self {
            dependencies: Mutex::default(),
            pace: Mutex::new(Pace {
                interval: Duration::from_secs(10),
                timeout: Duration::from_secs(5),
            }),
            added: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            stop: CancellationToken::new(),
        }
    }

    pub(super) fn set_interval(&self, interval: Duration) {
        // Without a pause it would spin.
        lock(&self.pace).interval = interval.max(Duration::from_millis(1));
    }

    pub(super) fn set_timeout(&self, timeout: Duration) {
        lock(&self.pace).timeout = timeout;
    }

    fn pace(&self) -> Pace {
        *lock(&self.pace)
    }

    #[cfg(feature = "admin")]
    pub(super) fn all(&self) -> Vec<Arc<Dependency>> {
        lock(&self.dependencies).clone()
    }

    /// The dependency with this index.
    fn get(&self, index: usize) -> Option<Arc<Dependency>> {
        lock(&self.dependencies).get(index).cloned()
    }
}

impl Shared {
    pub(super) fn add_dependency(&self, dependency: Dependency) {
        // Under one lock, so that its index is the same in both.
        let mut dependencies = lock(&self.checks.dependencies);
        dependencies.push(Arc::new(dependency));
        self.states.send_modify(super::State::add_check);
        self.checks.added.notify_one();
    }

    /// Keeps what a check has found, and says so where it is another thing than before.
    fn report(&self, index: usize, dependency: &Dependency, found: &Result<(), String>) {
        let mut before = None;
        let mut overall = None;
        self.states.send_if_modified(|state| {
            let was = state.overall();
            before = state.report(index, found.is_ok());
            overall = Some(state.overall());
            overall != Some(was)
        });
        if before == Some(found.is_ok()) {
            return;
        }
        let overall = overall.map(tracing::field::display);
        let dependency = &*dependency.name;
        match found {
            Ok(()) => tracing::info!(dependency, overall, "a dependency is healthy"),
            Err(why) => {
                let why = shortened(why);
                tracing::warn!(dependency, why, overall, "a dependency is not healthy");
            }
        }
    }
}

/// Checks all dependencies, until it is told to stop.
pub(super) async fn run(shared: Arc<Shared>) {
    let checks = &shared.checks;
    let stop = checks.stop.clone();
    let Some(_turn) = stop.run_until_cancelled(checks.turn.lock()).await else {
        return;
    };
    let _running = Running::start(&shared);
    // What one check does to its thread is no other's affair, so each has tasks of its own.
    let mut loops = JoinSet::new();
    let tasks = TaskTracker::new();
    loop {
        while let Some(dependency) = checks.get(loops.len()) {
            let index = loops.len();
            loops.spawn(keep_checking(
                Arc::clone(&shared),
                index,
                dependency,
                tasks.clone(),
            ));
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = checks.added.notified() => {}
        }
    }
    // Nothing of it outlives it.
    loops.shutdown().await;
    tasks.close();
    tasks.wait().await;
}

/// Checks one dependency, over and over.
async fn keep_checking(
    shared: Arc<Shared>,
    index: usize,
    dependency: Arc<Dependency>,
    tasks: TaskTracker,
) {
    loop {
        let pace = shared.checks.pace();
        let started = Instant::now();
        let check = Arc::clone(&dependency);
        // In a task of its own, which is all that a panic ends and that a blocked thread holds up.
        let check = tasks.spawn(async move { (check.check)().await });
        let mut check = AbortOnDropHandle::new(check);
        let ended = timeout(pace.timeout, &mut check).await;
        let has_ended = ended.is_ok();
        // Where threads were blocked the timer was late, and the check may have ended before it.
        let in_time = started.elapsed() <= pace.timeout;
        let found = match ended {
            Ok(Err(error)) => Err(panicked(error)),
            Ok(Ok(found)) if in_time => found,
            _ => Err(format!("it took longer than {:?}", pace.timeout)),
        };
        #[cfg(feature = "admin")]
        dependency.keep(started, &found);
        shared.report(index, &dependency, &found);
        if !has_ended {
            // The next one starts when this one is gone.
            check.abort();
            let _ = check.await;
        }
        sleep(pace.interval.saturating_sub(started.elapsed())).await;
    }
}

/// While it is there, dependencies are checked.
struct Running<'a>(&'a Shared);

impl<'a> Running<'a> {
    fn start(shared: &'a Shared) -> Self {
        shared.states.send_modify(|state| state.set_runs(true));
        Self(shared)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.states.send_modify(|state| state.set_runs(false));
    }
}

/// What is said of a check that didn't end by itself.
fn panicked(error: JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else {
        return "it was aborted".to_owned();
    };
    format!("it panicked: {}", said(&*payload))
}

fn said(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(a payload that is no text)")
}

/// As much of it as the log gets.
fn shortened(why: &str) -> &str {
    let mut end = why.len().min(MAX_WHY);
    while !why.is_char_boundary(end) {
        end -= 1;
    }
    why.get(..end).unwrap_or_default()
}

/// What is locked is never left half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
