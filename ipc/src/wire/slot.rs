//! Capability slots: how a capability stands in a message.
//!
//! The kinds of all four slots are in the state word, two bits each, lowest slot first, the used ones first:
//! 0 unused, 1 row, 2 portal, 3 dataspace. Behind the data, rounded up to a whole word, follows one word for each used
//! slot: the name of the row, the group of the portal, or the attributes of the dataspace. So a short message and its
//! capabilities share a cache line.

use super::Violation;
use super::head::RowName;
use super::layout::SLOTS;
use crate::entrypoint_id::EntrypointId;
use std::sync::atomic::{AtomicU64, Ordering};

/// One capability in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A row of this channel: granted, when the server says it; coming home, when the client does.
    Row(RowName),
    /// A portal, whose socket comes beside the message in the order of the slots.
    Portal(Group),
    /// A dataspace, whose descriptor comes in the same way; the word is what its sender says of it.
    Dataspace(u64),
}

/// Portals of one sender that are of one group lead to one entrypoint, the sender says: and its lowest bits are those of that
/// entrypoint's name, or zero, as a hint to the entrypoint itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group(pub(crate) u64);

const HINT_BITS: u32 = 16;
const HINT: u64 = (1 << HINT_BITS) - 1;

impl Group {
    /// One that was not used before in this process, where it stands for one way to one entrypoint.
    pub(crate) fn next() -> Group {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Group((LAST.fetch_add(1, Ordering::Relaxed) + 1) << HINT_BITS)
    }

    /// The same, with a hint to that entrypoint, if it is known and there is none yet.
    pub(crate) fn hinting(self, entrypoint: Option<EntrypointId>) -> Group {
        if self.hint() != 0 { self } else { Group(self.0 | EntrypointId::encode(entrypoint) & HINT) }
    }

    /// The same, with the hint of another one.
    pub(crate) fn hinting_like(self, other: Group) -> Group {
        Group(self.0 & !HINT | other.hint())
    }

    /// Whether it may be that entrypoint's: it is, or it was not known.
    pub(crate) fn may_lead_to(self, entrypoint: EntrypointId) -> bool {
        self.hint() == 0 || self.hint() == entrypoint.word() & HINT
    }

    fn hint(self) -> u64 {
        self.0 & HINT
    }
}

/// The kinds of a message's slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

const ROW: u8 = 1;
const PORTAL: u8 = 2;
const DATASPACE: u8 = 3;

impl Kinds {
    /// Of these slots; what is beyond the fourth is left out.
    pub(crate) fn of(slots: &[Slot]) -> Kinds {
        let kind = |slot: &Slot| match slot {
            Slot::Row(_) => ROW,
            Slot::Portal(_) => PORTAL,
            Slot::Dataspace(_) => DATASPACE,
        };
        Kinds(slots.iter().take(SLOTS).rev().fold(0, |kinds, slot| kinds << 2 | kind(slot)))
    }

    pub(crate) fn encode(self) -> u8 {
        self.0
    }

    #[inline]
    pub(crate) fn decode(kinds: u8) -> Result<Kinds, Violation> {
        let mut rest = kinds;
        while rest != 0 {
            if rest & 3 == 0 {
                return Err(Violation("an unused capability slot comes before a used one"));
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

    /// How many of the slots have a descriptor that comes beside the message.
    #[inline]
    pub(crate) fn carried(self) -> usize {
        self.iter().filter(|kind| *kind != ROW).count()
    }

    fn iter(self) -> impl Iterator<Item = u8> {
        (0..SLOTS).map(move |slot| self.0 >> (2 * slot) & 3).take_while(|kind| *kind != 0)
    }

    /// The slots, each with its word out of `words`.
    pub(crate) fn slots(self, words: impl Iterator<Item = u64>) -> impl Iterator<Item = Slot> {
        self.iter().zip(words).map(|(kind, word)| match kind {
            ROW => Slot::Row(RowName::decode(word)),
            PORTAL => Slot::Portal(Group(word)),
            _ => Slot::Dataspace(word),
        })
    }
}

impl Slot {
    /// The word behind the data.
    pub(crate) fn encode(self) -> u64 {
        match self {
            Slot::Row(name) => name.encode(),
            Slot::Portal(group) => group.0,
            Slot::Dataspace(attributes) => attributes,
        }
    }
}

/// Those of the slots whose descriptor comes beside the message, in order.
pub(crate) fn carried(slots: &[Slot]) -> heapless::Vec<Slot, SLOTS> {
    slots.iter().filter(|slot| !matches!(slot, Slot::Row(_))).take(SLOTS).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_keeps_the_first_hint_and_is_its_own() {
        let names = [0x1_2345, 0x2_2346].map(|word| EntrypointId::decode(word).unwrap());
        let (one, other) = (Group::next(), Group::next());
        assert!(one.may_lead_to(names[0]) && one.may_lead_to(names[1]), "nobody knows");
        let hinting = one.hinting(Some(names[0])).hinting(Some(names[1]));
        assert!(hinting.may_lead_to(names[0]) && !hinting.may_lead_to(names[1]));
        let alike = other.hinting_like(hinting);
        assert!(!alike.may_lead_to(names[1]) && alike != hinting);
    }
}
