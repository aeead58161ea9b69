use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

/// Frames that are there at once, each a number of its own.
struct Numbers {
    next: u32,
    count: u32,
    size: usize,
}

impl encode::Source for Numbers {
    fn poll_fill(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<Fill> {
        if self.next == self.count {
            return Poll::Ready(Fill::End(Ok(())));
        }
        buffer.extend_from_slice(&frame(self.next, self.size));
        self.next += 1;
        Poll::Ready(Fill::More)
    }
}

/// What one poll says.
type Step = Box<dyn FnOnce(&mut BytesMut) -> Poll<Fill> + Send>;

/// A source by script.
struct Script(VecDeque<Step>);

impl encode::Source for Script {
    fn poll_fill(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<Fill> {
        match self.0.pop_front() {
            Some(step) => step(buffer),
            None => Poll::Ready(Fill::End(Ok(()))),
        }
    }
}

fn frame(number: u32, size: usize) -> Vec<u8> {
    let mut frame = number.to_be_bytes().to_vec();
    frame.resize(size, 7);
    frame
}

fn numbers(count: u32, size: usize) -> Replay {
    Replay::new(Box::new(Numbers {
        next: 0,
        count,
        size,
    }))
}

fn poll(body: &mut ReplayBody) -> Poll<Option<Result<Bytes, Status>>> {
    body.poll_next(&mut Context::from_waker(Waker::noop()))
}

fn next(body: &mut ReplayBody) -> Option<Bytes> {
    match poll(body) {
        Poll::Ready(next) => next.map(Result::unwrap),
        Poll::Pending => panic!("everything is there"),
    }
}

/// What an attempt sends until it has sent all.
fn rest(body: &mut ReplayBody) -> Vec<u32> {
    let number = |frame: Bytes| u32::from_be_bytes(frame[..4].try_into().unwrap());
    std::iter::from_fn(|| next(body)).map(number).collect()
}

#[test]
fn an_attempt_that_is_over_reads_nothing_more_and_the_next_one_sends_all() {
    let replay = numbers(8, 100 * 1024);
    let mut first = replay.attempt();
    next(&mut first).unwrap();
    assert!(replay.halt(), "all that was read is kept");
    // Between two attempts, a transport goes on for a while.
    for _ in 0..8 {
        assert!(matches!(poll(&mut first), Poll::Ready(Some(Err(_)))));
    }
    assert_eq!(rest(&mut replay.attempt()), (0..8).collect::<Vec<_>>());
}

#[test]
fn what_is_more_than_is_kept_is_sent_once() {
    let replay = numbers(8, 100 * 1024);
    let mut first = replay.attempt();
    for _ in 0..3 {
        next(&mut first).unwrap();
    }
    assert!(!replay.halt(), "300 KiB are not kept");
    assert!(lock(&replay.0).kept.is_none());
}

#[test]
fn what_a_poll_reads_that_was_under_way_is_the_next_attempts_too() {
    // The first attempt is over while its poll is in the caller's stream.
    let replay = Arc::new(numbers(0, 0));
    let halting = Arc::clone(&replay);
    lock(&replay.0).source = Some(Box::new(Script(VecDeque::from([
        Box::new(move |buffer: &mut BytesMut| {
            assert!(halting.halt());
            buffer.extend_from_slice(&frame(0, 8));
            Poll::Ready(Fill::More)
        }) as Step,
        Box::new(|buffer: &mut BytesMut| {
            buffer.extend_from_slice(&frame(1, 8));
            Poll::Ready(Fill::End(Ok(())))
        }),
    ]))));
    let mut first = replay.attempt();
    let _ = poll(&mut first);
    assert_eq!(rest(&mut replay.attempt()), [0, 1]);
}

#[test]
fn rule_12_what_is_kept_is_let_go_when_the_call_is_committed() {
    let replay = numbers(4, 10);
    let mut body = replay.attempt();
    next(&mut body).unwrap();
    assert_eq!(lock(&replay.0).kept.as_ref().map(Vec::len), Some(1));
    replay.commit();
    assert!(lock(&replay.0).kept.is_none());
    // The attempt that the call is committed to sends the rest.
    assert_eq!(rest(&mut body), [1, 2, 3]);
    assert!(lock(&replay.0).kept.is_none());
    assert!(!replay.halt());
}

#[test]
fn rule_12_attempts_that_take_turns_on_two_threads_never_mix_what_they_send() {
    const FRAMES: u32 = 64;
    for round in 0..256 {
        let replay = numbers(FRAMES, 16);
        let mut first = replay.attempt();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let mut read = Vec::new();
                loop {
                    match poll(&mut first) {
                        Poll::Ready(Some(Ok(frame))) => read.push(frame),
                        Poll::Ready(_) => break,
                        Poll::Pending => thread::yield_now(),
                    }
                }
                is_over.store(true, Ordering::SeqCst);
                read.len()
            });
            for _ in 0..round {
                std::hint::spin_loop();
            }
            assert!(replay.halt());
            let mut second = replay.attempt();
            let mut sent = Vec::new();
            loop {
                match poll(&mut second) {
                    Poll::Ready(Some(frame)) => sent.push(frame.unwrap()),
                    Poll::Ready(None) => break,
                    // The first one's poll is in the caller's stream.
                    Poll::Pending => thread::yield_now(),
                }
            }
            let all: Vec<_> = (0..FRAMES).map(|number| frame(number, 16)).collect();
            assert_eq!(sent, all, "round {round}");
            assert!(reading.join().unwrap() <= FRAMES as usize);
        });
    }
}

#[test]
fn a_stream_of_requests_that_panics_ends_the_call() {
    let replay =
        Replay::new(Box::new(Script(VecDeque::from([
            Box::new(|_: &mut BytesMut| -> Poll<Fill> { panic!("on purpose") }) as Step,
        ]))));
    let mut body = replay.attempt();
    assert!(matches!(poll(&mut body), Poll::Ready(Some(Err(_)))));
    let failed = replay.poll_failed(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(failure) = failed else {
        panic!("nobody tells the call");
    };
    assert!(failure.status().message().contains("panicked"), "{failure}");
}

#[test]
fn a_stream_whose_call_ended_while_it_was_polled_is_dropped() {
    struct Told(Arc<AtomicBool>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let told = Told(Arc::clone(&dropped));
    let replay = numbers(0, 0);
    let shared = Arc::clone(&replay.0);
    let mut body = replay.attempt();
    lock(&shared).source = Some(Box::new(Script(VecDeque::from([
        Box::new(move |_: &mut BytesMut| {
            drop(replay);
            Poll::Ready(Fill::More)
        }) as Step,
        Box::new(move |_: &mut BytesMut| {
            let _kept = &told;
            Poll::Pending
        }),
    ]))));
    assert!(matches!(poll(&mut body), Poll::Ready(Some(Err(_)))));
    assert!(dropped.load(Ordering::SeqCst));
}
