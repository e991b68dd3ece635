//! State propagation: a clock whose state changes signals its watchers, who fetch the state by a call when they come to it.
//!
//! `interface` has the interfaces and what travels through them; `clock` and `watcher` are the components.

pub mod clock;
mod interface;
pub mod watcher;

pub use interface::{Clock, Seen, Watcher, Works};

/// The name of the clock's program.
pub const CLOCK: &str = "ticker/clock";
/// The name of a watcher's program.
pub const WATCHER: &str = "ticker/watcher";
