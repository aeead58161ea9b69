//! What the servers of a test write to the log.

use std::any::Any;
use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::util::SubscriberInitExt as _;

/// What the servers of this thread write to the log, while it is there.
pub(crate) struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    /// Whose type is `tracing`'s. The subscriber is this thread's until it is dropped.
    _guard: Box<dyn Any>,
}

pub(crate) fn log() -> Log {
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
}
