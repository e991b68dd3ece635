//! Components that are confined, and what they try.

mod start;

const INTRUDER: &str = env!("CARGO_BIN_EXE_intruder");
