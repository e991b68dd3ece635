//! Report: what a component says of its state, for whoever reads it as a [ROM](crate::rom).
//!
//! Arguments: the size of the buffer that the report is written into; the label says under which name it is reported. Under one
//! name there is one reporter at a time; another one is denied. When he closes his session, what he reported is gone; who has
//! read it has a copy.
//!
//! The server makes the buffer on the donation and owns it. The client attaches it once, writes, and says by
//! [`submit`](Report::submit) how much lies there. What is reported is the copy that the server takes then, whatever the client writes
//! meanwhile or later.

mod client;
mod component;
mod connection;

pub use client::{ReportBuffer, ReportClient};
pub use component::{ReportComponent, ReportSession};
pub use connection::ReportConnection;

use portcullis_component::{Error, Quota, Service};
use portcullis_rpc::{DataspaceCapability, rpc_interface};
use serde::{Deserialize, Serialize};

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
    /// The buffer, to be attached and written.
    fn dataspace(&mut self) -> Result<DataspaceCapability, Error>;
    /// Reports the first bytes of the buffer, all at once. [`Error::Memory`] if it has not as many; nothing is reported then.
    fn submit(&mut self, length: u32) -> Result<(), Error>;
}

impl Service for dyn Report {
    type Arguments = Arguments;

    /// The buffer, the server's copy of it, and the content that is being read.
    fn donation(arguments: &Arguments) -> Quota {
        Quota::new(12_288 + 3 * u64::from(arguments.size), 4)
    }
}
