//! The memory groups of children: each may use what its parent and its clients have given it.

use super::Host;
use super::spec::Running;
use super::state::{Server, State};
use crate::sandbox::PROGRAM;
use crate::spawn::Spawn;
use portcullis_shm::RamQuota;

/// How far a limit may be from what has been given, so that not every session sets another one, in bytes: so much of what any program has
/// beside its budget is for the sessions that it serves.
const ROOM: u64 = 4 << 20;

/// The limit of one child's memory group, if it is to have one, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Without what clients have given.
    own: Option<u64>,
    /// By its clients, for sessions that it serves.
    received: u64,
    /// As it is.
    limit: u64,
}

impl Memory {
    pub(super) fn new(own: Option<u64>) -> Memory {
        Memory { own, received: 0, limit: own.unwrap_or_default() }
    }

    /// What is to be set, if it is to be another one: at once if it is too small, and not for every trifle if it is too large.
    fn wanted(&self) -> Option<u64> {
        let given = self.own?.saturating_add(self.received);
        let least = given.saturating_sub(self.received.min(ROOM));
        let is_enough = (least..=given.saturating_add(ROOM)).contains(&self.limit);
        (!is_enough).then_some(given)
    }
}

impl Host {
    /// Sets the limit of the memory group of a child that is confined, in bytes: what its clients have given it for their sessions
    /// comes on top of that, and is taken off again when they are closed, as far as the child uses it no more. Answers whether it has
    /// one and the system does so.
    pub fn limit_memory(&self, name: &str, limit: u64) -> bool {
        let mut state = self.0.state.borrow_mut();
        let child = state.child_named(name).and_then(|child| state.children.get_mut(&child));
        let Some(child) = child else { return false };
        child.memory.own = Some(limit);
        let all = limit.saturating_add(child.memory.received);
        let set = child.running.as_ref().and_then(|running| running.limit_memory(all));
        child.memory.limit = set.unwrap_or(child.memory.limit);
        set.is_some()
    }
}

impl State {
    /// Whoever serves a session is given so much for it: it may use that before it is asked to.
    pub(super) fn may_use(&mut self, server: Server, ram: RamQuota) {
        self.change_memory(server, |received| received.saturating_add(ram.in_bytes()));
    }

    /// It has no right to that any more.
    pub(super) fn may_not_use(&mut self, server: Server, ram: RamQuota) {
        self.change_memory(server, |received| received.saturating_sub(ram.in_bytes()));
    }

    fn change_memory(&mut self, server: Server, change: impl FnOnce(u64) -> u64) {
        let Server::Child(child) = server else { return };
        let Some(child) = self.children.get_mut(&child) else { return };
        child.memory.received = change(child.memory.received);
        if let (Some(wanted), Some(running)) = (child.memory.wanted(), &child.running) {
            // Where there is no group nothing is limited; a limit that is refused is tried again with the next change.
            child.memory.limit = running.limit_memory(wanted).unwrap_or(child.memory.limit);
        }
    }
}

impl Running {
    /// Sets the limit of its memory group; answers which it has then, if it has one and the system does so.
    fn limit_memory(&self, limit: u64) -> Option<u64> {
        match self {
            Running::Confined(process) => process.limit_memory(limit).ok().flatten(),
            Running::Spawned(spawned) => {
                spawned.session.clone().give(limit.saturating_sub(PROGRAM)).ok().map(|()| limit)
            }
            Running::Process(_) | Running::Thread(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_never_too_small_and_not_changed_for_every_trifle() {
        let mut memory = Memory::new(Some(100 << 20));
        for received in [0, 1, 4 << 20] {
            memory.received = received;
            assert_eq!(memory.wanted(), None, "{received}");
        }
        memory.received = 50 << 20;
        assert_eq!(memory.wanted(), Some(150 << 20));
        memory.limit = 150 << 20;
        for received in [46 << 20, 50 << 20, 54 << 20] {
            memory.received = received;
            assert_eq!(memory.wanted(), None, "{received}");
        }
        memory.received = (54 << 20) + 1;
        assert_eq!(memory.wanted(), Some((154 << 20) + 1));
        memory.received = 0;
        assert_eq!(memory.wanted(), Some(100 << 20));
        assert_eq!(Memory::new(None).wanted(), None);
    }
}
