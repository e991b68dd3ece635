//! Timer: the time, and waking at points in time. One thread serves all clients.
//!
//! Arguments: none. A call that waits is a [`Later`]: its client's thread waits, or a task does by the asynchronous twin.
//! The caller's own deadline applies as to any call.

mod client;
mod component;
mod connection;

pub use client::TimerClient;
pub use component::{TimerComponent, TimerSession};
pub use connection::TimerConnection;

use portcullis_component::{Error, Service};
use portcullis_rpc::{Later, rpc_interface};

/// A timer session.
#[rpc_interface(name = "timer")]
pub trait Timer {
    /// Microseconds since the timer began: it never goes back.
    fn now(&mut self) -> Result<u64, Error>;
    /// Answers when so many microseconds have passed, with the time then. What waits is paid for by the donation:
    /// [`Error::InsufficientRamQuota`] if there are too many already.
    fn sleep(&mut self, microseconds: u64) -> Later<Result<u64, Error>>;
}

impl Service for dyn Timer {
    type Arguments = ();
}
