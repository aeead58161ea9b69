//! What the demo looks like.

use std::io::{self, Write};

use crate::item::Item;

const NEXT: &str = "
Where to look next
    protos/examples/items.proto      the contract, with all the rules
    examples/items/src/service.rs    the servicer: one async fn for each RPC
    examples/items/src/demo.rs       the calls above
    examples/items/src/item.rs       the domain's own type, and its rules
    examples/items/build.rs          the few lines that generate the rest

    cargo run -p items -- serve      the same service, on port 50051
";

/// Writes the demo's output.
pub(super) struct Page<'a, W> {
    out: &'a mut W,
}

impl<'a, W: Write> Page<'a, W> {
    pub(super) fn new(out: &'a mut W) -> Self {
        Self { out }
    }

    pub(super) fn start(&mut self, address: &str, store: &str) -> io::Result<()> {
        writeln!(self.out, "The items of a shop, over gRPC")?;
        writeln!(self.out, "    server   {address}, on a free port")?;
        writeln!(self.out, "    store    {store}, deleted at the end")?;
        writeln!(
            self.out,
            "    -> is what the client sends, <- what it gets back"
        )
    }

    /// Starts with another RPC.
    pub(super) fn rpc(&mut self, name: &str, kind: &str) -> io::Result<()> {
        writeln!(self.out, "\n{name}: {kind}")
    }

    pub(super) fn sent(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "    -> {text}")
    }

    pub(super) fn came(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "    <- {text}")
    }

    pub(super) fn remark(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "       ({text})")
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(NEXT.as_bytes())?;
        self.out.flush()
    }
}

/// An item in one line.
pub(super) fn line(item: &Item) -> String {
    let changed = if item.updated_at.is_some() {
        ", changed since"
    } else {
        ""
    };
    format!(
        "{}  {}, {}: {} at {:.2}{changed}",
        item.id, item.sku, item.name, item.quantity, item.price
    )
}
