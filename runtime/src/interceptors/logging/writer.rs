//! [`Writer`]: writes lines where they go to, on a thread of its own.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use super::clock;
use super::json;
use super::level::Level;
use super::queue::{DEFAULT_CAPACITY, Next, Queue, count_lines};

/// How long the last one waits for the lines that are on their way.
const LAST: Duration = Duration::from_secs(1);

/// Where a sink says that it takes nothing now: before it is asked again.
const PAUSE: Duration = Duration::from_millis(5);

thread_local! {
    /// What lines are written into, line after line.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Where lines go. What is written there waits for nobody: a thread takes it from a queue that is
/// bounded. Dropping it gives that thread a second to write what is left.
pub(super) struct Writer {
    queue: Arc<Queue>,
    /// Why there is no thread.
    problem: Option<String>,
}

impl Writer {
    /// Writes into `sink`. Where the system gives no thread, all lines are lost and
    /// [`problem`](Self::problem) says why.
    pub(super) fn new(sink: impl Write + Send + 'static) -> Self {
        let queue = Arc::new(Queue::new());
        let thread = thread::Builder::new().name("apibase-log".to_owned());
        let of_thread = Arc::clone(&queue);
        let started = thread.spawn(move || run(&Ending(of_thread), sink));
        let problem = started.err().map(|error| {
            queue.abandon();
            error.to_string()
        });
        Self { queue, problem }
    }

    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Writes one line by `compose`, which gets an empty buffer.
    pub(super) fn write(&self, compose: impl FnOnce(&mut Vec<u8>)) {
        // A thread that ends has none any more, and makes one.
        let mut line = LINE.try_with(Cell::take).unwrap_or_default();
        line.clear();
        compose(&mut line);
        self.queue.put(&line);
        let _ = LINE.try_with(|kept| kept.set(line));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close(LAST);
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// The thread's end, however it comes.
struct Ending(Arc<Queue>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn run(of: &Ending, sink: impl Write) {
    let queue = &*of.0;
    let mut sink = Sink {
        sink,
        queue,
        is_torn: false,
        is_broken: false,
        last_pauses: 0,
    };
    let mut lines = Vec::with_capacity(DEFAULT_CAPACITY);
    let mut note = Vec::new();
    while let Next::Write { lost } = queue.take(&mut lines) {
        let failed = sink.write(&lines);
        // They were lost after those that are in front of this.
        let untold = match lost {
            0 => 0,
            lost => {
                note.clear();
                say_lost(&mut note, lost);
                if sink.write(&note) == 0 { 0 } else { lost }
            }
        };
        queue.settle(lines.len(), failed, untold);
        lines.clear();
        queue.linger();
    }
}

/// The line that says that others are missing.
fn say_lost(line: &mut Vec<u8>, lost: u64) {
    line.extend_from_slice(br#"{"event":"grpc_log_lines_lost","lines":"#);
    json::integer(line, lost);
    line.extend_from_slice(br#","timestamp":""#);
    clock::timestamp(line, SystemTime::now());
    line.extend_from_slice(br#"","level":""#);
    line.extend_from_slice(Level::Warn.as_str().as_bytes());
    line.extend_from_slice(b"\"}\n");
}

struct Sink<'a, W> {
    sink: W,
    queue: &'a Queue,
    /// The last line was written in part.
    is_torn: bool,
    /// What was written last failed.
    is_broken: bool,
    /// How often it has paused since no more lines come.
    last_pauses: u32,
}

impl<W: Write> Sink<'_, W> {
    /// Writes whole lines, and returns how many of them were lost.
    fn write(&mut self, lines: &[u8]) -> u64 {
        let mut rest = lines;
        let written = self.write_until_done(&mut rest);
        let Err(error) = written else {
            self.is_broken = false;
            return 0;
        };
        // Once, and not for each of the lines that follow.
        if !std::mem::replace(&mut self.is_broken, true) {
            tracing::error!(%error, "the access log can't be written");
        }
        let before = lines.len() - rest.len();
        let last = before.checked_sub(1).and_then(|last| lines.get(last));
        self.is_torn |= last.is_some_and(|last| *last != b'\n');
        count_lines(rest)
    }

    fn write_until_done(&mut self, rest: &mut &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.write_all(&mut &b"\n"[..])?;
            self.is_torn = false;
        }
        self.write_all(rest)?;
        unless_it_panics(|| self.sink.flush())
    }

    /// Whether a sink that takes nothing now is asked again: nobody waits for the thread any longer when
    /// its last lines had their time.
    fn may_pause(&mut self) -> bool {
        if !self.queue.is_closed() {
            return true;
        }
        self.last_pauses += 1;
        PAUSE * self.last_pauses <= LAST
    }

    /// As the standard library's, which doesn't tell how far it came.
    fn write_all(&mut self, rest: &mut &[u8]) -> io::Result<()> {
        while !rest.is_empty() {
            match unless_it_panics(|| self.sink.write(rest)) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => *rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A pipe that somebody else has made non-blocking, and that is full.
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.may_pause() => {
                    thread::sleep(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A sink is the user's, and the thread goes on without it.
fn unless_it_panics<T>(run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(io::Error::other("it panicked")))
}
