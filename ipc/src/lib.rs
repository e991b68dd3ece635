//! Untyped capabilities, 1 KiB messages and the channels that calls run through.
//!
//! A [`Capability`] is the right to call one object. Objects live in a [`Server`], which mints capabilities to them
//! and takes the calls of all its clients, one at a time. A call carries a [`MsgBuf`] there and back: at most 1,024
//! bytes and 4 capabilities each way. The caller waits until it is answered, or its [`Deadline`] expires, or the
//! server dies.
//!
//! Principles:
//! - The kernel protects the connection between two processes, a table in the server's private memory protects what
//!   may be called over it. An index in a message means nothing on another connection.
//! - While both sides are awake, a call costs no system call and no allocation.
//! - The other side is hostile: what it says is copied once, then checked, then used. A server never waits for a
//!   client.
//!
//! The modules, from the ground up: `sys` (where code may be unsafe), `wire` (the format), `protocol` (who wakes
//! whom), `transport` (across processes, or within one), `client` and `server` (the two sides of a channel), and
//! the public types, one a file.
#![cfg_attr(loom, allow(dead_code, unused_imports, unreachable_pub))]

mod allowance;
#[cfg(not(loom))]
mod badge;
#[cfg(not(loom))]
mod capability;
#[cfg(not(loom))]
mod client;
#[cfg(not(loom))]
mod context;
#[cfg(not(loom))]
mod dataspace;
mod deadline;
mod due;
mod entrypoint_id;
mod error;
#[cfg(all(any(test, fuzzing), not(loom)))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(not(loom))]
mod message;
#[cfg(not(loom))]
mod pd;
mod protocol;
mod random;
#[cfg(not(loom))]
mod server;
mod sync;
#[cfg(not(loom))]
mod sys;
#[cfg(not(loom))]
mod table;
#[cfg(not(loom))]
mod transport;
#[cfg(not(loom))]
mod wait_policy;
mod wake;
mod wire;

pub use error::{Error, Refusal};
#[cfg(not(loom))]
pub use {
    allowance::Allowance,
    badge::Badge,
    capability::Capability,
    client::async_call::AsyncCall,
    dataspace::SharedDescriptor,
    deadline::Deadline,
    message::{MAX_CAPABILITIES, MAX_DATA, MsgBuf},
    pd::spawn::Child,
    pd::{Doorbell, Pd, PdOptions},
    server::{Caller, Event, Limits, Nested, Request, Server, SignalLevel, Usage, Waker},
    wait_policy::{Patience, WaitPolicy},
};
