//! The handlers of signals: from a badge, the entrypoint's own name for a signal context, to what is to be run.

use crate::entrypoint::Entrypoint;
use portcullis_ipc::Badge;
use std::any::Any;
use std::rc::Rc;

/// What is run for a signal, on the object that it is bound to. Shared, since it may run within itself: while it waits.
pub(crate) type Handler = Rc<dyn Fn(&mut dyn Any, &Entrypoint)>;

/// A signal context and what belongs to it.
pub(crate) struct Bound {
    badge: Badge,
    /// The object that it is bound to.
    pub(crate) object: Badge,
    pub(crate) handler: Handler,
}

/// The signal contexts of an entrypoint.
#[derive(Default)]
pub(crate) struct Handlers {
    /// By the slot of the badge.
    places: Vec<Option<Bound>>,
}

impl Handlers {
    /// All handlers.
    pub(crate) fn into_handlers(self) -> impl Iterator<Item = Handler> {
        self.places.into_iter().flatten().map(|bound| bound.handler)
    }

    /// Adds a handler under the new badge of its context.
    pub(crate) fn insert(&mut self, badge: Badge, object: Badge, handler: Handler) {
        let slot = badge.slot();
        if self.places.len() <= slot {
            self.places.resize_with(slot + 1, || None);
        }
        self.places[slot] = Some(Bound { badge, object, handler });
    }

    /// That of the context, if it was not dissolved.
    pub(crate) fn get(&self, badge: Badge) -> Option<&Bound> {
        self.places.get(badge.slot())?.as_ref().filter(|bound| bound.badge == badge)
    }

    /// Removes that of a context.
    pub(crate) fn remove(&mut self, badge: Badge) -> Option<Bound> {
        self.get(badge)?;
        self.places[badge.slot()].take()
    }
}
