//! Report: what a component says of its state, for whoever reads it as a [ROM](crate::rom).
//!
//! Arguments: the size of the buffer that the report is written into; the label says under which name it is reported. Under one
//! name there is one reporter at a time; another one is denied. When he closes his session, what he reported is gone; who has
//! read it has a copy.

mod client;
mod component;
mod connection;

pub use client::{ReportClient, ReportContent};
pub use component::{ReportComponent, ReportSession};
pub use connection::ReportConnection;

use portcullis_component::{Error, Quota, Service};
use portcullis_rpc::rpc_interface;
use serde::{Deserialize, Serialize};

/// The most bytes that one write takes.
pub const MAX_WRITE: usize = 1000;

/// What a reporter says when it opens its session.
///
/// ```
/// use portcullis_component::Service;
/// use portcullis_sessions::report::{Arguments, Report};
///
/// let (small, large) = (Arguments { size: 100 }, Arguments { size: 100_000 });
/// let donation = <dyn Report as Service>::donation;
/// assert!(donation(&small).ram < donation(&large).ram);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arguments {
    /// The most bytes that a report has.
    pub size: u32,
}

/// A report session.
#[rpc_interface(name = "report")]
pub trait Report {
    /// Writes a part into the buffer, which nobody reads yet; answers how many bytes were taken, fewer at its end.
    fn write(&mut self, offset: u32, part: &[u8]) -> Result<u32, Error>;
    /// Reports the first bytes of the buffer, all at once.
    fn submit(&mut self, length: u32) -> Result<(), Error>;
}

impl Service for dyn Report {
    type Arguments = Arguments;

    /// The buffer, and the content that is being read.
    fn donation(arguments: &Arguments) -> Quota {
        Quota::new(8192 + 2 * u64::from(arguments.size), 4)
    }
}
