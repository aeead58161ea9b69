//! What the tests of Logging share: a sink, and the lines in it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use apibase::Logging;
use serde_json::Value;

/// Far beyond what anything here takes.
const FAILSAFE: Duration = Duration::from_secs(60);

/// What was logged, for who has its [`Logging`].
pub(crate) struct Lines {
    logging: Logging,
    sink: Sink,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log, and what is in it.
pub(crate) fn logged() -> (Logging, Lines) {
    let sink = Sink::default();
    let logging = Logging::to(sink.clone());
    let lines = Lines {
        logging: logging.clone(),
        sink,
    };
    (logging, lines)
}

impl Lines {
    /// All that is there, as text.
    pub(crate) fn text(&self) -> String {
        assert!(self.logging.flush(FAILSAFE));
        String::from_utf8(self.sink.0.lock().unwrap().clone()).unwrap()
    }

    /// All that is there.
    pub(crate) fn all(&self) -> Vec<Value> {
        let text = self.text();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Takes so many lines, and there are no more: a call's line is there when its body is gone, a
    /// little after its answer.
    pub(crate) async fn take(&self, count: usize) -> Vec<Value> {
        let started = Instant::now();
        while self.all().len() < count {
            assert!(started.elapsed() < FAILSAFE, "{} of {count}", self.text());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let all = self.all();
        assert_eq!(all.len(), count, "{}", self.text());
        self.sink.0.lock().unwrap().clear();
        all
    }

    /// Takes the one line that there is.
    pub(crate) async fn one(&self) -> Value {
        self.take(1).await.remove(0)
    }
}
