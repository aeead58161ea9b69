//! An allocator that counts.

#![allow(
    unsafe_code,
    reason = "an allocator is unsafe to implement; this one hands everything to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // Tests run side by side, each on a thread of its own.
    static OF_THREAD: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counted. Growing a block in place counts as an allocation too.
#[derive(Clone, Copy, Debug)]
pub struct Counting;

/// [`Counting`], which also knows how much is allocated and not yet freed.
#[derive(Clone, Copy, Debug)]
pub struct Live;

/// How many allocations `run` makes on this thread, and what it returns.
///
/// Where [`Counting`] is not the allocator there are none.
pub fn allocations<T>(run: impl FnOnce() -> T) -> (u64, T) {
    let before = OF_THREAD.get();
    let result = run();
    (OF_THREAD.get() - before, result)
}

/// What was allocated until now, on all threads.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// How often.
    pub allocations: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many of them are not freed; 0 where [`Live`] is not the allocator.
    pub live: u64,
}

impl Count {
    /// What was allocated since that count. What is not freed is all there is now.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            allocations: self.allocations - before.allocations,
            bytes: self.bytes - before.bytes,
            live: self.live,
        }
    }
}

/// What was allocated until now.
#[must_use]
pub fn now() -> Count {
    Count {
        allocations: ALLOCATIONS.load(Ordering::Relaxed),
        bytes: BYTES.load(Ordering::Relaxed),
        live: LIVE.load(Ordering::Relaxed),
    }
}

fn add(bytes: usize) {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    OF_THREAD.set(OF_THREAD.get() + 1);
    BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(block, layout, size) }
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Live {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { Counting.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { Counting.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let more = (size as u64).wrapping_sub(layout.size() as u64);
        LIVE.fetch_add(more, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { Counting.realloc(block, layout, size) }
    }
}
