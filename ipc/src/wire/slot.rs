//! Capability slots: how a capability stands in a message.
//!
//! The kinds of all four slots are in the state word, two bits each, lowest slot first, the used ones first:
//! 0 unused, 1 row, 2 portal, 3 reserved. Behind the data, rounded up to a whole word, follows one word for each used
//! slot: the name of the row, or the group of the portal. So a short message and its capabilities share a cache line.

use super::Violation;
use super::head::RowName;
use super::layout::SLOTS;
use std::sync::atomic::{AtomicU64, Ordering};

/// One capability in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A row of this channel: granted, when the server says it; coming home, when the client does.
    Row(RowName),
    /// A portal, whose socket comes beside the message in the order of the slots.
    Portal(Group),
}

/// Portals of one sender that are of one group lead to one entrypoint, the sender says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group(pub(crate) u64);

impl Group {
    /// One that was not used before in this process, where it stands for one way to one entrypoint.
    pub(crate) fn next() -> Group {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Group(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The kinds of a message's slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

const ROW: u8 = 1;
const PORTAL: u8 = 2;

impl Kinds {
    /// Of these slots; what is beyond the fourth is left out.
    pub(crate) fn of(slots: &[Slot]) -> Kinds {
        let kind = |slot: &Slot| if let Slot::Row(_) = slot { ROW } else { PORTAL };
        Kinds(slots.iter().take(SLOTS).rev().fold(0, |kinds, slot| kinds << 2 | kind(slot)))
    }

    pub(crate) fn encode(self) -> u8 {
        self.0
    }

    #[inline]
    pub(crate) fn decode(kinds: u8) -> Result<Kinds, Violation> {
        let mut rest = kinds;
        while rest != 0 {
            if !matches!(rest & 3, ROW | PORTAL) {
                return Err(Violation("a capability slot is of no known kind"));
            }
            rest >>= 2;
        }
        Ok(Kinds(kinds))
    }

    /// Whether the message carries no capability.
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many of the slots are portals.
    pub(crate) fn portals(self) -> usize {
        self.iter().filter(|kind| *kind == PORTAL).count()
    }

    fn iter(self) -> impl Iterator<Item = u8> {
        (0..SLOTS).map(move |slot| self.0 >> (2 * slot) & 3).take_while(|kind| *kind != 0)
    }

    /// The slots, each with its word out of `words`.
    pub(crate) fn slots(self, words: impl Iterator<Item = u64>) -> impl Iterator<Item = Slot> {
        self.iter().zip(words).map(|(kind, word)| match kind {
            ROW => Slot::Row(RowName::decode(word)),
            _ => Slot::Portal(Group(word)),
        })
    }
}

impl Slot {
    /// The word behind the data.
    pub(crate) fn encode(self) -> u64 {
        match self {
            Slot::Row(name) => name.encode(),
            Slot::Portal(group) => group.0,
        }
    }
}

/// The groups of the portals among the slots, in order.
pub(crate) fn groups(slots: &[Slot]) -> heapless::Vec<Group, SLOTS> {
    let portals = slots.iter().filter_map(|slot| match slot {
        Slot::Row(_) => None,
        Slot::Portal(group) => Some(*group),
    });
    portals.take(SLOTS).collect()
}
