//! What [`gate`](super::gate) and [`hold`](super::hold) are made of. A test of all interleavings puts
//! loom's in its place.

pub(super) use std::sync::{Mutex, MutexGuard};
