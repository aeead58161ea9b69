//! [`State`]: who is SERVING. It knows no time and no tasks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::Health;

/// Names that are known at once.
pub(super) const MAX_NAMES: usize = 1000;

/// The bytes of a name. A longer one is never known.
pub(super) const MAX_NAME: usize = 1024;

/// Whether calls are worth making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ServingStatus {
    /// Calls are answered.
    Serving,
    /// Calls should go elsewhere for now.
    NotServing,
}

/// All that is known of a server's health at one moment.
#[derive(Debug)]
pub(super) struct State {
    phase: Phase,
    /// Whether the dependencies are being checked.
    runs: bool,
    /// Whether `""` was set to `NOT_SERVING`.
    held: bool,
    /// Whether each dependency passed its last check; `None` until the first has ended.
    checks: Vec<Option<bool>>,
    /// All names but `""`.
    names: BTreeMap<Cow<'static, str>, Entry>,
}

/// How far a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// It takes calls.
    Open,
    /// It is about to stop.
    Draining,
    /// It stops.
    Over,
}

/// What is known of a name.
#[derive(Debug)]
struct Entry {
    base: Base,
    /// What was set.
    own: Option<ServingStatus>,
}

/// What a name says for which nothing is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    /// Nothing: it is known because it was set.
    Nothing,
    /// What `""` says.
    Overall,
    /// That the process is there.
    Alive,
}

impl State {
    pub(super) fn new() -> Self {
        let alive = Entry {
            base: Base::Alive,
            own: None,
        };
        Self {
            phase: Phase::Open,
            runs: false,
            held: false,
            checks: Vec::new(),
            names: BTreeMap::from([(Health::LIVENESS.into(), alive)]),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// What is known of one name; `None` if it is unknown.
    pub(super) fn status(&self, name: &str) -> Option<ServingStatus> {
        if name.is_empty() {
            return Some(self.overall());
        }
        self.names.get(name).map(|entry| self.of(entry))
    }

    /// All names and what they say.
    pub(super) fn list(&self) -> impl ExactSizeIterator<Item = (&str, ServingStatus)> {
        let overall = ("", self.overall());
        let names = self.names.iter();
        let mut all = Vec::with_capacity(names.len() + 1);
        all.push(overall);
        all.extend(names.map(|(name, entry)| (&**name, self.of(entry))));
        all.into_iter()
    }

    pub(super) fn overall(&self) -> ServingStatus {
        let healthy = self.checks.iter().all(|passed| *passed == Some(true));
        ServingStatus::of(self.phase == Phase::Open && self.runs && !self.held && healthy)
    }

    fn of(&self, entry: &Entry) -> ServingStatus {
        if self.phase != Phase::Open {
            return ServingStatus::NotServing;
        }
        entry.own.unwrap_or_else(|| match entry.base {
            Base::Overall => self.overall(),
            Base::Alive => ServingStatus::Serving,
            Base::Nothing => ServingStatus::NotServing,
        })
    }

    /// Sets one name. False if it is not taken.
    pub(super) fn set(&mut self, name: Cow<'static, str>, status: ServingStatus) -> bool {
        if self.phase != Phase::Open {
            return true;
        }
        if name.is_empty() {
            self.held = status == ServingStatus::NotServing;
            return true;
        }
        let Some(entry) = self.entry(name) else {
            return false;
        };
        entry.own = Some(status);
        true
    }

    /// Takes back what was set.
    pub(super) fn clear(&mut self, name: &str) {
        if self.phase != Phase::Open {
            return;
        }
        if name.is_empty() {
            self.held = false;
        } else if let Some(entry) = self.names.get_mut(name) {
            entry.own = None;
            if entry.base == Base::Nothing {
                self.names.remove(name);
            }
        }
    }

    /// A service of the server. False if its name is not taken.
    pub(super) fn register(&mut self, name: &'static str) -> bool {
        if name.is_empty() {
            return true;
        }
        let Some(entry) = self.entry(name.into()) else {
            return false;
        };
        if entry.base == Base::Nothing {
            entry.base = Base::Overall;
        }
        true
    }

    /// The entry of this name, made where there is room.
    fn entry(&mut self, name: Cow<'static, str>) -> Option<&mut Entry> {
        let is_full = self.names.len() >= MAX_NAMES || name.len() > MAX_NAME;
        if is_full && !self.names.contains_key(&name) {
            return None;
        }
        Some(self.names.entry(name).or_insert(Entry {
            base: Base::Nothing,
            own: None,
        }))
    }

    /// One more dependency, of which nothing is known.
    pub(super) fn add_check(&mut self) {
        self.checks.push(None);
    }

    /// Checks are made from now on, or no more: either way nothing is known.
    pub(super) fn set_runs(&mut self, runs: bool) {
        self.runs = runs;
        self.checks.fill(None);
    }

    /// What a check has found; gives what the one before had.
    pub(super) fn report(&mut self, index: usize, passed: bool) -> Option<bool> {
        self.checks.get_mut(index)?.replace(passed)
    }

    /// Whether each dependency passed its last check; `None` where nothing is known.
    #[cfg(feature = "admin")]
    pub(super) fn passed(&self) -> &[Option<bool>] {
        &self.checks
    }

    /// Goes on to `phase`, never back; gives where it was.
    pub(super) fn enter(&mut self, phase: Phase) -> Phase {
        let further = self.phase.max(phase);
        std::mem::replace(&mut self.phase, further)
    }
}

impl ServingStatus {
    pub(super) fn of(serving: bool) -> Self {
        if serving {
            Self::Serving
        } else {
            Self::NotServing
        }
    }
}

impl fmt::Display for ServingStatus {
    /// As the protocol spells it: `NOT_SERVING`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serving => "SERVING",
            Self::NotServing => "NOT_SERVING",
        })
    }
}
