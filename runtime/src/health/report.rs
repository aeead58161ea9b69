//! [`HealthReport`]: what a person is told of a server's health.

use std::time::Duration;

use tokio::time::Instant;

use super::{Health, ServingStatus};

/// A server's health, as it was when somebody asked.
#[derive(Debug)]
pub(crate) struct HealthReport {
    pub(crate) overall: ServingStatus,
    /// All names but `""`.
    pub(crate) names: Vec<(String, ServingStatus)>,
    pub(crate) dependencies: Vec<DependencyReport>,
}

/// What is known of a dependency.
#[derive(Debug)]
pub(crate) struct DependencyReport {
    pub(crate) name: String,
    /// None while nothing is known: before its first answer, and when it is not checked any more.
    pub(crate) is_healthy: Option<bool>,
    /// None before its first answer.
    pub(crate) latest: Option<Answer>,
}

/// What a dependency has answered last.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Why it isn't healthy; `None` where it is.
    pub(crate) why: Option<String>,
    /// When it came.
    pub(crate) at: Instant,
    /// How long it took.
    pub(crate) took: Duration,
    /// When the first of those came that said as much: healthy, or not.
    pub(crate) since: Instant,
}

impl DependencyReport {
    /// In a word: `HEALTHY`, `FAILING` or `UNKNOWN`.
    pub(crate) const fn state(&self) -> &'static str {
        match self.is_healthy {
            Some(true) => "HEALTHY",
            Some(false) => "FAILING",
            None => "UNKNOWN",
        }
    }
}

impl Answer {
    /// The answer that has come now, after the one `before`.
    pub(super) fn after(before: Option<Self>, started: Instant, why: Option<&str>) -> Self {
        let at = Instant::now();
        let same = before.filter(|before| before.why.is_none() == why.is_none());
        Self {
            why: why.map(str::to_owned),
            at,
            took: at - started,
            since: same.map_or(at, |before| before.since),
        }
    }
}

impl Health {
    pub(crate) fn report(&self) -> HealthReport {
        let dependencies = self.shared().checks.all();
        let state = self.shared().states.borrow();
        let names = state.list().filter(|(name, _)| !name.is_empty());
        let passed = state.passed().iter().copied();
        let passed = passed.chain(std::iter::repeat(None));
        HealthReport {
            overall: state.overall(),
            names: names
                .map(|(name, status)| (name.to_owned(), status))
                .collect(),
            dependencies: dependencies
                .iter()
                .zip(passed)
                .map(|(dependency, is_healthy)| DependencyReport {
                    name: dependency.name().to_owned(),
                    is_healthy,
                    latest: dependency.latest(),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_dependency_is_told_of_with_its_last_answer_and_since_when_it_says_so() {
        let fails = Arc::new(AtomicBool::new(false));
        let failing = Arc::clone(&fails);
        let health = Health::new()
            .interval(10 * SECOND)
            .dependency("database", move || {
                let fails = failing.load(Ordering::Relaxed);
                async move {
                    sleep(SECOND).await;
                    if fails { Err("refused") } else { Ok(()) }
                }
            });
        let database = |health: &Health| health.report().dependencies.remove(0);
        let before = database(&health);
        assert!(before.is_healthy.is_none() && before.latest.is_none());
        let running = tokio::spawn(health.run());
        sleep(15 * SECOND).await;
        let healthy = database(&health);
        assert_eq!(healthy.is_healthy, Some(true));
        let answer = healthy.latest.unwrap();
        assert_eq!((answer.why, answer.took), (None, SECOND));
        assert_eq!(
            (answer.at.elapsed(), answer.since.elapsed()),
            (4 * SECOND, 14 * SECOND)
        );
        fails.store(true, Ordering::Relaxed);
        sleep(20 * SECOND).await;
        let failing = database(&health);
        assert_eq!(failing.is_healthy, Some(false));
        let answer = failing.latest.unwrap();
        assert_eq!(answer.why.as_deref(), Some("refused"));
        assert_eq!(answer.since.elapsed(), 14 * SECOND);
        // Nobody knows any more, and what was said last is still told.
        health.drain();
        running.await.unwrap();
        let over = database(&health);
        assert!(over.is_healthy.is_none() && over.latest.is_some());
    }
}
