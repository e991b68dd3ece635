//! The calling side of a channel.

pub(crate) mod async_call;
pub(crate) mod callee;
pub(crate) mod channel;
mod cycle;
pub(crate) mod fold;
mod lane;
mod lanes;
pub(crate) mod portal;
pub(crate) mod reference;
mod releases;
mod reply;
mod slots;
mod tasks;
