//! Sinks of all kinds, and what comes of lines.

use std::sync::{Mutex, mpsc};
use std::time::Instant;

use super::*;

const SOON: Duration = Duration::from_secs(30);

/// A sink that a test looks into, and that does what it says.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One that takes nothing until it is told.
struct Blocked {
    go: mpsc::Receiver<()>,
    kept: Kept,
}

impl Write for Blocked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Once told, it is never blocked again.
        let _ = self.go.recv();
        self.kept.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One of whose writes each does what is next.
struct ByScript {
    script: std::vec::IntoIter<io::Result<usize>>,
    kept: Kept,
}

impl Write for ByScript {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.script.next().unwrap_or(Ok(bytes.len()))?;
        self.kept.write(&bytes[..size.min(bytes.len())])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn put(writer: &Writer, line: &str) {
    writer.write(|buffer| buffer.extend_from_slice(line.as_bytes()));
}

#[test]
fn lines_are_written_in_their_order_and_a_flush_waits_for_them() {
    let kept = Kept::default();
    let writer = Writer::new(kept.clone());
    for number in 0..1000 {
        put(&writer, &format!("line {number}\n"));
    }
    assert!(writer.queue().flush(SOON));
    let lines: Vec<_> = (0..1000).map(|number| format!("line {number}\n")).collect();
    assert_eq!(kept.text(), lines.concat());
    assert_eq!(writer.queue().lost(), 0);
}

#[test]
fn what_is_put_in_by_many_threads_is_all_there_and_no_line_is_torn() {
    let kept = Kept::default();
    let writer = Writer::new(kept.clone());
    thread::scope(|scope| {
        for name in 0..8 {
            let writer = &writer;
            scope.spawn(move || {
                for number in 0..500 {
                    put(writer, &format!("{name}:{number}\n"));
                    if number % 100 == 0 {
                        thread::sleep(Duration::from_millis(15));
                    }
                }
            });
        }
    });
    drop(writer);
    let text = kept.text();
    for name in 0..8 {
        let prefix = format!("{name}:");
        let own = text.lines().filter_map(|line| line.strip_prefix(&prefix));
        let numbers: Vec<usize> = own.map(|number| number.parse().unwrap()).collect();
        assert!(numbers.into_iter().eq(0..500), "{name}");
    }
}

#[test]
fn dropping_it_writes_what_is_left() {
    let kept = Kept::default();
    let writer = Writer::new(kept.clone());
    put(&writer, "first\n");
    put(&writer, "last\n");
    drop(writer);
    assert_eq!(kept.text(), "first\nlast\n");
}

#[test]
fn a_sink_that_blocks_holds_nobody_up_and_what_was_lost_is_counted_and_told() {
    let (unblock, go) = mpsc::channel();
    let kept = Kept::default();
    let writer = Writer::new(Blocked {
        go,
        kept: kept.clone(),
    });
    writer.queue().set_capacity(100);
    put(&writer, "is being written\n");
    let started = Instant::now();
    while !writer.queue().is_taken() {
        assert!(started.elapsed() < SOON);
        thread::yield_now();
    }
    // 10 of them have room.
    for number in 0..25 {
        put(&writer, &format!("number {number:02}\n"));
    }
    assert!(!writer.queue().flush(Duration::from_millis(20)));
    assert_eq!(writer.queue().lost(), 15);
    drop(unblock);
    assert!(writer.queue().flush(SOON));
    let text = kept.text();
    let (lines, note) = text.split_at(text.find("{\"event\"").unwrap());
    assert!(
        lines.starts_with("is being written\nnumber 00\n"),
        "{lines}"
    );
    assert!(lines.ends_with("\nnumber 09\n"), "{lines}");
    let note: serde_json::Value = serde_json::from_str(note).unwrap();
    assert_eq!(note["event"], "grpc_log_lines_lost");
    assert_eq!(
        (&note["lines"], &note["level"]),
        (&15.into(), &"WARN".into())
    );
    put(&writer, "goes on\n");
    drop(writer);
    assert!(kept.text().ends_with("}\ngoes on\n"));
}

#[test]
fn a_capacity_beyond_all_memory_is_none() {
    let kept = Kept::default();
    let writer = Writer::new(kept.clone());
    writer.queue().set_capacity(usize::MAX);
    put(&writer, "a line\n");
    drop(writer);
    assert_eq!(kept.text(), "a line\n");
}

#[test]
fn dropping_it_waits_a_second_at_most_for_a_sink_that_blocks() {
    let (unblock, go) = mpsc::channel();
    let kept = Kept::default();
    let writer = Writer::new(Blocked { go, kept });
    put(&writer, "stays\n");
    let started = Instant::now();
    drop(writer);
    let took = started.elapsed();
    assert!(took >= LAST && took < SOON, "{took:?}");
    drop(unblock);
}

#[test]
fn a_write_in_parts_is_whole_and_one_that_is_interrupted_is_done_again() {
    let kept = Kept::default();
    let script = vec![
        Ok(2),
        Err(ErrorKind::Interrupted.into()),
        Err(ErrorKind::WouldBlock.into()),
        Ok(1),
    ];
    let writer = Writer::new(ByScript {
        script: script.into_iter(),
        kept: kept.clone(),
    });
    put(&writer, "a whole line\n");
    drop(writer);
    assert_eq!(kept.text(), "a whole line\n");
}

#[test]
fn a_sink_that_fails_loses_lines_and_the_next_begins_a_line_of_its_own() {
    let kept = Kept::default();
    let script = vec![Ok(3), Err(ErrorKind::StorageFull.into())];
    let writer = Writer::new(ByScript {
        script: script.into_iter(),
        kept: kept.clone(),
    });
    put(&writer, "torn\n");
    assert!(writer.queue().flush(SOON));
    assert_eq!((kept.text().as_str(), writer.queue().lost()), ("tor", 1));
    put(&writer, "whole\n");
    drop(writer);
    let text = kept.text();
    assert!(
        text.starts_with("tor\nwhole\n{\"event\":\"grpc_log_lines_lost\",\"lines\":1,"),
        "{text}"
    );
}

#[test]
fn a_sink_that_panics_loses_lines_and_nothing_else() {
    struct Panics;
    impl Write for Panics {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("a sink of the user's");
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let writer = Writer::new(Panics);
    for lost in 1..=2 {
        put(&writer, "lost\n");
        assert!(writer.queue().flush(SOON));
        assert_eq!(writer.queue().lost(), lost);
    }
}
