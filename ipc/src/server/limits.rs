//! What a server grants to each of its clients at most.

use crate::allowance::Allowance;

/// What a server holds for one client, and altogether, at most. What is beyond is refused with
/// [`Error::BudgetExceeded`](crate::Error::BudgetExceeded).
///
/// ```
/// use portcullis_ipc::{Limits, Pd, Server};
///
/// let limits = Limits { rows: 16, ..Limits::default() };
/// let server = Server::with(&Pd::new()?, limits)?;
/// # Ok::<_, portcullis_ipc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Capabilities that one client holds over one channel. Each takes a row of at most 64 bytes. A client keeps at most 65,536
    /// that it has given back and whose server does not take them, beside as many as it held at once: with more rows than that,
    /// a server that cannot read its clients' sockets for a while, for want of descriptors, may lose clients.
    pub rows: u32,
    /// Signal contexts among them; beyond 16,383 there is no room for their signals.
    pub contexts: u32,
    /// Channels of all clients together. Each maps 40 KiB that its client pays for.
    pub channels: u32,
    /// Channels that one client opens for others, and these for others in turn, at once. A client whose own channel was opened
    /// by another one has what that one [allows](crate::Allowance) of its own.
    pub portals: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { rows: Limits::ROWS, contexts: 4_096, channels: 1_024, portals: 512 }
    }
}

impl Limits {
    /// Rows that a server grants to a client if nothing else is said.
    pub(crate) const ROWS: u32 = 65_536;

    /// What a client may spend with all those whom it introduces, unless somebody has introduced it.
    pub(crate) fn of_an_account(self) -> Allowance {
        // Rows are bounded by those of each of the channels.
        Allowance { rows: u32::MAX, contexts: u32::MAX, channels: self.portals }
    }
}
