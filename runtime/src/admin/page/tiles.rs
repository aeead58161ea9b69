//! What matters most, large: the figures at the top of the page.

use std::fmt;

use super::table::Meter;
use super::words::{Count, Tone};
use crate::admin::board::StageName;
use crate::admin::status::ServerStatus;

/// A figure.
struct Tile {
    name: &'static str,
    figure: String,
    /// What it is of.
    of: String,
    tone: Tone,
    /// How much of how much, where that is to be drawn.
    full: Option<(usize, usize)>,
}

pub(super) fn write(status: &ServerStatus, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("<dl class=\"tiles\">\n")?;
    let tiles = [
        Some(calls(status)),
        connections(status),
        refused(status),
        dependencies(status),
        breakers(status),
    ];
    for tile in tiles.into_iter().flatten() {
        let (name, tone) = (tile.name, tile.tone.as_str());
        write!(f, "<div class=\"tile {tone}\"><dt>{name}</dt><dd>")?;
        write!(f, "<b>{}</b> <span>{}</span>", tile.figure, tile.of)?;
        if let Some((used, max)) = tile.full {
            let meter = Meter {
                label: name,
                used,
                max,
            };
            meter.bar(f)?;
        }
        f.write_str("</dd></div>\n")?;
    }
    f.write_str("</dl>\n")
}

fn calls(status: &ServerStatus) -> Tile {
    let limit = status.limits.iter().find(|limit| limit.method.is_none());
    // Those that aren't limited, of health, run as well.
    let full = limit.map(|limit| (limit.used, limit.max));
    Tile {
        name: "Calls that run",
        figure: Count::of(status.running).to_string(),
        of: limit.map_or_else(String::new, |limit| {
            let (used, max) = (Count::of(limit.used), Count::of(limit.max));
            match limit.used == status.running {
                true => format!("of {max}"),
                false => format!("{used} of {max} places taken"),
            }
        }),
        tone: match full {
            Some((used, max)) if used >= max => Tone::Bad,
            _ => Tone::Plain,
        },
        full,
    }
}

fn connections(status: &ServerStatus) -> Option<Tile> {
    let counted = status.counted.as_ref()?;
    let (open, refused) = (counted.connections, counted.refused_connections);
    let max = counted.max_connections.map(Count::of);
    let max = max.map_or_else(String::new, |max| format!("of {max}"));
    Some(Tile {
        name: "Connections",
        figure: Count::of(open).to_string(),
        of: match refused {
            0 => max,
            refused => format!("{max}, {} refused", Count(refused)),
        },
        tone: match counted.max_connections {
            Some(max) if open >= max => Tone::Bad,
            _ => Tone::Plain,
        },
        full: counted.max_connections.map(|max| (open, max)),
    })
}

fn refused(status: &ServerStatus) -> Option<Tile> {
    let refusals = &status.counted.as_ref()?.refusals;
    let times: u64 = refusals.iter().map(|refused| refused.times).sum();
    Some(Tile {
        name: "Refused requests",
        figure: Count(times).to_string(),
        of: match refusals.len() {
            0 => "since it started".to_owned(),
            1 => "for one reason".to_owned(),
            reasons => format!("for {reasons} reasons"),
        },
        tone: match times {
            0 => Tone::Plain,
            _ => Tone::Warn,
        },
        full: None,
    })
}

fn dependencies(status: &ServerStatus) -> Option<Tile> {
    let dependencies = &status.health.as_ref()?.dependencies;
    let healthy = dependencies.iter();
    let healthy = healthy.filter(|one| one.is_healthy == Some(true)).count();
    let all = dependencies.len();
    if all > 0 && status.stage.name > StageName::Serving {
        return Some(Tile {
            name: "Dependencies",
            figure: "–".to_owned(),
            of: "not checked any more".to_owned(),
            tone: Tone::Plain,
            full: None,
        });
    }
    Some(Tile {
        name: "Dependencies",
        figure: Count::of(healthy).to_string(),
        of: match all {
            0 => "it has none".to_owned(),
            all => format!("of {} healthy", Count::of(all)),
        },
        tone: match healthy == all {
            true => Tone::Plain,
            false => Tone::Bad,
        },
        full: None,
    })
}

fn breakers(status: &ServerStatus) -> Option<Tile> {
    let breakers = status.clients.iter().flat_map(|client| &client.breakers);
    let (mut all, mut open) = (0, 0);
    for (_, state) in breakers {
        all += 1;
        open += usize::from(!state.ends_with("CLOSED"));
    }
    (!status.clients.is_empty()).then(|| Tile {
        name: "Circuit breakers",
        figure: Count::of(open).to_string(),
        of: format!("of {} not closed", Count::of(all)),
        tone: match open {
            0 => Tone::Plain,
            _ => Tone::Bad,
        },
        full: None,
    })
}
