//! The lists of the page.

use std::fmt::{self, Display as _, Formatter};

use tokio::time::Instant;

use super::table::{Cell, Table};
use super::words::{Count, Span, Tone};
use super::{settings, spaced};
use crate::admin::json::{peer, phase};
use crate::admin::status::{Client, Limit, RateOf, ServerStatus};
use crate::health::{DependencyReport, ServingStatus};
use crate::server::CallInFlight;

pub(super) fn write(status: &ServerStatus, f: &mut Formatter<'_>) -> fmt::Result {
    health(status, f)?;
    calls(status, f)?;
    clients(status, f)?;
    f.write_str("<div class=\"pair\">\n")?;
    refusals(status, f)?;
    limits(status, f)?;
    f.write_str("</div>\n")?;
    section(f, "settings", "Settings", |f| {
        settings::write(&status.settings, "this server", f)?;
        for of_clients in &status.client_settings {
            settings::write(of_clients, "its clients", f)?;
        }
        Ok(())
    })
}

fn section(
    f: &mut Formatter<'_>,
    id: &str,
    title: &str,
    write: impl FnOnce(&mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    writeln!(
        f,
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>"
    )?;
    write(f)?;
    f.write_str("</section>\n")
}

/// What few look for, behind a line that opens it.
pub(super) fn folded(f: &mut Formatter<'_>, line: &str, table: &Table<'_>) -> fmt::Result {
    writeln!(f, "<details><summary>{line}</summary>\n{table}</details>")
}

pub(super) fn empty(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    writeln!(f, "<p class=\"empty\">{text}</p>")
}

fn health(status: &ServerStatus, f: &mut Formatter<'_>) -> fmt::Result {
    section(f, "health", "Health", |f| {
        let Some(health) = &status.health else {
            return empty(f, "This server doesn't serve its own health.");
        };
        if health.dependencies.is_empty() {
            empty(f, "It has no dependencies.")?;
        } else {
            let heads = ["Dependency", "State", "For", "Last answer", "Came", "Took"];
            let rows = health.dependencies.iter().map(dependency);
            let caption = "What it can't do without, and what that has answered last";
            Table::new(caption, &heads, rows).fmt(f)?;
        }
        let rows = health.names.iter().map(|(name, serving)| {
            let tone = match serving {
                ServingStatus::Serving => Tone::Good,
                ServingStatus::NotServing => Tone::Bad,
            };
            vec![
                Cell::code(name),
                Cell::word(tone, spaced(&serving.to_string())),
            ]
        });
        let caption = "What those are told who ask for a service by name";
        let names = Table::new(caption, &["Name", "State"], rows);
        let count = health.names.len();
        folded(f, &format!("{count} names to ask for"), &names)
    })
}

fn dependency(dependency: &DependencyReport) -> Vec<Cell> {
    let tone = match dependency.is_healthy {
        Some(true) => Tone::Good,
        Some(false) => Tone::Bad,
        None => Tone::Plain,
    };
    let latest = dependency.latest.as_ref();
    let since = latest.filter(|_| dependency.is_healthy.is_some());
    vec![
        Cell::text(&dependency.name),
        Cell::word(tone, dependency.state().to_lowercase()),
        since.map(|answer| Cell::number(ago(answer.since))).into(),
        match latest {
            Some(answer) => Cell::text(answer.why.as_deref().unwrap_or("it passed")),
            None => Cell::text("none so far"),
        },
        latest
            .map(|answer| Cell::number(format!("{} ago", ago(answer.at))))
            .into(),
        latest.map(|answer| Cell::number(Span(answer.took))).into(),
    ]
}

fn ago(instant: Instant) -> Span {
    Span(instant.elapsed())
}

fn calls(status: &ServerStatus, f: &mut Formatter<'_>) -> fmt::Result {
    section(f, "calls", "Calls that run", |f| {
        if status.calls.is_empty() {
            return empty(f, "None.");
        }
        let heads = [
            "Method",
            "Phase",
            "Age",
            "Time left",
            "Peer",
            "Trace",
            "Correlation id",
        ];
        Table::new("The oldest first", &heads, status.calls.iter().map(call))
            .of_total(status.running)
            .fmt(f)
    })
}

fn call(call: &CallInFlight) -> Vec<Cell> {
    let id = |id: &Option<String>| id.as_ref().map(Cell::code).into();
    vec![
        Cell::code(format_args!(
            "{}/{}",
            call.method.service(),
            call.method.name()
        )),
        Cell::text(phase(call.phase).to_lowercase()),
        Cell::number(Span(call.age)),
        match call.remaining {
            None => Cell::text("no deadline"),
            Some(remaining) if remaining.is_zero() => Cell::word(Tone::Bad, "none"),
            Some(remaining) => Cell::number(Span(remaining)),
        },
        call.peer.as_ref().map(|who| Cell::code(peer(who))).into(),
        id(&call.trace_id),
        id(&call.correlation_id),
    ]
}

fn refusals(status: &ServerStatus, f: &mut Formatter<'_>) -> fmt::Result {
    let Some(counted) = &status.counted else {
        return Ok(());
    };
    section(f, "refusals", "Refused requests", |f| {
        if counted.refusals.is_empty() {
            return empty(f, "None since it started.");
        }
        let rows = counted.refusals.iter().map(|refused| {
            vec![
                Cell::code(refused.reason),
                Cell::number(Count(refused.times)),
                Cell::number(format!("{} ago", Span(refused.last))),
            ]
        });
        let caption = "What the server itself has refused since it started, by its reason";
        Table::new(caption, &["Reason", "Times", "Last"], rows).fmt(f)
    })
}

fn limits(status: &ServerStatus, f: &mut Formatter<'_>) -> fmt::Result {
    section(f, "limits", "Limits", |f| {
        let limit = |limit: &Limit| {
            let (of, label) = match limit.method {
                None => (Cell::text("all methods together"), "all methods together"),
                Some(path) => (Cell::code(shown(path)), path),
            };
            let meter = Cell::Meter {
                label: format!("calls at once, {label}"),
                used: limit.used,
                max: limit.max,
            };
            vec![of, meter]
        };
        let rows = status.limits.iter().map(limit);
        Table::new("Calls at once", &["Of", "Taken"], rows).fmt(f)?;
        if status.rates.is_empty() {
            return Ok(());
        }
        let rate = |rate: &RateOf| {
            vec![
                Cell::code(shown(rate.method)),
                Cell::text(&rate.limit),
                Cell::number(Count::of(rate.callers)),
            ]
        };
        let heads = ["Of", "Each caller may", "Callers lately"];
        let rows = status.rates.iter().map(rate);
        Table::new("How often methods may be called", &heads, rows).fmt(f)
    })
}

/// `/package.Service/Method` without the first slash, which says nothing to a person.
fn shown(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

fn clients(status: &ServerStatus, f: &mut Formatter<'_>) -> fmt::Result {
    if status.clients.is_empty() {
        return Ok(());
    }
    section(f, "clients", "Clients", |f| {
        let endpoints = status.clients.iter().flat_map(endpoints);
        let heads = ["Target", "Endpoint", "State", "Connections"];
        let caption = "Where calls go, and the connections that are open";
        Table::new(caption, &heads, endpoints).fmt(f)?;
        let breakers = status.clients.iter().flat_map(breakers);
        let (closed, open): (Vec<_>, Vec<_>) = breakers.partition(|(is_closed, _)| *is_closed);
        let heads = ["Target", "Method", "State"];
        // What lets nothing through is what somebody looks for.
        if !open.is_empty() {
            let rows = open.into_iter().map(|(_, row)| row);
            Table::new("Circuit breakers that are not closed", &heads, rows).fmt(f)?;
        }
        if closed.is_empty() {
            return Ok(());
        }
        let line = format!("{} circuit breakers are closed", closed.len());
        let rows = closed.into_iter().map(|(_, row)| row);
        let closed = Table::new("Circuit breakers that are closed", &heads, rows);
        folded(f, &line, &closed)
    })
}

fn endpoints(client: &Client) -> Vec<Vec<Cell>> {
    if client.endpoints.is_empty() {
        let none = Cell::word(Tone::Warn, "no endpoints so far");
        return vec![vec![
            Cell::code(&client.target),
            Cell::Nothing,
            none,
            Cell::Nothing,
        ]];
    }
    let endpoints = client.endpoints.iter().map(|endpoint| {
        let (tone, state) = match (endpoint.is_ejected, endpoint.connections) {
            (true, _) => (Tone::Bad, "left out: its calls fail"),
            (false, 0) => (Tone::Warn, "not connected"),
            (false, _) => (Tone::Good, "connected"),
        };
        vec![
            Cell::code(&client.target),
            Cell::code(&endpoint.name),
            Cell::word(tone, state),
            Cell::number(Count::of(endpoint.connections)),
        ]
    });
    endpoints.collect()
}

/// Each with whether it is closed.
fn breakers(client: &Client) -> Vec<(bool, Vec<Cell>)> {
    let breakers = client.breakers.iter().map(|(path, state)| {
        let tone = match *state {
            "OPEN" | "FORCED_OPEN" => Tone::Bad,
            "HALF_OPEN" => Tone::Warn,
            _ => Tone::Good,
        };
        let state = spaced(state).to_lowercase();
        let row = vec![
            Cell::code(&client.target),
            Cell::code(shown(path)),
            Cell::word(tone, state),
        ];
        (tone == Tone::Good, row)
    });
    breakers.collect()
}
