//! The way of capabilities between a message's slots and the values that serde sees.
//!
//! Serde knows bytes alone. So while a message is encoded or decoded, its capabilities lie in a place of the thread,
//! where [`Capability`](crate::Capability)'s `Serialize` and `Deserialize` find them. A message within a message has
//! slots of its own: they lie on top of the outer ones. Most messages have none, and cost next to nothing here.

use portcullis_ipc::{Capability, Error, MAX_CAPABILITIES, MsgBuf};
use std::cell::{Cell, RefCell};

/// The message that the thread encodes or decodes.
#[derive(Clone, Copy)]
struct Scope {
    /// Where its slots begin among those of the thread.
    start: u32,
    /// How many there are.
    used: u8,
    /// How many there may be: none where there is no message.
    most: u8,
    /// Whether more was to be put in: 1. No `bool`, since that costs a check with each look at a thread's own.
    overflow: u8,
}

impl Scope {
    /// Its place among the slots of the thread.
    #[inline]
    fn start(self) -> usize {
        self.start as usize
    }
}

thread_local! {
    /// Apart from the slots, since what need not be dropped is reached faster.
    static SCOPE: Cell<Scope> = const { Cell::new(Scope { start: 0, used: 0, most: 0, overflow: 0 }) };
    static SLOTS: RefCell<Vec<Option<Capability>>> = const { RefCell::new(Vec::new()) };
}

/// Works on the slots of the thread. `None` if they are gone: what a thread keeps for itself may be dropped after them, and
/// call then. It goes without capabilities.
fn with_slots<R>(work: impl FnOnce(&mut Vec<Option<Capability>>) -> R) -> Option<R> {
    SLOTS.try_with(|slots| work(&mut slots.borrow_mut())).ok()
}

#[allow(clippy::cast_possible_truncation)] // 4
const MOST: u8 = MAX_CAPABILITIES as u8;

/// Makes place for one message's slots, until it is dropped.
pub(crate) struct Place {
    outer: Scope,
}

impl Place {
    /// A place without slots.
    #[inline]
    pub(crate) fn empty() -> Place {
        let outer = SCOPE.get();
        let start = outer.start + u32::from(outer.used);
        SCOPE.set(Scope { start, used: 0, most: MOST, overflow: 0 });
        Place { outer }
    }

    /// A place with the capabilities that came with a message, out of it.
    #[inline]
    pub(crate) fn of(message: &mut MsgBuf) -> Place {
        let place = Place::empty();
        if message.capabilities() != 0 {
            place.fill(message);
        }
        place
    }

    #[cold]
    fn fill(&self, message: &mut MsgBuf) {
        let taken = (0..message.capabilities()).map(|slot| message.take(slot));
        if with_slots(|slots| slots.extend(taken)).is_some() {
            // A message has four at most.
            let used = u8::try_from(message.capabilities()).unwrap_or(u8::MAX);
            SCOPE.set(Scope { used, ..SCOPE.get() });
        }
    }

    /// Whether more was put in than there are slots.
    #[inline]
    pub(crate) fn is_overfull(&self) -> bool {
        SCOPE.get().overflow != 0
    }

    /// Whether every capability was claimed.
    #[inline]
    pub(crate) fn is_used_up(&self) -> bool {
        let scope = SCOPE.get();
        let all_claimed = |slots: &mut Vec<_>| slots.iter().skip(scope.start()).all(Option::is_none);
        scope.used == 0 || with_slots(all_claimed).unwrap_or(true)
    }

    /// Moves the capabilities into a message, in order.
    #[inline]
    pub(crate) fn empty_into(self, message: &mut MsgBuf) -> Result<(), Error> {
        if SCOPE.get().used == 0 { Ok(()) } else { self.push_all(message) }
    }

    #[cold]
    fn push_all(self, message: &mut MsgBuf) -> Result<(), Error> {
        let pushed = with_slots(|slots| {
            let own = slots.iter_mut().skip(SCOPE.get().start());
            own.filter_map(Option::take).try_for_each(|capability| message.push(capability))
        });
        pushed.unwrap_or(Ok(()))
    }
}

impl Drop for Place {
    #[inline]
    fn drop(&mut self) {
        if SCOPE.get().used != 0 {
            drop_slots();
        }
        SCOPE.set(self.outer);
    }
}

#[cold]
fn drop_slots() {
    with_slots(|slots| slots.truncate(SCOPE.get().start()));
}

/// Puts a capability into the message that the thread encodes; `None` if there is no such message or no room.
pub(crate) fn put(capability: Capability) -> Option<u8> {
    let scope = SCOPE.get();
    if scope.used >= scope.most || with_slots(|slots| slots.push(Some(capability))).is_none() {
        SCOPE.set(Scope { overflow: 1, ..scope });
        return None;
    }
    SCOPE.set(Scope { used: scope.used + 1, ..scope });
    Some(scope.used)
}

/// Claims a capability of the message that the thread decodes: once.
pub(crate) fn claim(slot: u8) -> Option<Capability> {
    let scope = SCOPE.get();
    if slot >= scope.used {
        return None;
    }
    with_slots(|slots| slots.get_mut(scope.start() + usize::from(slot))?.take())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_ipc::{Pd, Server};

    #[test]
    fn a_message_within_a_message_has_slots_of_its_own() {
        let capability = Server::new(&Pd::new().unwrap()).unwrap().capability();
        let (mut inner, mut outer) = (MsgBuf::new(), MsgBuf::new());
        let place = Place::empty();
        assert_eq!(put(capability.clone()), Some(0));
        {
            let place = Place::empty();
            assert!(claim(0).is_none());
            assert_eq!((put(capability.clone()), put(capability.clone())), (Some(0), Some(1)));
            place.empty_into(&mut inner).unwrap();
        }
        assert_eq!(put(capability), Some(1));
        place.empty_into(&mut outer).unwrap();
        assert_eq!((inner.capabilities(), outer.capabilities()), (2, 2));
        assert_eq!(SCOPE.get().most, 0);
    }

    #[test]
    fn a_panic_leaves_nothing_behind() {
        let capability = Server::new(&Pd::new().unwrap()).unwrap().capability();
        let panicked = std::thread::spawn(move || {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _place = Place::empty();
                put(capability);
                panic!("within a `Serialize`");
            }));
            assert!(SCOPE.get().most == 0 && SLOTS.with_borrow(Vec::is_empty));
            result.is_err()
        });
        assert!(panicked.join().unwrap());
    }
}
