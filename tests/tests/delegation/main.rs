//! Delegation between strangers: who may invoke what, by whatever ways a capability came.

mod random;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");
