//! The calling side of a channel.

pub(crate) mod async_call;
pub(crate) mod channel;
mod lane;
mod lanes;
pub(crate) mod portal;
mod releases;
mod reply;
mod tasks;
