//! Rows on their way back to their entrypoint.

use super::channel::Channel;
use crate::protocol::release_ring::{Release, Ring};
use crate::protocol::{doorbell, hang_up};
use crate::server::Limits;
use crate::wire::Violation;
use crate::wire::head::RowName;
use crate::wire::layout;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// What is to be given back.
#[derive(Debug, Default)]
pub(crate) struct Releases {
    head: u64,
    /// The rows that the ring had no room for, and how many grants of each. A row's place is not used again before all of its
    /// grants are back, so that the index tells.
    waiting: BTreeMap<u32, u64>,
    /// As many references as there were at once since something waits.
    held: usize,
}

impl Releases {
    /// Puts a release into the ring or beside those that wait for room. `held` is how many references there are to rows of the
    /// channel, at least. Answers whether the server should look.
    ///
    /// A server that takes back what was given back, before it serves the next call, never has more rows wait than were held
    /// at once, or a few more; and one that cannot for a while, since it cannot read its socket, still grants no more rows
    /// than its limit, which is this unless it says otherwise. So more than both together are those of a server that makes us keep them.
    pub(crate) fn push(&mut self, release: Release, ring: Ring<'_>, held: usize) -> Result<bool, Violation> {
        self.flush(ring, release.sent);
        if self.waiting.is_empty() {
            self.held = 0;
            if ring.push(&mut self.head, release) {
                return Ok(ring.half_full(self.head));
            }
        }
        self.held = self.held.max(held);
        *self.waiting.entry(release.row).or_default() += u64::from(release.grants);
        if self.waiting.len() > self.held.saturating_add(Limits::ROWS as usize) {
            self.waiting.clear();
            return Err(Violation("a server grants rows and takes none back"));
        }
        Ok(true)
    }

    /// Whether some had no room.
    pub(crate) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Moves what waits into the ring, as far as there is room. `sent` is how many messages were sent by now: the
    /// count that a release waited with may have come round.
    pub(crate) fn flush(&mut self, ring: Ring<'_>, sent: u16) {
        while let Some(mut first) = self.waiting.first_entry() {
            let grants = u16::try_from(*first.get()).unwrap_or(u16::MAX);
            if !ring.push(&mut self.head, Release { row: *first.key(), grants, sent }) {
                return;
            }
            *first.get_mut() -= u64::from(grants);
            if *first.get() == 0 {
                first.remove();
            }
        }
    }
}

impl Channel {
    /// Gives back one grant of a row. Never waits.
    pub(crate) fn release(self: &Arc<Self>, row: RowName) {
        // With the server its rows are gone. Relaxed: who does not know yet does no harm.
        if self.dead.load(Ordering::Relaxed) {
            return;
        }
        let release = Release { row: row.index(), grants: 1, sent: self.transport.sent() };
        let mut releases = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        let look = releases.push(release, self.release_ring(), Arc::strong_count(self));
        // Relaxed: the lock orders the releases themselves.
        self.backlog.store(releases.are_waiting(), Ordering::Relaxed);
        drop(releases);
        let Ok(look) = look else {
            // Those who wait are told by the watcher: who drops a capability may hold any lock.
            hang_up::declare(&self.dead);
            return self.transport.hang_up();
        };
        if look || doorbell::wants_releases(&self.words[layout::WATCHED]) {
            self.notify(layout::PENDING_RELEASES);
        }
    }

    /// Whether releases wait for room.
    #[inline]
    pub(super) fn has_backlog(&self) -> bool {
        self.backlog.load(Ordering::Relaxed)
    }

    /// Gives back what had no room in the ring, as far as there is room now.
    #[cold]
    pub(super) fn catch_up(&self) {
        let mut releases = self.releases.lock().unwrap_or_else(PoisonError::into_inner);
        releases.flush(self.release_ring(), self.transport.sent());
        self.backlog.store(releases.are_waiting(), Ordering::Relaxed);
        drop(releases);
        self.notify(layout::PENDING_RELEASES);
    }

    fn release_ring(&self) -> Ring<'_> {
        Ring {
            head: &self.words[layout::RELEASE_HEAD],
            tail: &self.words[layout::RELEASE_TAIL],
            entries: &self.words[layout::RELEASE_ENTRIES..][..layout::RELEASE_CAPACITY],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use crate::client::channel::Channel;
    use crate::deadline::Deadline;
    use crate::error::Error;
    use crate::message::MsgBuf;
    use crate::pd::Pd;
    use crate::pd::peer_descriptor::PeerDescriptor;
    use crate::sync::AtomicU64;
    use crate::sys::socket;
    use crate::transport::socket::SocketTransport;
    use crate::wire::head::RowName;
    use crate::wire::slot::Group;
    use std::os::fd::{AsFd, OwnedFd};
    use std::sync::Arc;

    /// A channel to a server that takes nothing back, and what is the server's.
    fn channel() -> (Arc<Channel>, OwnedFd) {
        let pd = Pd::new().unwrap();
        let (ours, theirs) = socket::pair().unwrap();
        let transport = SocketTransport::new(pd.clone(), Arc::new(PeerDescriptor::new(&pd, ours)));
        (Channel::connect(&pd, &Arc::new(transport), Group::next(), None).unwrap(), theirs)
    }

    fn granted(channel: &Arc<Channel>, row: u32) -> Capability {
        Capability::granted(channel.clone(), RowName::new(row, 1))
    }

    #[test]
    fn whatever_waited_comes_back_in_the_end() {
        const ROWS: u32 = 3;
        const TIMES: u64 = 70_000;
        let (head, tail, entries) = (AtomicU64::new(0), AtomicU64::new(0), [const { AtomicU64::new(0) }; 4]);
        let ring = Ring { head: &head, tail: &tail, entries: &entries };
        let mut releases = Releases::default();
        for time in 0..TIMES {
            for row in 0..ROWS {
                let sent = u16::try_from(time % 7).unwrap();
                assert!(releases.push(Release { row, grants: 1, sent }, ring, 1).is_ok());
            }
        }
        let (mut own, mut back) = (0, [0; ROWS as usize]);
        while let Some(release) = ring.pop(&mut own).unwrap() {
            back[release.row as usize] += u64::from(release.grants);
            releases.flush(ring, 9);
        }
        assert_eq!(back, [TIMES; ROWS as usize]);
        assert!(!releases.are_waiting());
    }

    #[test]
    fn a_server_that_grants_without_end_and_takes_nothing_back_is_condemned() {
        let (channel, theirs) = channel();
        let of_caller = channel.clone();
        let caller = std::thread::spawn(move || {
            let (send, mut receive) = (MsgBuf::new(), MsgBuf::new());
            Channel::call(&of_caller, RowName::FIRST, &send, &mut receive, Deadline::Never)
        });
        let granted = (0..1_000_000).take_while(|row| {
            drop(granted(&channel, *row));
            !channel.is_dead()
        });
        assert!(granted.count() < 100_000);
        assert!(socket::has_ended(theirs.as_fd()));
        assert_eq!(caller.join().unwrap(), Err(Error::Disconnected), "who waits is told");
    }

    #[test]
    fn what_is_held_at_once_may_be_given_back_at_once() {
        let (channel, _theirs) = channel();
        let held: Vec<Capability> = (0..200_000).map(|row| granted(&channel, row)).collect();
        drop(held);
        assert!(!channel.is_dead());
    }

    #[test]
    fn one_row_may_be_given_back_any_number_of_times() {
        let (channel, _theirs) = channel();
        (0..200_000).for_each(|time| drop(granted(&channel, time % 1_000)));
        assert!(!channel.is_dead());
    }
}
