//! Benchmarks, each beside the floor that the machine sets.
//!
//! Absolute times say little: on a virtual machine they change by half from minute to minute. So every figure here is
//! a ratio to a floor: the best that can be written by hand for the same work, measured in the same processes, in
//! short blocks that alternate with ours.
//!
//! - [`call`] is the benchmark of calls: [`call::run`] measures, and hands out one [`Row`] a case.
//! - [`session`] is the benchmark of sessions: objects that come and go.
//! - [`signal`] is the benchmark of signals.
//! - [`stream`] is the benchmark of packet streams.
//! - [`component`] is the other side: the command starts itself again as the servers and clients of a benchmark.
//! - [`table`] and [`plot`] show rows to people; a [`Row`] serialises for programs.
//!
//! Within: `floor` is what is written by hand, `meter` measures one block, `alternation` puts blocks side by
//! side, `process` is a started component, `progress` tells people how far it is, `cores` binds threads to cores,
//! `idle` ends waits for a process that is gone, [`Options`] say which cases.

mod alternation;
pub mod call;
pub mod component;
mod cores;
mod error;
mod floor;
mod idle;
mod meter;
mod options;
mod process;
mod progress;
mod report;
pub mod session;
pub mod signal;
pub mod stream;
mod times;

pub use error::Error;
pub use options::Options;
pub use process::Program;
pub use report::row::Row;
pub use report::{plot, table};
