//! Where the system begins: mappings, futexes, sockets, the inherited descriptor. Only here may code be unsafe.

pub(crate) mod core;
pub(crate) mod futex;
pub(crate) mod inherit;
mod known;
pub(crate) mod lines;
pub(crate) mod memory;
pub(crate) mod pipe;
pub(crate) mod room;
#[cfg(test)]
pub(crate) mod slow;
pub(crate) mod socket;
