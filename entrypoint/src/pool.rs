//! The object pool: from a badge, the entrypoint's own name for an object, to the object.

use crate::error::Error;
use crate::object::{Kind, Object};
use portcullis_ipc::Badge;
use std::any::TypeId;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The objects of an entrypoint. While an object works it is checked out: its place stays, and whoever asks for it is
/// told that it is busy.
#[derive(Default)]
pub(crate) struct Pool {
    /// By the slot of the badge.
    places: Vec<Option<Place>>,
    objects: usize,
    /// What is bound to objects: to few of many, and so not in their places.
    bound: HashMap<Badge, Bound>,
}

struct Place {
    badge: Badge,
    /// `None` while it is checked out.
    object: Option<Box<dyn Object>>,
    /// What it is and where it lies, also while it is checked out.
    kind: &'static Kind,
    address: usize,
}

/// The signal contexts whose handlers are bound to an object.
#[derive(Default)]
struct Bound {
    contexts: Vec<Badge>,
    /// The object ends with the last of them.
    only_for_signals: bool,
}

/// An object that was removed.
#[derive(Default)]
pub(crate) struct Removed {
    /// Itself, unless it is checked out.
    pub(crate) object: Option<Box<dyn Object>>,
    /// The signal contexts that were bound to it.
    pub(crate) contexts: Vec<Badge>,
}

impl Pool {
    /// How many objects there are, those that are checked out included.
    pub(crate) fn len(&self) -> usize {
        self.objects
    }

    /// All objects that are not checked out.
    pub(crate) fn into_objects(self) -> impl Iterator<Item = Box<dyn Object>> {
        self.places.into_iter().flatten().filter_map(|place| place.object)
    }

    /// Adds an object under its new badge.
    pub(crate) fn insert(&mut self, badge: Badge, object: Box<dyn Object>) {
        let slot = badge.slot();
        let (kind, address) = (object.kind(), (&raw const *object).addr());
        if self.places.len() <= slot {
            self.places.resize_with(slot + 1, || None);
        }
        self.places[slot] = Some(Place { badge, object: Some(object), kind, address });
        self.objects += 1;
    }

    #[inline]
    fn place(&mut self, badge: Badge) -> Option<&mut Place> {
        self.places.get_mut(badge.slot())?.as_mut().filter(|place| place.badge == badge)
    }

    /// Takes an object out, for a while.
    #[inline]
    pub(crate) fn check_out(&mut self, badge: Badge) -> Result<Box<dyn Object>, Error> {
        self.place(badge).ok_or(Error::NotManaged)?.object.take().ok_or(Error::Busy)
    }

    /// Puts an object back; hands it out again if it was removed meanwhile.
    #[inline]
    pub(crate) fn check_in(&mut self, badge: Badge, object: Box<dyn Object>) -> Option<Box<dyn Object>> {
        match self.place(badge) {
            Some(place) => {
                place.object = Some(object);
                None
            }
            None => Some(object),
        }
    }

    /// Removes an object. Answers `None` if there is no such object.
    pub(crate) fn remove(&mut self, badge: Badge) -> Option<Removed> {
        self.place(badge)?;
        let place = self.places[badge.slot()].take()?;
        self.objects -= 1;
        let contexts = self.bound.remove(&badge).unwrap_or_default().contexts;
        Some(Removed { object: place.object, contexts })
    }

    /// Binds a signal context to an object.
    pub(crate) fn bind(&mut self, badge: Badge, context: Badge, only_for_signals: bool) {
        if self.place(badge).is_some() {
            let bound = self.bound.entry(badge).or_default();
            bound.contexts.push(context);
            bound.only_for_signals |= only_for_signals;
        }
    }

    /// A signal context is no longer bound to the object. Answers whether the object ends with it.
    pub(crate) fn unbind(&mut self, badge: Badge, context: Badge) -> bool {
        let Entry::Occupied(mut bound) = self.bound.entry(badge) else { return false };
        bound.get_mut().contexts.retain(|bound| *bound != context);
        bound.get().contexts.is_empty() && bound.remove().only_for_signals
    }

    /// Whether the object is one of that type.
    pub(crate) fn check_type<T: 'static>(&mut self, badge: Badge) -> Result<(), Error> {
        let kind = self.place(badge).ok_or(Error::NotManaged)?.kind;
        if kind.of == TypeId::of::<T>() {
            Ok(())
        } else {
            Err(Error::WrongType { expected: std::any::type_name::<T>() })
        }
    }

    /// Whether this is the very object of that badge, which is checked out. Of one that was dissolved nobody can tell, and
    /// need not: nothing is bound to it any more.
    pub(crate) fn may_be_lent<T: 'static>(&mut self, badge: Badge, object: &T) -> bool {
        let Some(place) = self.place(badge) else { return true };
        // Within its own bytes there is one of its type: itself.
        let offset = std::ptr::from_ref(object).addr().checked_sub(place.address);
        place.kind.of == TypeId::of::<T>()
            && offset.is_some_and(|offset| offset.saturating_add(size_of::<T>()) <= place.kind.size)
    }

    /// Whether the object is there and no handler of it runs.
    pub(crate) fn is_at_rest(&mut self, badge: Badge) -> bool {
        self.place(badge).is_some_and(|place| place.object.is_some())
    }
}
