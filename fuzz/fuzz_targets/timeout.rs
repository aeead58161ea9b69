#![no_main]
#![allow(dead_code, reason = "each target has one of the entries")]

#[path = "../../tests/tests/fuzzed/mod.rs"]
mod entries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entries::timeout(data));
