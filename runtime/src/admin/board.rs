//! [`Board`]: what there is to see of a server, whenever somebody looks.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{Clients, Tally};
use crate::health::Health;
use crate::server::{Address, InFlight};
use crate::settings::EffectiveSettings;
use crate::{Method, RateLimit};

/// What there is to see of a server. It keeps none of the server's services.
pub(crate) struct Board {
    pub(super) facts: Facts,
    pub(super) started: SystemTime,
    pub(super) since: Instant,
    stage: Mutex<Stage>,
}

/// What a [`Board`] is made of.
pub(crate) struct Facts {
    pub(crate) program: Program,
    pub(crate) address: Address,
    pub(crate) in_flight: Arc<InFlight>,
    /// None where it isn't ours that is served, or none is.
    pub(crate) health: Option<Health>,
    pub(crate) gauges: Vec<Gauge>,
    pub(crate) rates: Vec<Rate>,
    /// How many connections there may be; `None` for as many as come.
    pub(crate) max_connections: Option<usize>,
    /// None where nobody has asked for it to be counted.
    pub(crate) tally: Option<Arc<Tally>>,
    pub(crate) settings: EffectiveSettings,
    pub(crate) clients: Vec<Clients>,
    /// How long calls have to end when the server stops.
    pub(crate) grace: Duration,
}

/// Whose server it is.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
}

/// A limit of calls at once, and how many there are.
pub(crate) struct Gauge {
    /// None for all methods together.
    pub(crate) method: Option<&'static Method>,
    pub(crate) max: usize,
    pub(crate) used: Box<dyn Fn() -> usize + Send + Sync>,
}

/// A limit of how often a method may be called, and how many callers it knows.
pub(crate) struct Rate {
    pub(crate) method: &'static Method,
    pub(crate) limit: RateLimit,
    pub(crate) callers: Box<dyn Fn() -> usize + Send + Sync>,
}

/// How far a server is, and since when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    pub(crate) name: StageName,
    pub(crate) since: Instant,
}

/// How far a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StageName {
    /// It listens, and doesn't answer yet.
    Starting,
    /// It takes calls.
    Serving,
    /// It was told to stop, and takes calls for a while yet.
    LameDuck,
    /// It takes no calls, and those that run have the grace to end.
    Draining,
}

impl Board {
    pub(crate) fn new(facts: Facts) -> Self {
        let now = Instant::now();
        Self {
            facts,
            started: SystemTime::now(),
            since: now,
            stage: Mutex::new(Stage {
                name: StageName::Starting,
                since: now,
            }),
        }
    }

    /// The server has come this far; never back.
    pub(crate) fn enter(&self, name: StageName) {
        let mut stage = self.lock();
        if stage.name < name {
            let since = Instant::now();
            *stage = Stage { name, since };
        }
    }

    pub(super) fn stage(&self) -> Stage {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Program {
    /// As the file is called that runs.
    pub(crate) fn of_file() -> Self {
        let path = std::env::current_exe().unwrap_or_default();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = match name.is_empty() {
            true => "a gRPC server".to_owned(),
            false => name.into_owned(),
        };
        Self {
            name,
            version: None,
        }
    }
}

impl StageName {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Serving => "SERVING",
            Self::LameDuck => "LAME_DUCK",
            Self::Draining => "DRAINING",
        }
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("program", &self.facts.program)
            .field("stage", &self.stage())
            .finish_non_exhaustive()
    }
}
