//! A row: what is called, and over how many connections.

use std::fmt;
use std::str::FromStr;

use bench_load::{Call, Request, Shape};

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) request: Request,
    pub(crate) shape: Shape,
    pub(crate) workers: usize,
}

impl FromStr for Row {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, workers) = text.split_once('/').unwrap_or((text, "1"));
        let (call, shape) = rest.split_once('-').unwrap_or(("get", rest));
        Ok(Self {
            request: call.parse()?,
            shape: shape.parse()?,
            workers: workers.parse().map_err(|_| format!("{text} is no row"))?,
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = match self.request.call {
            Call::Get | Call::Json => "GetItem",
            Call::Create => "CreateItem",
            Call::Health => "Check",
            Call::List => "ListItems",
            Call::Sync => "SyncItems",
        };
        let Shape {
            connections,
            streams,
        } = self.shape;
        let with = match self.request.has_token {
            true => ", with a token",
            false => "",
        };
        write!(f, "{call}{with} {connections}×{streams}")?;
        match self.workers {
            1 => Ok(()),
            workers => write!(f, ", {workers} workers"),
        }
    }
}
