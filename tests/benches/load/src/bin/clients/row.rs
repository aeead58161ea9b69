//! A row: what is called, and by how many callers.

use std::fmt;
use std::str::FromStr;

use bench_load::Work;

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) work: Work,
    pub(crate) callers: usize,
    pub(crate) servers: usize,
}

impl FromStr for Row {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is no row, such as say-16x8 or say-16x8/4");
        let (rest, servers) = text.split_once('/').unwrap_or((text, "1"));
        let (work, callers) = rest.split_once('x').ok_or_else(wrong)?;
        Ok(Self {
            work: work.parse()?,
            callers: callers.parse().map_err(|_| wrong())?,
            servers: servers.parse().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.work, self.callers)?;
        match self.servers {
            1 => Ok(()),
            servers => write!(f, ", {servers} servers"),
        }
    }
}
