//! How a client is measured.

use std::error::Error;
use std::process::Command;

use bench_load::compare::{self, Side};
use bench_load::{Callgrind, Figures, on_core};

use crate::row::Row;
use crate::servers::Servers;

type Options = compare::Options<Row>;

impl compare::Row for Row {
    fn is_for(&self, _: &Side) -> bool {
        true
    }

    fn is_long(&self) -> bool {
        self.work.messages() > 1
    }

    /// A client and its servers, from their start to their end.
    fn time(&self, side: &Side, options: &Options) -> Result<Figures, Box<dyn Error>> {
        let servers = Servers::start(options, self)?;
        let seconds = options.time.as_secs_f64().to_string();
        let ending = ["after", &seconds, &servers.pids()];
        let client = on_core(1, &side.binary);
        servers.called_by(client, self, &ending)?.parse()
    }

    fn allocations(
        &self,
        side: &Side,
        options: &Options,
        calls: u64,
    ) -> Result<[f64; 2], Box<dyn Error>> {
        let servers = Servers::start(options, self)?;
        let client = Command::new(side.counting());
        let said = servers.called_by(client, self, &["calls", &calls.to_string()])?;
        let figures: Result<Vec<f64>, _> = said.split_whitespace().map(str::parse).collect();
        let counted = <[f64; 2]>::try_from(figures?);
        Ok(counted.map_err(|_| format!("a client counted {said:?}"))?)
    }

    fn instructions(
        &self,
        side: &Side,
        options: &Options,
        calls: u64,
    ) -> Result<f64, Box<dyn Error>> {
        let servers = Servers::start(options, self)?;
        let (client, counted) = Callgrind::of(&side.binary);
        servers
            .called_by(client, self, &["calls", &calls.to_string()])
            .map_err(|error| format!("{error} (apt-get install valgrind)"))?;
        counted.total()
    }
}
