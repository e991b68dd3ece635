//! Capability slots: how a capability stands in a message.
//!
//! ```text
//! word 0    bits 0-7 kind   8-63 zero
//! word 1    row: its name; carried: zero
//! ```

use super::Violation;
use super::head::RowName;
use super::layout::SLOT_WORDS;

/// One capability in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A row of this channel: granted, when the server says it; coming home, when the client does.
    Row(RowName),
    /// A portal, whose socket comes beside the message in the order of the slots.
    Portal,
}

impl Slot {
    pub(crate) fn encode(self) -> [u64; SLOT_WORDS] {
        match self {
            Slot::Row(name) => [1, name.encode()],
            Slot::Portal => [2, 0],
        }
    }

    pub(crate) fn decode(words: [u64; SLOT_WORDS]) -> Result<Slot, Violation> {
        match words {
            [1, name] => Ok(Slot::Row(RowName::decode(name))),
            [2, 0] => Ok(Slot::Portal),
            _ => Err(Violation("a capability slot of no known kind")),
        }
    }
}
