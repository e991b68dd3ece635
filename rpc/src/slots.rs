//! The way of capabilities between a message's slots and the values that serde sees.
//!
//! Serde knows bytes alone. So while a message is encoded or decoded, its slots lie in a place of the thread, where
//! [`Capability`](crate::Capability)'s `Serialize` and `Deserialize` find them. They move in and out: nothing is
//! shared, and a message within a message has slots of its own.

use portcullis_ipc::{Capability, Error, MAX_CAPABILITIES, MsgBuf};
use std::cell::{Cell, RefCell};

/// The capabilities of one message.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    held: [Option<Capability>; MAX_CAPABILITIES],
    used: usize,
    overflow: bool,
}

impl Slots {
    const EMPTY: Slots = Slots { held: [const { None }; MAX_CAPABILITIES], used: 0, overflow: false };

    /// The capabilities that came with a message, out of it.
    pub(crate) fn taken_from(message: &mut MsgBuf) -> Slots {
        let mut slots = Slots { used: message.capabilities().min(MAX_CAPABILITIES), ..Slots::EMPTY };
        for (index, slot) in slots.held[..slots.used].iter_mut().enumerate() {
            *slot = message.take(index);
        }
        slots
    }

    /// Puts the capabilities into a message, in order.
    pub(crate) fn put_into(self, message: &mut MsgBuf) -> Result<(), Error> {
        self.held.into_iter().flatten().try_for_each(|capability| message.push(capability))
    }

    /// Nothing was put in, not even what did not fit.
    fn is_untouched(&self) -> bool {
        self.used == 0 && !self.overflow
    }

    /// More was put in than there are slots.
    pub(crate) fn overflown(&self) -> bool {
        self.overflow
    }

    /// Some capability was not claimed.
    pub(crate) fn any_left(&self) -> bool {
        self.held.iter().any(Option::is_some)
    }

    fn push(&mut self, capability: Capability) -> Option<u8> {
        let Some(slot) = self.held.get_mut(self.used) else {
            self.overflow = true;
            return None;
        };
        *slot = Some(capability);
        self.used += 1;
        u8::try_from(self.used - 1).ok()
    }
}

/// The thread's place for slots.
struct Scope {
    open: Cell<bool>,
    slots: RefCell<Slots>,
}

thread_local! {
    static SCOPE: Scope = const { Scope { open: Cell::new(false), slots: RefCell::new(Slots::EMPTY) } };
}

/// Runs `work` with the slots in the thread's place, and brings them back, even past a panic.
#[inline]
pub(crate) fn scoped<R>(slots: &mut Slots, work: impl FnOnce() -> R) -> R {
    SCOPE.with(|scope| {
        // Only a message within a message finds the place taken, and only such slots as hold something need to move.
        let outer = scope.open.replace(true).then(|| scope.slots.take());
        if !slots.is_untouched() {
            std::mem::swap(&mut *scope.slots.borrow_mut(), slots);
        }
        let _restore = Restore { scope, slots, outer };
        work()
    })
}

/// Ends a scope.
struct Restore<'a> {
    scope: &'a Scope,
    slots: &'a mut Slots,
    outer: Option<Slots>,
}

impl Drop for Restore<'_> {
    #[inline]
    fn drop(&mut self) {
        let mut inside = self.scope.slots.borrow_mut();
        if !inside.is_untouched() {
            *self.slots = std::mem::take(&mut *inside);
        }
        match self.outer.take() {
            Some(outer) => *inside = outer,
            None => self.scope.open.set(false),
        }
    }
}

/// Puts a capability into the message that the thread encodes; `None` if there is no such message or no room.
pub(crate) fn put(capability: Capability) -> Option<u8> {
    SCOPE.with(|scope| scope.open.get().then(|| scope.slots.borrow_mut().push(capability)).flatten())
}

/// Claims a capability of the message that the thread decodes: once.
pub(crate) fn claim(slot: u8) -> Option<Capability> {
    SCOPE.with(|scope| scope.slots.borrow_mut().held.get_mut(usize::from(slot))?.take())
}
