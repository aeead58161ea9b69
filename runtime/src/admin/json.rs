//! A server's status as JSON: its shape is documented in `status.md`.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::board::Program;
use super::status::{Client, Counted, MOST_ROWS, ServerStatus};
use crate::Method;
use crate::context::Peer;
use crate::health::{DependencyReport, HealthReport};
use crate::interceptors::timestamp;
use crate::server::{CallInFlight, Phase};
use crate::settings::EffectiveSettings;

pub(super) fn of(status: &ServerStatus) -> Value {
    let Program { name, version } = &status.program;
    let limits = status
        .limits
        .iter()
        .map(|limit| json!({"method": limit.method, "used": limit.used, "max": limit.max}));
    let rates = status
        .rates
        .iter()
        .map(|rate| json!({"method": rate.method, "limit": rate.limit, "callers": rate.callers}));
    json!({
        "program": {"name": name, "version": version},
        "apibase": env!("CARGO_PKG_VERSION"),
        "address": status.address,
        "time": time(status.now),
        "started": time(status.started),
        "uptime_ms": millis(status.uptime),
        "status": status.word(),
        "status_ms": since(status.stage.since),
        "ready": status.is_ready(),
        "health": status.health.as_ref().map(health),
        "calls": {
            "running": status.running,
            "oldest": list(status.calls.iter().map(call)),
        },
        "limits": list(limits),
        "rate_limits": list(rates),
        "connections": status.counted.as_ref().map(connections),
        "refusals": status.counted.as_ref().map(refusals),
        "clients": list(status.clients.iter().map(client)),
        "settings": {
            "server": settings(&status.settings),
            "clients": list(status.client_settings.iter().map(settings)),
        },
    })
}

fn health(health: &HealthReport) -> Value {
    let names = health
        .names
        .iter()
        .map(|(name, status)| json!({"name": name, "status": status.to_string()}));
    json!({
        "overall": health.overall.to_string(),
        "names": list(names),
        "dependencies": list(health.dependencies.iter().map(dependency)),
    })
}

fn dependency(dependency: &DependencyReport) -> Value {
    let latest = dependency.latest.as_ref();
    json!({
        "name": dependency.name,
        "state": dependency.state(),
        "error": latest.and_then(|answer| answer.why.as_deref()),
        "answered_ms_ago": latest.map(|answer| since(answer.at)),
        "took_ms": latest.map(|answer| millis(answer.took)),
        "since_ms": latest.map(|answer| since(answer.since)),
    })
}

fn call(call: &CallInFlight) -> Value {
    json!({
        "service": call.method.service(),
        "method": call.method.name(),
        "peer": call.peer.as_ref().map(peer),
        "age_ms": millis(call.age),
        "remaining_ms": call.remaining.map(millis),
        "phase": phase(call.phase),
        "trace_id": call.trace_id,
        "correlation_id": call.correlation_id,
    })
}

fn connections(counted: &Counted) -> Value {
    json!({
        "open": counted.connections,
        "max": counted.max_connections,
        "refused": counted.refused_connections,
    })
}

fn refusals(counted: &Counted) -> Value {
    let refusals = counted.refusals.iter();
    list(refusals.map(|refused| {
        let last = millis(refused.last);
        json!({"reason": refused.reason, "count": refused.times, "last_ms_ago": last})
    }))
}

fn client(client: &Client) -> Value {
    let endpoints = client.endpoints.iter().map(|endpoint| {
        json!({
            "address": endpoint.name,
            "connections": endpoint.connections,
            "ejected": endpoint.is_ejected,
        })
    });
    let breakers = client.breakers.iter().map(|(path, state)| {
        let method = Method::unary(path);
        json!({
            "service": method.service(),
            "method": method.name(),
            "state": state,
        })
    });
    json!({
        "target": client.target,
        "endpoints": list(endpoints),
        "breakers": list(breakers),
    })
}

fn settings(settings: &EffectiveSettings) -> Value {
    let all = settings.settings().iter().map(|setting| {
        json!({
            "key": setting.key(),
            "value": setting.value(),
            "default": setting.default_value(),
            "origin": setting.origin().to_string(),
        })
    });
    json!({
        "file": settings.file().map(|file| file.to_string_lossy()),
        "settings": list(all),
    })
}

/// No list is longer than those of the page.
fn list(entries: impl Iterator<Item = Value>) -> Value {
    Value::Array(entries.take(MOST_ROWS).collect())
}

pub(super) fn peer(peer: &Peer) -> String {
    match peer {
        Peer::Tcp(address) => address.to_string(),
        Peer::Unix => "unix".to_owned(),
    }
}

pub(super) const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Working => "WORKING",
        Phase::Replying => "REPLYING",
        Phase::Detached => "DETACHED",
    }
}

pub(super) fn time(time: std::time::SystemTime) -> String {
    let mut text = Vec::with_capacity(24);
    timestamp(&mut text, time);
    String::from_utf8_lossy(&text).into_owned()
}

fn since(instant: Instant) -> u64 {
    millis(instant.elapsed())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
