//! The object pool: from a badge, the entrypoint's own name for an object, to the object.

use crate::error::Error;
use crate::object::Object;
use portcullis_ipc::Badge;

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
}

impl Pool {
    /// How many objects there are, those that are checked out included.
    pub(crate) fn len(&self) -> usize {
        self.objects
    }

    /// Adds an object under its new badge.
    pub(crate) fn insert(&mut self, badge: Badge, object: Box<dyn Object>) {
        let slot = badge.slot();
        if self.places.len() <= slot {
            self.places.resize_with(slot + 1, || None);
        }
        self.places[slot] = Some(Place { badge, object: Some(object) });
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

    /// Removes an object, and hands it out if it is not checked out. Answers `None` if there is no such object.
    pub(crate) fn remove(&mut self, badge: Badge) -> Option<Option<Box<dyn Object>>> {
        self.place(badge)?;
        let place = self.places[badge.slot()].take()?;
        self.objects -= 1;
        Some(place.object)
    }
}
