//! What may be spent at an entrypoint by whoever gets a capability.

/// What somebody to whom a capability is handed on may make its entrypoint hold, with all those to whom he hands on in turn:
/// out of the account of whoever hands it on, who is never given more than he has himself.
///
/// A protection domain [names one](crate::PdOptions::allowance) for the capabilities of others that it hands on.
///
/// ```
/// use portcullis_ipc::{Allowance, Pd, PdOptions};
///
/// // Strangers: a handful of capabilities each, and nobody whom they introduce.
/// let allowance = Allowance { rows: 16, contexts: 4, channels: 0 };
/// let pd = Pd::with(PdOptions { allowance, ..PdOptions::default() })?;
/// # Ok::<_, portcullis_ipc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Capabilities that they hold, the one that is handed on among them; 1,048,575 at most.
    pub rows: u32,
    /// Signal contexts among them; 16,383 at most.
    pub contexts: u32,
    /// Channels of those whom they introduce; 4,095 at most.
    pub channels: u32,
}

impl Allowance {
    /// A channel that is opened for somebody.
    pub(crate) const CHANNEL: Allowance = Allowance { channels: 1, ..Allowance::NOTHING };
    pub(crate) const NOTHING: Allowance = Allowance { rows: 0, contexts: 0, channels: 0 };

    /// A row.
    pub(crate) fn row(is_context: bool) -> Allowance {
        Allowance { rows: 1, contexts: is_context.into(), channels: 0 }
    }

    /// Both.
    pub(crate) fn and(self, other: Allowance) -> Allowance {
        self.each(other, u32::saturating_add)
    }

    /// What is left of it.
    pub(crate) fn without(self, other: Allowance) -> Allowance {
        self.each(other, u32::saturating_sub)
    }

    /// Whether it is enough.
    pub(crate) fn covers(self, other: Allowance) -> bool {
        self.rows >= other.rows && self.contexts >= other.contexts && self.channels >= other.channels
    }

    fn each(self, other: Allowance, both: impl Fn(u32, u32) -> u32) -> Allowance {
        Allowance {
            rows: both(self.rows, other.rows),
            contexts: both(self.contexts, other.contexts),
            channels: both(self.channels, other.channels),
        }
    }
}

impl Default for Allowance {
    /// Four times what a client may hold by default, and half of those whom one may introduce.
    fn default() -> Self {
        Allowance { rows: 262_144, contexts: 16_383, channels: 256 }
    }
}
