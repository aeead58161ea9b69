//! [`ServerStatus`]: a server as it was when somebody looked.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::board::{Board, Program, Stage, StageName};
use super::json;
use super::tally::Refused;
use crate::health::{HealthReport, ServingStatus};
use crate::server::CallInFlight;
use crate::settings::EffectiveSettings;

/// Rows of each list that is shown; how many more there are is said.
pub(super) const MOST_ROWS: usize = 200;

/// A server as it was when [`ServerHandle::status`](crate::ServerHandle::status) was asked: what the
/// status page of an [`Admin`](crate::Admin) shows.
pub struct ServerStatus {
    pub(super) program: Program,
    pub(super) address: String,
    pub(super) started: SystemTime,
    /// When this was asked.
    pub(super) now: SystemTime,
    pub(super) uptime: Duration,
    pub(super) stage: Stage,
    pub(super) grace: Duration,
    /// None where the server doesn't serve its own.
    pub(super) health: Option<HealthReport>,
    /// The oldest calls.
    pub(super) calls: Vec<CallInFlight>,
    /// How many calls run.
    pub(super) running: usize,
    pub(super) limits: Vec<Limit>,
    pub(super) rates: Vec<RateOf>,
    /// None where nobody counts.
    pub(super) counted: Option<Counted>,
    pub(super) clients: Vec<Client>,
    pub(super) settings: EffectiveSettings,
    pub(super) client_settings: Vec<EffectiveSettings>,
}

/// What is counted of a server.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) connections: usize,
    pub(super) max_connections: Option<usize>,
    pub(super) refused_connections: u64,
    pub(super) refusals: Vec<Refused>,
}

/// A limit of calls at once.
#[derive(Debug)]
pub(super) struct Limit {
    /// A path; None for all methods together.
    pub(super) method: Option<&'static str>,
    pub(super) used: usize,
    pub(super) max: usize,
}

/// A limit of how often a method may be called.
#[derive(Debug)]
pub(super) struct RateOf {
    pub(super) method: &'static str,
    pub(super) limit: String,
    pub(super) callers: usize,
}

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) target: String,
    pub(super) endpoints: Vec<Endpoint>,
    /// By the path of its method.
    pub(super) breakers: Vec<(&'static str, &'static str)>,
}

/// An endpoint of a client's target.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) name: String,
    pub(super) connections: usize,
    pub(super) is_ejected: bool,
}

impl Board {
    /// What there is to see now.
    pub(crate) fn look(&self) -> ServerStatus {
        let facts = &self.facts;
        let (calls, running) = facts.in_flight.oldest(MOST_ROWS);
        let clients = facts.clients.iter();
        ServerStatus {
            program: facts.program.clone(),
            address: facts.address.to_string(),
            started: self.started,
            now: SystemTime::now(),
            uptime: self.since.elapsed(),
            stage: self.stage(),
            grace: facts.grace,
            health: facts.health.as_ref().map(crate::Health::report),
            calls,
            running,
            limits: self.limits(),
            rates: self.rates(),
            counted: facts.tally.as_ref().map(|tally| Counted {
                connections: tally.connections(),
                max_connections: facts.max_connections,
                refused_connections: tally.refused_connections(),
                refusals: tally.refusals(),
            }),
            clients: self.clients(),
            settings: facts.settings.clone(),
            client_settings: clients.filter_map(|one| one.settings().cloned()).collect(),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        let gauges = self.facts.gauges.iter();
        let limit = |gauge: &super::Gauge| Limit {
            method: gauge.method.map(crate::Method::path),
            used: (gauge.used)(),
            max: gauge.max,
        };
        gauges.map(limit).collect()
    }

    fn rates(&self) -> Vec<RateOf> {
        let rates = self.facts.rates.iter();
        let rate = |rate: &super::Rate| RateOf {
            method: rate.method.path(),
            limit: rate.limit.to_string(),
            callers: (rate.callers)(),
        };
        rates.map(rate).collect()
    }

    #[cfg(feature = "client")]
    fn clients(&self) -> Vec<Client> {
        let clients = self.facts.clients.iter();
        let states = clients.flat_map(super::Clients::states);
        let client = |state: crate::client::ClientState| {
            let endpoints = state.endpoints.into_iter().map(|endpoint| Endpoint {
                name: endpoint.name.to_string(),
                connections: endpoint.connections,
                is_ejected: endpoint.is_ejected,
            });
            let breakers = state.breakers.into_iter();
            let mut breakers: Vec<_> = breakers.map(|(path, now)| (path, now.as_str())).collect();
            breakers.sort_unstable();
            Client {
                target: state.target.to_string(),
                endpoints: endpoints.collect(),
                breakers,
            }
        };
        states.map(client).collect()
    }

    #[cfg(not(feature = "client"))]
    #[allow(clippy::unused_self, reason = "the signature of the other one")]
    fn clients(&self) -> Vec<Client> {
        Vec::new()
    }
}

impl ServerStatus {
    /// The status as JSON, on one line.
    ///
    #[doc = include_str!("status.md")]
    #[must_use]
    pub fn to_json(&self) -> String {
        json::of(self).to_string()
    }

    /// Whether calls should be sent here: it serves, and its dependencies are healthy. Where no health is
    /// served, whether it serves.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let is_healthy = |health: &HealthReport| health.overall == ServingStatus::Serving;
        self.stage.name == StageName::Serving && self.health.as_ref().is_none_or(is_healthy)
    }

    /// In one word: how far the server is, and while it serves what its health says.
    pub(super) fn word(&self) -> &'static str {
        match self.stage.name {
            StageName::Serving if !self.is_ready() => "NOT_SERVING",
            stage => stage.as_str(),
        }
    }

    /// Why it is not ready, a line each.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        match self.stage.name {
            StageName::Serving => {}
            StageName::Starting => problems.push("the server doesn't serve yet".to_owned()),
            StageName::LameDuck => problems.push("the server will stop".to_owned()),
            StageName::Draining => problems.push("the server stops".to_owned()),
        }
        let health = self.health.as_ref().filter(|_| problems.is_empty());
        let dependencies = health.map_or(&[][..], |health| &health.dependencies);
        for dependency in dependencies {
            let (name, latest) = (&dependency.name, dependency.latest.as_ref());
            match dependency.is_healthy {
                Some(true) => {}
                Some(false) => {
                    let why = latest.and_then(|answer| answer.why.as_deref());
                    problems.push(format!("{name}: {}", why.unwrap_or("it failed")));
                }
                None => problems.push(format!("{name}: it has not answered yet")),
            }
        }
        if problems.is_empty() && !self.is_ready() {
            problems.push("health was set to NOT_SERVING".to_owned());
        }
        problems
    }
}

impl fmt::Debug for ServerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerStatus")
            .field("program", &self.program)
            .field("status", &self.word())
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}
