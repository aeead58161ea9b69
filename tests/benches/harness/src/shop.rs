//! What all servers of a comparison answer, so that their answers are the same.

/// The id of every item.
pub const ID: &str = "0f7e0b1c-8a2e-4a60-9d3b-3f1f7ad0a3de";
/// What it is called.
pub const NAME: &str = "Claw hammer";
/// What it is.
pub const DESCRIPTION: &str =
    "A hammer of 300 g, with a handle of ash, for nails and small stones; made to last";
/// Its number.
pub const SKU: &str = "HAM-300";
/// How many there are.
pub const QUANTITY: i32 = 12;
/// What one costs.
pub const PRICE: f64 = 14.5;
/// When it was created: seconds since 1970 and nanoseconds.
pub const CREATED_AT: (i64, i32) = (1_763_000_000, 123_456_000);
/// The same as JSON has it.
pub const CREATED_AT_TEXT: &str = "2025-11-13T02:13:20.123456Z";
/// When it was changed.
pub const UPDATED_AT: (i64, i32) = (1_763_500_000, 654_321_000);
/// The same as JSON has it.
pub const UPDATED_AT_TEXT: &str = "2025-11-18T21:06:40.654321Z";
/// How many items a `ListItems` call asks for.
pub const LISTED: usize = 1_000;
