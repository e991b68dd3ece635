//! Which channel the portals of a group fold into.

use crate::client::channel::Channel;
use crate::client::portal::Origin;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The channels of a domain that portals fold into.
#[derive(Default)]
pub(crate) struct Groups(Mutex<HashMap<Origin, Weak<Channel>>>);

impl Groups {
    fn map(&self) -> MutexGuard<'_, HashMap<Origin, Weak<Channel>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channel of that group, if there is one and it lives.
    pub(crate) fn get(&self, origin: Origin) -> Option<Arc<Channel>> {
        self.map().get(&origin).and_then(Weak::upgrade).filter(|channel| !channel.is_dead())
    }

    /// Makes it the channel of its group, unless there is one. Answers whether it is now.
    pub(crate) fn insert(&self, origin: Origin, channel: &Arc<Channel>) -> bool {
        let mut map = self.map();
        if map.get(&origin).and_then(Weak::upgrade).is_some_and(|known| !known.is_dead()) {
            return false;
        }
        // Groups that have ended take no more room than those that live.
        if map.len() == map.capacity() {
            map.retain(|_, channel| channel.strong_count() != 0);
        }
        map.insert(origin, Arc::downgrade(channel));
        true
    }
}

impl std::fmt::Debug for Groups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Groups").field("groups", &self.map().len()).finish()
    }
}
