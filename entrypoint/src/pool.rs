//! The object pool: from a badge, the entrypoint's own name for an object, to the object.

use crate::error::Error;
use crate::object::Object;
use portcullis_ipc::Badge;
use std::any::TypeId;
use std::ops::Range;

/// The objects of an entrypoint. While an object works it is checked out: its place stays, and whoever asks for it is
/// told that it is busy.
#[derive(Default)]
pub(crate) struct Pool {
    /// By the slot of the badge.
    places: Vec<Option<Place>>,
    objects: usize,
}

struct Place {
    badge: Badge,
    /// `None` while it is checked out.
    object: Option<Box<dyn Object>>,
    /// What type it has, and where it lies while it lives: to tell it from others.
    kind: TypeId,
    extent: Range<usize>,
    /// The signal contexts whose handlers are bound to it.
    contexts: Vec<Badge>,
    /// It ends with the last of them.
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

    /// Adds an object under its new badge.
    pub(crate) fn insert(&mut self, badge: Badge, mut object: Box<dyn Object>) {
        let slot = badge.slot();
        let kind = (*object.as_any()).type_id();
        let start = (&raw const *object).addr();
        let extent = start..start + size_of_val(&*object);
        if self.places.len() <= slot {
            self.places.resize_with(slot + 1, || None);
        }
        let (contexts, object) = (Vec::new(), Some(object));
        let place = Place { badge, object, kind, extent, contexts, only_for_signals: false };
        self.places[slot] = Some(place);
        self.objects += 1;
    }

    fn place(&mut self, badge: Badge) -> Option<&mut Place> {
        self.places.get_mut(badge.slot())?.as_mut().filter(|place| place.badge == badge)
    }

    /// Takes an object out, for a while.
    pub(crate) fn check_out(&mut self, badge: Badge) -> Result<Box<dyn Object>, Error> {
        self.place(badge).ok_or(Error::NotManaged)?.object.take().ok_or(Error::Busy)
    }

    /// Puts an object back; hands it out again if it was removed meanwhile.
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
        Some(Removed { object: place.object, contexts: place.contexts })
    }

    /// Binds a signal context to an object.
    pub(crate) fn bind(&mut self, badge: Badge, context: Badge, only_for_signals: bool) {
        if let Some(place) = self.place(badge) {
            place.contexts.push(context);
            place.only_for_signals |= only_for_signals;
        }
    }

    /// A signal context is no longer bound to the object. Answers whether the object ends with it.
    pub(crate) fn unbind(&mut self, badge: Badge, context: Badge) -> bool {
        let Some(place) = self.place(badge) else { return false };
        place.contexts.retain(|bound| *bound != context);
        place.only_for_signals && place.contexts.is_empty()
    }

    /// Whether the object is one of that type.
    pub(crate) fn check_type<T: 'static>(&mut self, badge: Badge) -> Result<(), Error> {
        let kind = self.place(badge).ok_or(Error::NotManaged)?.kind;
        if kind == TypeId::of::<T>() {
            Ok(())
        } else {
            Err(Error::WrongType { expected: std::any::type_name::<T>() })
        }
    }

    /// Whether this is the very object of that badge, which is checked out. Of one that was dissolved nobody can tell, and
    /// need not: nothing is bound to it any more.
    pub(crate) fn may_be_lent<T: 'static>(&mut self, badge: Badge, object: &T) -> bool {
        let (start, size) = (std::ptr::from_ref(object).addr(), size_of::<T>());
        let Some(place) = self.place(badge) else { return true };
        place.kind == TypeId::of::<T>()
            && place.extent.start <= start
            && start.checked_add(size).is_some_and(|end| end <= place.extent.end)
    }

    /// Whether the object is there and no handler of it runs.
    pub(crate) fn is_at_rest(&mut self, badge: Badge) -> bool {
        self.place(badge).is_some_and(|place| place.object.is_some())
    }
}
