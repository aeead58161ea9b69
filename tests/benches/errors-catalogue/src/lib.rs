//! The shop with its catalogue of errors, as the generator writes both.

apibase::include_protos!();

mod fails;
mod shop;

pub use shop::{called, main, served};
