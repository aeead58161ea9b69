//! Health in virtual time, without sockets.

mod checks;
mod names;
mod watch;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::ServingStatus::{NotServing, Serving};
use super::{Health, ServingStatus};

const SECOND: Duration = Duration::from_secs(1);

/// Time for what is ready to run, and no more.
const MOMENT: Duration = Duration::from_millis(1);

async fn moment() {
    tokio::time::sleep(MOMENT).await;
}

/// What `""` says, after a moment.
async fn overall(health: &Health) -> ServingStatus {
    moment().await;
    health.status("").unwrap()
}

/// A dependency that is up or down, and counts how often it is asked.
#[derive(Clone, Default)]
struct Switch {
    up: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Switch {
    fn up() -> Self {
        let switch = Self::default();
        switch.set(true);
        switch
    }

    fn set(&self, up: bool) {
        self.up.store(up, Ordering::Relaxed);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn check(&self) -> impl Fn() -> std::future::Ready<Result<(), &'static str>> + use<> {
        let switch = self.clone();
        move || {
            switch.asked.fetch_add(1, Ordering::Relaxed);
            let up = switch.up.load(Ordering::Relaxed);
            std::future::ready(up.then_some(()).ok_or("it is down"))
        }
    }
}

/// A check that passes at once.
async fn pass() -> Result<(), Infallible> {
    Ok(())
}

/// A health that runs, and depends on nothing.
async fn running() -> Health {
    let health = Health::new();
    tokio::spawn(health.run());
    moment().await;
    health
}
