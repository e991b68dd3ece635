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
//! [`prelude`] has the names of every day. The rest lies where it comes from: [`rpc`], [`entrypoint`], [`ipc`].
//! [`spawn`] and [`serve_parent`] are the two sides of a child process, [`test`](mod@test) is for the tests of your
//! own objects.
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

/// Threads that serve objects, and who refers to them.
pub mod entrypoint {
    pub use portcullis_entrypoint::*;
}

#[doc(hidden)]
pub use portcullis_rpc::__private;

pub use child::{serve_parent, serve_parent_with, spawn};
pub use rpc::rpc_interface;

/// The pages whose code is compiled and run with the tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;
}
