//! Items.
fn main() {}
