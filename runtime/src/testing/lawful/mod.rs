//! The mappers of this crate, and values to try them with.

mod bytes;
mod collections;
mod enums;
mod integers;
#[cfg(feature = "json")]
mod json;
mod maps;
mod plain;
mod presence;
mod shapes;
mod text;

pub use self::enums::unknown_numbers;
