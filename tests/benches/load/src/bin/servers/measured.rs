//! How a server is measured.

use std::error::Error;
use std::process::Command;

use bench_load::compare::{self, Side};
use bench_load::{Call, Callgrind, Ending, Figures, Server, on_core, run};

use crate::row::Row;
use crate::server;

type Options = compare::Options<Row>;

impl compare::Row for Row {
    fn is_for(&self, side: &Side) -> bool {
        server::has(side, self.request)
    }

    fn is_long(&self) -> bool {
        self.request.call != Call::Get
    }

    /// A server, from its start to its end. The generator is a process of its own, so that it can be kept
    /// to another core.
    fn time(&self, side: &Side, options: &Options) -> Result<Figures, Box<dyn Error>> {
        let server = server::start(side, self.workers)?;
        let load = options.bin.join("load");
        let mut command = match self.workers {
            1 => on_core(1, &load),
            _ => Command::new(load),
        };
        let output = command
            .args(["time", &server.address.to_string()])
            .args([
                server::request(side, self.request).to_string(),
                self.shape.to_string(),
            ])
            .args([
                options.time.as_secs_f64().to_string(),
                server.pid().to_string(),
            ])
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{self}, {}: {said}", side.name).into());
        }
        String::from_utf8(output.stdout)?.parse()
    }

    fn allocations(
        &self,
        side: &Side,
        _: &Options,
        calls: u64,
    ) -> Result<[f64; 2], Box<dyn Error>> {
        let mut server = server::start_counted(side)?;
        // What a server makes once, a log's buffers for example, is there by then.
        self.call(&server, side, calls.div_ceil(10))?;
        // The difference is free of what a connection costs.
        let [fewer, fewer_bytes] = self.count(&mut server, side, calls)?;
        let [more, more_bytes] = self.count(&mut server, side, 2 * calls)?;
        Ok([more - fewer, more_bytes - fewer_bytes])
    }

    fn instructions(&self, side: &Side, _: &Options, calls: u64) -> Result<f64, Box<dyn Error>> {
        let (command, counted) = Callgrind::of(&side.binary);
        let mut server = Server::start(command)
            .map_err(|error| format!("{error} (apt-get install valgrind)"))?;
        self.call(&server, side, calls)?;
        server.stop();
        counted.total()
    }
}

impl Row {
    fn call(&self, server: &Server, side: &Side, calls: u64) -> Result<(), Box<dyn Error>> {
        let request = server::request(side, self.request);
        run(server.address, request, self.shape, Ending::Calls(calls))?;
        Ok(())
    }

    /// The allocations of so many calls, and their bytes, with what a connection costs.
    fn count(
        &self,
        server: &mut Server,
        side: &Side,
        calls: u64,
    ) -> Result<[f64; 2], Box<dyn Error>> {
        let before = server.count()?;
        self.call(server, side, calls)?;
        let counted = server.count()?.since(before);
        Ok([counted.allocations as f64, counted.bytes as f64])
    }
}
