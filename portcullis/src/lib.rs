//! Portcullis for the author of a component: everything that one needs, in one crate.
//!
//! An interface is a plain trait with the attribute [`rpc_interface`]. An object that implements it is managed by an
//! [`Entrypoint`], the thread that serves it. A [`Capability`] is the right to call the object, wherever it lives, and
//! its client implements the same trait. This program starts itself a second time, and calls the object of that
//! process:
//!
//! ```standalone_crate
#![doc = include_str!("../hello/src/main.rs")]
//! ```
//!
//! A *component* has a parent, by way of which it gets sessions of other components: [`component`](mod@component) and
//! [`sessions`].
//!
//! [`prelude`] has the names of every day. The rest lies where it comes from: [`rpc`], [`entrypoint`], [`shm`], [`ipc`].
//! [`spawn`] and [`serve_parent`] are the two sides of a child process, [`test`](mod@test) is for the tests of your
//! own objects.
//!
//! Features, none of them by default:
//! - `tokio` serves an entrypoint as a task, `Entrypoint::serve`, and makes a stream of signals, `SignalReceiver::into_stream`.
//! - `trace` shows each call to a subscriber of `tracing`, with the target `portcullis` at the level of traces. The
//!   client's side is a span `call` (`interface`, `method`, `opcode`), which ends with an event `returned`; the object's
//!   is a span `dispatch` (`interface`, `method`, `opcode`, `object`), which ends with an event `reply`. Their `outcome`
//!   is `answered`, or `later`, or says what went wrong. A call that a method makes lies within the span of the
//!   method's own. A signal that is submitted is an event `submit`, and its handler runs within a span `signal` (`context`,
//!   `object`). Without the feature nothing of this is there.
//!
//! [`Capability`]: rpc::Capability
//! [`Entrypoint`]: entrypoint::Entrypoint
#![forbid(unsafe_code)]

mod child;
pub mod prelude;
pub mod test;

/// Untyped capabilities, messages, protection domains and child processes.
pub mod ipc {
    pub use portcullis_ipc::*;
}

/// Typed capabilities, clients, results, and what can go wrong with a call.
pub mod rpc {
    pub use portcullis_rpc::*;
    // In place of that of `portcullis_rpc`, which is found by its users alone.
    pub use portcullis_rpc_macros::rpc_interface_of_facade as rpc_interface;
}

/// Components: their environment, sessions, quota, and a parent to embed.
pub mod component {
    pub use portcullis_component::*;
    // In place of that of `portcullis_component`, which is found by its users alone.
    pub use portcullis_rpc_macros::component_of_facade as component;
}

/// The session interfaces that components usually ask each other for.
pub mod sessions {
    pub use portcullis_sessions::*;
}

/// Shared memory: dataspaces, attachments, and who pays for them.
pub mod shm {
    pub use portcullis_shm::*;
}

/// Bulk data: packets through queues in a dataspace, from a source to a sink.
pub mod packet_stream {
    pub use portcullis_packet_stream::*;
}

/// Threads that serve objects, and who refers to them.
pub mod entrypoint {
    pub use portcullis_entrypoint::*;
}

#[doc(hidden)]
pub use portcullis_rpc::__private;

pub use child::{serve_parent, serve_parent_with, spawn};
// The attribute; the module of that name lies in another namespace.
pub use portcullis_rpc_macros::component_of_facade as component;
pub use rpc::rpc_interface;

/// The pages whose code is compiled and run with the tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../docs/delegation.md")]
    struct Delegation;

    #[doc = include_str!("../../docs/rpc.md")]
    struct Rpc;

    #[doc = include_str!("../../docs/components.md")]
    struct Components;

    #[doc = include_str!("../../docs/shared-memory.md")]
    struct SharedMemory;

    #[doc = include_str!("../../docs/signals.md")]
    struct Signals;

    #[doc = include_str!("../../docs/packet-stream.md")]
    struct PacketStream;
}
