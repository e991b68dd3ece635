//! A server in a fuzzer's hands.

use crate::badge::Badge;
use crate::capability::Capability;
use crate::client::channel::Channel;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::Pd;
use crate::server::home::{Home, Post};
use crate::sys::memory::Words;
use crate::transport::Transport;
use crate::transport::local::LocalTransport;
use crate::wire::control::Tag;
use crate::wire::head::{RowName, State};
use crate::wire::layout::{self, LaneId, MESSAGE_WORDS, REPLY_HEAD};
use crate::wire::slot::{Group, Kinds, Slot};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A server without a thread: the answer to a call lies in the client's channel before the call is made.
#[derive(Debug)]
pub struct Puppet {
    home: Arc<Home>,
    pub(crate) words: Words,
    channel: Arc<Channel>,
    transport: LocalTransport,
    lane: LaneId,
    sequence: u32,
}

impl Puppet {
    /// A server with one client, this thread.
    ///
    /// # Errors
    /// [`Error::System`] if the system refuses what it needs.
    pub fn new() -> Result<Puppet, Error> {
        let home = Arc::new(Home::new(&Pd::new()?)?);
        let channel = home.local_channel()?.clone();
        let Some(Post::Local(words, transport)) = home.next_post() else { return Err(Error::Disconnected) };
        let lane = LaneId::all().next().ok_or(Error::Busy)?;
        Ok(Puppet { home, words, channel, transport, lane, sequence: 0 })
    }

    /// A capability that is called through the channel, one grant of a row.
    #[must_use]
    pub fn capability(&self) -> Capability {
        Capability::granted(self.channel.clone(), RowName::FIRST)
    }

    /// A capability to an object of the server, for a message.
    #[must_use]
    pub fn object(&self) -> Capability {
        Capability::own(self.home.clone(), Badge(RowName::FIRST), None)
    }

    /// How many capabilities to [`object`](Self::object) there are.
    #[must_use]
    pub fn objects(&self) -> usize {
        // The puppet's own.
        Arc::strong_count(&self.home) - 1
    }

    /// Drops what was sent and never taken.
    pub fn forget(&self) {
        self.transport.hang_up();
    }

    /// Answers the next call with this message.
    pub fn answer(&mut self, message: &MsgBuf) {
        let (data, rest) = message.data().as_chunks::<8>();
        let mut words: Vec<u64> = data.iter().copied().map(u64::from_le_bytes).collect();
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            words.push(u64::from_le_bytes(last));
        }
        let portals: Vec<Capability> = message.held().cloned().collect();
        let kinds = Kinds::of(&vec![Slot::Portal(Group(0)); portals.len()]);
        let state = State { sequence: 0, length: message.length(), kinds, status: 0, core: 0 };
        self.answer_with(state.encode(), &words, &portals);
    }

    /// Answers the next call with this state word, but for its sequence, and these words behind it.
    pub(crate) fn answer_with(&mut self, state: u64, words: &[u64], portals: &[Capability]) {
        self.sequence = self.sequence.wrapping_add(1);
        let reply = &self.words[self.lane.reply()..][..MESSAGE_WORDS];
        for (shared, word) in reply[REPLY_HEAD..].iter().zip(words) {
            shared.store(*word, Ordering::Relaxed);
        }
        if !portals.is_empty() {
            let tag = Tag { lane: self.lane, sequence: self.sequence };
            assert!(self.transport.send(tag, portals).is_ok(), "a basket takes whatever comes");
        }
        let state = state & !u64::from(u32::MAX) | u64::from(self.sequence);
        reply[0].store(state, Ordering::Release);
    }

    /// Every word of the channel's memory that a server writes beside replies.
    pub(crate) fn set_flags(&self, watched: u64, waiting: u64, tail: u64) {
        let words = [(layout::WATCHED, watched), (layout::WAITING, waiting), (layout::RELEASE_TAIL, tail)];
        for (word, value) in words {
            self.words[word].store(value, Ordering::Relaxed);
        }
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        self.home.close();
    }
}
