//! Which channel the portals of a group fold into.

use crate::client::channel::Channel;
use crate::client::portal::Origin;
use crate::wire::slot::Group;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The channels of a domain that portals fold into.
#[derive(Default)]
pub(crate) struct Groups(Mutex<HashMap<Origin, Known>>);

/// A group of somebody else's.
struct Known {
    /// The group of what is handed on of it.
    onward: Group,
    channel: Weak<Channel>,
}

impl Known {
    fn channel(&self) -> Option<Arc<Channel>> {
        self.channel.upgrade().filter(|channel| !channel.is_dead())
    }
}

impl Groups {
    fn map(&self) -> MutexGuard<'_, HashMap<Origin, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channel of that group, if there is one and it lives.
    pub(crate) fn get(&self, origin: Origin) -> Option<Arc<Channel>> {
        self.map().get(&origin).and_then(Known::channel)
    }

    /// Of which group of ours those are that are handed on.
    pub(crate) fn onward(&self, origin: Origin) -> Group {
        let mut map = self.map();
        make_room(&mut map);
        map.entry(origin)
            .or_insert_with(|| Known {
                onward: Group::next().hinting_like(origin.group),
                channel: Weak::new(),
            })
            .onward
    }

    /// Makes it the channel of its group, unless there is one. Answers whether it is now.
    pub(crate) fn insert(&self, origin: Origin, channel: &Arc<Channel>) -> bool {
        let mut map = self.map();
        if map.get(&origin).and_then(Known::channel).is_some() {
            return false;
        }
        make_room(&mut map);
        map.insert(origin, Known { onward: channel.group(), channel: Arc::downgrade(channel) });
        true
    }
}

/// Groups that have ended take no more room than those that live.
fn make_room(map: &mut HashMap<Origin, Known>) {
    if map.len() == map.capacity() {
        map.retain(|_, known| known.channel.strong_count() != 0);
    }
}

impl std::fmt::Debug for Groups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Groups").field("groups", &self.map().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pd::Pd;
    use crate::server::home::Home;
    use crate::wire::slot::Group;

    #[test]
    fn the_first_live_channel_is_that_of_its_group() {
        let pd = Pd::new().unwrap();
        let homes = [Home::new(&pd).unwrap(), Home::new(&pd).unwrap()];
        let [one, other] = homes.each_ref().map(|home| home.local_channel().unwrap());
        let (groups, group) = (Groups::default(), Group(7));
        let (origin, elsewhere) = (Origin { introducer: 1, group }, Origin { introducer: 2, group });
        assert!(groups.get(origin).is_none());
        assert!(groups.insert(origin, one));
        assert!(!groups.insert(origin, other), "there is one");
        assert!(groups.insert(elsewhere, other), "another introducer's groups are others");
        let found = |origin| groups.get(origin);
        assert!(found(origin).is_some_and(|channel| Arc::ptr_eq(&channel, one)));
        assert!(found(elsewhere).is_some_and(|channel| Arc::ptr_eq(&channel, other)));
        homes[0].close();
        assert!(found(origin).is_none(), "nothing folds into a dead channel");
        assert!(groups.insert(origin, other));
        assert!(found(origin).is_some_and(|channel| Arc::ptr_eq(&channel, other)));
    }

    #[test]
    fn groups_that_have_ended_take_no_room() {
        let pd = Pd::new().unwrap();
        let groups = Groups::default();
        for introducer in 0..1_000 {
            let home = Home::new(&pd).unwrap();
            assert!(groups.insert(Origin { introducer, group: Group(0) }, home.local_channel().unwrap()));
        }
        assert!(groups.map().capacity() < 10, "{} of none", groups.map().capacity());
    }
}
