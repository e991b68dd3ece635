//! The floors.
//!
//! That of a call (`ping_pong`) is the best ping-pong over shared memory that can be written by hand. One slot each way,
//! aligned to cache lines: a sequence word and right behind it the payload, so that a short payload travels with the
//! word in one line. The sender copies the payload in and then stores the word; the receiver sees the
//! word and copies the payload out into a private buffer. The two sides trust each other: nothing is checked, there is
//! one client and one object, and no deadline but the one that keeps the benchmark from hanging.
//!
//! That of a signal (`signal`) is a bit that is set by an atomic operation and taken by another one.
//!
//! That of a packet stream (`ring`) is a ring of slots, whose two ends trust each other.
//!
//! That of a capability that goes from process to process (`passing`) is a descriptor that does.

mod gate;
mod memory;
mod passing;
mod ping_pong;
mod ring;
mod signal;

pub(crate) use gate::{gate_state, open_gate, wait_at_gate};
pub(crate) use memory::Memory;
pub(crate) use passing::{Link, Part, introduce, pass_on};
pub(crate) use ping_pong::{Client, Waiting, serve};
pub(crate) use ring::{Ring, Shape};
pub(crate) use signal::{end_signals, set_signal, take_signals};
