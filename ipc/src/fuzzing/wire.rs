//! Single values: what is accepted is encoded alike, and bounds what lies behind it.

use super::Script;
use crate::protocol::release_ring::{Release, Ring};
use crate::sync::{AtomicU64, Ordering};
use crate::wire::Violation;
use crate::wire::control::{Control, DOORBELL};
use crate::wire::head::{Request, RowName, State, Status};
use crate::wire::layout::{self, SLOTS};
use crate::wire::slot::{Kinds, Slot};

/// Decodes the bytes as each of the values that a peer can write.
pub fn wire(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 4 {
        0 => {
            while !script.is_done() {
                state(script.word());
                status(script.byte());
            }
        }
        1 => {
            kinds(script.byte(), std::array::from_fn(|_| script.word()));
            request(std::array::from_fn(|_| script.word()));
        }
        2 => {
            let descriptors = script.byte().into();
            control(script.rest(), descriptors);
        }
        _ => {
            let (head, tail, start) = (script.word(), script.word(), script.word());
            let entries: Vec<u64> = (0..8).map(|_| script.word()).collect();
            ring(head, tail, start, &entries);
        }
    }
}

/// The state word bounds all of a message.
pub(crate) fn state(word: u64) {
    if let Ok(state) = State::decode(word) {
        assert_eq!(state.encode(), word);
        assert!(state.length <= 1024 && state.kinds.carried() <= SLOTS);
        let used = state.kinds.slots(std::iter::repeat(0)).count();
        let end = layout::REQUEST_HEAD + layout::slots_behind(state.length) + used;
        assert!(end <= layout::MESSAGE_WORDS);
    }
}

pub(crate) fn status(byte: u8) {
    if let Ok(status) = Status::decode(byte) {
        assert_eq!(status as u8, byte);
    }
}

pub(crate) fn kinds(byte: u8, words: [u64; SLOTS]) {
    if let Ok(kinds) = Kinds::decode(byte) {
        assert_eq!(kinds.encode(), byte);
        let slots: Vec<Slot> = kinds.slots(words.into_iter()).collect();
        assert_eq!(Kinds::of(&slots), kinds);
        for (slot, word) in slots.iter().zip(words) {
            assert_eq!(slot.encode(), word);
        }
    }
}

pub(crate) fn request(words: [u64; layout::REQUEST_HEAD - 1]) {
    assert_eq!(Request::decode(words).encode(), words);
    assert_eq!(RowName::decode(words[0]).encode(), words[0]);
}

pub(crate) fn control(bytes: &[u8], descriptors: usize) {
    match Control::decode(bytes, descriptors) {
        Ok(Control::Doorbell) => assert_eq!((bytes, descriptors), (&DOORBELL[..], 0)),
        Ok(control) => {
            assert_eq!(bytes, control.encode());
            // Each brings descriptors, but for the word that none will come.
            assert_eq!(control == Control::Refusal, descriptors == 0);
            assert!(descriptors <= SLOTS);
        }
        Err(Violation(why)) => assert!(!why.is_empty()),
    }
}

/// The server trusts neither the head nor the entries of a ring, the client not the tail.
pub(crate) fn ring(head: u64, tail: u64, start: u64, entries: &[u64]) {
    let shared: Vec<AtomicU64> = entries.iter().copied().map(AtomicU64::new).collect();
    let (shared_head, shared_tail) = (AtomicU64::new(head), AtomicU64::new(tail));
    let ring = Ring { head: &shared_head, tail: &shared_tail, entries: &shared };
    let (capacity, filled) = (entries.len() as u64, head.wrapping_sub(start));
    let mut next = start;
    if filled > capacity {
        assert!(ring.pop(&mut next).is_err());
        assert_eq!((next, shared_tail.load(Ordering::Relaxed)), (start, tail), "nothing was taken");
    } else {
        for popped in 1..=filled {
            assert!(matches!(ring.pop(&mut next), Ok(Some(_))));
            assert_eq!(shared_tail.load(Ordering::Relaxed), start.wrapping_add(popped));
        }
        assert_eq!(ring.pop(&mut next), Ok(None));
    }
    shared_tail.store(tail, Ordering::Relaxed);
    let release = Release { row: 1, grants: 2, sent: 3 };
    let mut next = start;
    let has_room = start.wrapping_sub(tail) < capacity;
    assert_eq!(ring.push(&mut next, release), has_room);
    if has_room {
        assert_eq!(ring.pop(&mut start.clone()), Ok(Some(release)), "what was pushed last lies at the head");
    }
    let changed = shared.iter().zip(entries).filter(|(now, before)| now.load(Ordering::Relaxed) != **before);
    assert!(changed.count() <= 1, "one entry was written at most");
}
