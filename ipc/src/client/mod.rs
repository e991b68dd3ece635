//! The calling side of a channel.

pub(crate) mod channel;
pub(crate) mod lane;
pub(crate) mod portal;
pub(crate) mod releases;
