//! A few bytes that become a lot: what they take, and that it is given back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    unsafe_code,
    reason = "a test fails by panicking; an allocator is unsafe to implement, and this one hands \
              everything to the system's"
)]

mod common;
mod packing;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apibase::Compression::{Gzip, Zstd};
use apibase::{Code, Compression};
use bytes::Bytes;
use common::{Running, Scripted, ask, frame, post, soon};
use futures_util::future::join_all;
use packing::marked;
use tokio::time::{Instant, sleep};

const LIMIT: usize = 1 << 20;
const BOMB: usize = 64 << 20;
const AT_ONCE: usize = 32;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which tells what is held.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn took(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

/// As many zeros as no message may have, packed without ever being there.
fn bomb(encoding: Compression) -> Bytes {
    let mut zeros = std::io::repeat(0).take(BOMB as u64);
    let packed = match encoding {
        Gzip => {
            let level = flate2::Compression::best();
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            std::io::copy(&mut zeros, &mut encoder).unwrap();
            encoder.finish().unwrap()
        }
        Zstd => {
            let mut encoder = zstd::Encoder::new(Vec::new(), 19).unwrap();
            std::io::copy(&mut zeros, &mut encoder).unwrap();
            encoder.finish().unwrap()
        }
        other => panic!("{other}"),
    };
    assert!(packed.len() * 900 < BOMB, "{}", packed.len());
    marked(&packed)
}

/// A frame of 100 bytes that says that it has, and needs a window for, as much as can be said here.
fn boast() -> Bytes {
    let mut frame = Vec::new();
    frame
        .write_all(&[0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000])
        .unwrap();
    frame.write_all(&(3_u32 << 30).to_le_bytes()).unwrap();
    frame.resize(100, 0);
    marked(&frame)
}

/// The physical memory that this process has had at most, in bytes: what C takes is in it too.
fn most_resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bomb_takes_no_more_than_a_message_may_and_gives_it_back() {
    let bombs = [
        ("gzip", bomb(Gzip), Code::ResourceExhausted),
        ("zstd", bomb(Zstd), Code::ResourceExhausted),
        ("zstd", boast(), Code::Internal),
    ];
    let server = Running::with(Scripted::new(), |server| {
        server.compression([Gzip, Zstd]).max_message_size(LIMIT)
    });
    let server = server.await;
    let throw = async || {
        for (encoding, bomb, code) in &bombs {
            let connections = join_all((0..AT_ONCE).map(|_| server.raw())).await;
            let thrown = connections.into_iter().map(|mut raw| async move {
                for method in ["Echo", "Collect"] {
                    let head = post(method).header("grpc-encoding", *encoding);
                    let answer = raw.call(head, [bomb.clone()]).await;
                    assert_eq!(answer.code(), *code, "{answer:?}");
                }
                raw.lives().await;
            });
            soon(join_all(thrown)).await;
        }
    };
    // What threads and libraries keep is there after the first time.
    throw().await;
    sleep(Duration::from_millis(500)).await;
    let before = LIVE.load(Ordering::Relaxed);
    let resident = most_resident();
    PEAK.store(before, Ordering::Relaxed);
    throw().await;
    let peak = PEAK.load(Ordering::Relaxed) - before;
    // The compressed bombs of all calls, and what the threads work on.
    assert!(peak < 16 << 20, "{peak} bytes at once");
    let resident = most_resident() - resident;
    assert!(
        resident < 32 << 20,
        "{resident} bytes of physical memory more"
    );
    settle(before + (64 << 10)).await;
    let left = LIVE.load(Ordering::Relaxed).saturating_sub(before);
    assert!(left <= 64 << 10, "{left} bytes are left");
    let mut raw = server.raw().await;
    let answer = raw.call(post("Echo"), [frame(&ask("honest"))]).await;
    assert_eq!(answer.code(), Code::Ok);
}

/// Waits until no more than this is held, and no longer than five seconds.
async fn settle(most: usize) {
    let until = Instant::now() + Duration::from_secs(5);
    while LIVE.load(Ordering::Relaxed) > most && Instant::now() < until {
        sleep(Duration::from_millis(50)).await;
    }
}
