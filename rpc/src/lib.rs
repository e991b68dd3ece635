//! Typed capabilities: an interface is a plain trait, a server implements it, and a client implements it too.
//!
//! A [`Capability<dyn Trait>`](Capability) is the right to call one object through that trait. Its
//! [`client`](Capability::client) is a local proxy that implements the trait by calls. The attribute
//! [`rpc_interface`] makes both of the trait, and the dispatcher that an entrypoint calls ([`serve`]).
//!
//! Principles:
//! - One trait, both sides: code that is generic over it runs against a local object and a remote one.
//! - What a service answers, good or bad, is data. What keeps the answer away is an [`Error`], which names who
//!   failed.
//! - Each method has an asynchronous twin, which depends on no executor.
//! - A method is meant by opcode and by a hash of its signature; a mismatch is refused and never misunderstood.
//! - Arguments are encoded once, into the private message, and borrowed from it on the other side. A call allocates
//!   nothing that its arguments and result do not.
//!
//! The modules: what an interface is (`interface`, `chain`, `wire_size`), values in messages (`codec`, `slots`,
//! `bounded`, `shape`, [`bytes`](mod@bytes)), signals (`signal`), the client's side (`capability`, `client`,
//! `buffers`; `calling` for tasks), the server's (`serve`, `answer`, `later`). With the feature `trace`, a subscriber
//! of `tracing` sees each call (`trace`).
#![forbid(unsafe_code)]

mod answer;
mod bounded;
mod buffers;
pub mod bytes;
mod calling;
mod capability;
mod chain;
mod client;
pub mod codec;
mod dataspace;
mod error;
mod interface;
mod later;
mod serve;
mod shape;
mod signal;
mod slots;
mod trace;
mod wire_size;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use answer::Fallible;
pub use calling::Calling;
pub use capability::Capability;
pub use client::Client;
pub use dataspace::DataspaceCapability;
pub use error::{Blame, Error};
pub use interface::{Derives, Interface};
pub use later::{Deferred, Later, Outbox, Reply};
pub use portcullis_ipc::Deadline;
pub use portcullis_rpc_macros::rpc_interface;
pub use serve::{Outcome, Serves, serve};
pub use signal::SignalCapability;
pub use wire_size::WireSize;
