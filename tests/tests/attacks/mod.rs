//! What the tests of attacks share: frames by hand, attackers, and what has to hold after each attack.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "each test file uses a part of it, a test fails by panicking, and closures are written in \
              place"
)]

mod arena;
mod attacker;
mod bystander;
mod heap;
pub(crate) mod wire;

pub(crate) use self::arena::{Arena, Workers, soon, survives, survives_with};
pub(crate) use self::attacker::{Attacker, Flood};
