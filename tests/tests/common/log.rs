//! What the servers of a test write to the log.

use std::any::Any;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::thread;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What the servers of this thread write to the log, while it is there.
pub(crate) struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    /// Whose type is `tracing`'s. The subscriber is this thread's until it is dropped.
    _guard: Box<dyn Any>,
}

/// What is said where nothing is set: from INFO on.
pub(crate) fn log() -> Log {
    log_from(LevelFilter::INFO)
}

/// All that is said.
pub(crate) fn log_of_all() -> Log {
    log_from(LevelFilter::TRACE)
}

/// A subscriber that hears nothing and stays.
///
/// While there is but one, `tracing` asks only the thread that is the first to reach an event whether
/// anybody wants it. Where that is the thread of another test, which logs nothing, nobody ever does.
static SECOND: LazyLock<()> = LazyLock::new(|| {
    let (there, is_there) = mpsc::channel();
    thread::spawn(move || {
        let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::OFF);
        let _guard = subscriber.finish().set_default();
        there.send(()).unwrap();
        loop {
            thread::park();
        }
    });
    is_there.recv().unwrap();
});

fn log_from(level: LevelFilter) -> Log {
    LazyLock::force(&SECOND);
    struct Writer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Writer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let text = Arc::<Mutex<Vec<u8>>>::default();
    let written = Arc::clone(&text);
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(level)
        .with_writer(move || Writer(Arc::clone(&written)))
        .finish();
    Log {
        text,
        _guard: Box::new(subscriber.set_default()),
    }
}

impl Log {
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.text.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Those lines that are the runtime's own: what HTTP/2's libraries say of each frame is theirs.
    pub(crate) fn own_lines(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| line.contains(" apibase::"));
        lines
    }
}
