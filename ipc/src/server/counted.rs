//! Objects whose server wants to be told when nobody holds them any more.

use super::home::Home;
use crate::badge::Badge;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

/// What all capabilities to a counted object share that are within the server's own process; rows count themselves.
#[derive(Debug)]
pub(crate) struct Holding {
    home: Arc<Home>,
    badge: Badge,
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.home.let_go(self.badge);
    }
}

/// The counted objects of a server.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    objects: HashMap<Badge, Object>,
    /// Objects that nobody held when they came here.
    left: VecDeque<Badge>,
}

#[derive(Debug, Default)]
struct Object {
    /// The capabilities within this process.
    here: Weak<Holding>,
    notice: Notice,
}

/// Whether an object's server knows that nobody holds it: it is told once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Notice {
    /// There is nothing to tell, as far as is known.
    #[default]
    None,
    Queued,
    Told,
}

impl Counted {
    /// Counts an object from now on.
    pub(crate) fn add(&mut self, badge: Badge) {
        self.objects.insert(badge, Object::default());
    }

    /// The object is dissolved.
    pub(crate) fn remove(&mut self, badge: Badge) {
        if !self.objects.is_empty() {
            self.objects.remove(&badge);
        }
    }

    /// Somebody gets a row of the object. Answers whether it is counted.
    #[inline]
    pub(crate) fn grant(&mut self, badge: Badge) -> bool {
        !self.objects.is_empty() && self.renew(badge).is_some()
    }

    /// Somebody within this process gets a capability to the object.
    pub(crate) fn hold(&mut self, badge: Badge, home: &Arc<Home>) -> Option<Arc<Holding>> {
        let object = self.renew(badge)?;
        Some(object.here.upgrade().unwrap_or_else(|| {
            let holding = Arc::new(Holding { home: home.clone(), badge });
            object.here = Arc::downgrade(&holding);
            holding
        }))
    }

    /// Its server is to be told once more when nobody holds it.
    fn renew(&mut self, badge: Badge) -> Option<&mut Object> {
        let object = self.objects.get_mut(&badge)?;
        if object.notice == Notice::Told {
            object.notice = Notice::None;
        }
        Some(object)
    }

    /// No row names the object any more, or no capability within this process: and so nobody holds it, if `rows` is
    /// false and none is here.
    pub(crate) fn leave(&mut self, badge: Badge, rows: bool) {
        let Some(object) = self.objects.get_mut(&badge) else { return };
        if !rows && object.here.strong_count() == 0 && object.notice == Notice::None {
            object.notice = Notice::Queued;
            self.left.push_back(badge);
        }
    }

    /// Whether there is an object that nobody held when it came here.
    #[inline]
    pub(crate) fn has_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// The next object that nobody holds; `has_rows` says whether there are rows of it by now.
    pub(crate) fn next(&mut self, has_rows: impl Fn(Badge) -> bool) -> Option<Badge> {
        while let Some(badge) = self.left.pop_front() {
            let Some(object) = self.objects.get_mut(&badge) else { continue };
            let held = object.here.strong_count() != 0 || has_rows(badge);
            object.notice = if held { Notice::None } else { Notice::Told };
            if !held {
                return Some(badge);
            }
        }
        None
    }
}
