//! The names of every day: `use portcullis::prelude::*;`.
//!
//! The errors are not among them, since every program has an `Error` of its own: a method's is
//! [`rpc::Error`], by the name of its module.

pub use crate::component::{self, Connection, Env, Quota, component};
pub use crate::entrypoint::{Entrypoint, EntrypointHandle, Revocable, SignalLevel, WeakEntrypoint};
pub use crate::ipc::{Deadline, Pd};
pub use crate::rpc::{
    self, Capability, Client, DataspaceCapability, Later, Reply, SignalCapability, rpc_interface,
};
