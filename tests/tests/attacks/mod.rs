//! What the tests of attacks share: frames by hand, attackers, and what has to hold after each attack.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

mod arena;
mod attacker;
mod bystander;
mod heap;
pub(crate) mod wire;

pub(crate) use self::arena::{Arena, Workers, soon, survives, survives_with};
pub(crate) use self::attacker::{Attacker, Flood};
