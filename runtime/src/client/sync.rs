//! What the throttle and the breaker are made of. A test of all interleavings puts loom's in its
//! place.

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
pub(super) use std::sync::{Mutex, MutexGuard};
