//! Packet streams: bulk data from a source to a sink through one dataspace, without a copy that nobody asked for.
//!
//! A dataspace holds a *submit queue*, an *acknowledgement queue* and a *buffer*, whose regions only the source assigns. The
//! life of a packet: the source allocates a region, fills it and submits a descriptor (the region and control fields `D`);
//! the sink takes the descriptor, processes the content and acknowledges it; the source takes the acknowledgement, and the
//! region is free again. `docs/packet-stream.md` tells more.
//!
//! Principles:
//! - Neither side trusts the other. What the other writes is read once, checked as a private copy and used as that copy; whose
//!   region is whose stands in private tables. [`Trusting`] is an exception that somebody must promise to be none.
//! - While both sides are busy there is no system call and no allocation.
//! - What a side does it shows and tells by `wakeup`, once for as much as it has at hand. A signal is sent only on an edge: when
//!   an empty queue got something or a full one room, and nobody looks at it.
//! - No `try_` operation and no `wakeup` waits for the other side.
//!
//! The feature `tokio`, off by default, adds `AsyncSource` and `AsyncSink`.
//!
//! The modules, from the ground up: `bitmap` (which granules are taken), `protocol` (who may touch which entry, who wakes
//! whom: pure), `geometry`, `region`, `entry` (what lies in the dataspace), `port` and `wait` (what both sides have in common), and the
//! public types.
#![cfg_attr(loom, allow(dead_code, unused_imports))]

mod bitmap;
#[cfg(not(loom))]
mod control;
#[cfg(not(loom))]
mod driving;
#[cfg(not(loom))]
mod duplex;
#[cfg(not(loom))]
mod entry;
mod error;
#[cfg(not(loom))]
mod geometry;
#[cfg(not(loom))]
mod mapped;
#[cfg(not(loom))]
mod operations;
#[cfg(not(loom))]
mod packet;
#[cfg(not(loom))]
mod port;
mod protocol;
#[cfg(not(loom))]
mod region;
#[cfg(not(loom))]
mod signal;
#[cfg(not(loom))]
mod sink;
#[cfg(not(loom))]
mod socket;
#[cfg(not(loom))]
mod source;
#[cfg(not(loom))]
mod submitted;
mod sync;
#[cfg(not(loom))]
mod sys;
#[cfg(all(feature = "tokio", not(loom)))]
mod task;
#[cfg(not(loom))]
mod trust;
#[cfg(not(loom))]
mod wait;

pub use error::{Error, Violation};
#[cfg(all(feature = "tokio", not(loom)))]
pub use task::{AsyncSink, AsyncSource};
pub use zerocopy;
#[cfg(not(loom))]
pub use {
    control::Control,
    duplex::Duplex,
    geometry::Geometry,
    operations::{Completed, Operation, OperationSink, OperationSource, Transfer},
    packet::{Packet, Received},
    signal::{Notify, Signal},
    sink::{Sink, Unacknowledged},
    socket::SignalSocket,
    source::{Acknowledged, Source, Unsubmitted},
    trust::{Guarded, Trusting},
    wait::HangUp,
};
