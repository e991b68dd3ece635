//! The server's side of a channel.

mod grants;
mod reply;
mod request;
mod signals;

use super::home::Home;
use super::ledger::Ledger;
use super::rows::Rows;
use crate::error::Error;
use crate::pd::issued::WayHome;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::pd::watcher::{HangUp, Watch};
use crate::protocol::doorbell;
use crate::protocol::release_ring::Release;
use crate::server::entrance::Entrance;
use crate::sys::memory::Words;
use crate::transport::Transport;
use crate::transport::local::LocalTransport;
use crate::transport::socket::{Drained, News, SocketTransport};
use crate::wire::control::Token;
use crate::wire::head::{self, RowName};
use crate::wire::layout::{self, LANES, LaneId};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The server's side of one channel: its client's memory, and the rows granted to its client.
pub(crate) struct Port {
    name: RowName,
    end: End,
    /// The channel's memory, once its client has introduced itself.
    words: Option<Words>,
    rows: Rows,
    /// The last request taken out of each lane.
    sequences: [u32; LANES],
    /// Bytes of data of the last answer in each lane.
    lengths: [u16; LANES],
    /// Lanes that are polled.
    polled: u64,
    /// [`layout::RELEASES_AT_ONCE`], once its client holds a counted object.
    demands: u64,
    /// Lanes whose request is not answered yet.
    busy: u64,
    /// The lanes behind the one that was served last: they come first.
    first: u64,
    release_tail: u64,
    /// Wakes by its doorbell since the socket was last read.
    rings: u32,
    /// Something was taken from it since the last round of [`was_idle`](Self::was_idle).
    served: bool,
    /// Its pipe is shared with the client, who can keep it locked while it is closed.
    bell: Option<PeerDescriptor>,
    /// A release that waits until the socket is read as far as its client had written it.
    held: Option<Release>,
    /// What was read from the socket and belongs to no request.
    pub(crate) news: Vec<News>,
    /// Its socket was left unread, for want of descriptors.
    pub(crate) starves: bool,
    /// Lanes with a request whose portals were left there.
    stuck: u64,
    /// By what it is known on another channel, as long as it is.
    pub(crate) token: Option<Token>,
    /// By what its portal comes home, until its client has come over.
    pub(crate) way_home: Option<WayHome>,
    /// The portal that its client came by, until the client has come over.
    entrance: Option<Entrance>,
}

/// What a port hangs on.
pub(crate) enum End {
    Socket { transport: Box<SocketTransport>, _watch: Watch, _ended: Arc<Ended> },
    Local(LocalTransport),
}

/// Tells the server that the client of a port is gone, while the server is too busy to ask the system.
pub(crate) struct Ended {
    pub(crate) home: Arc<Home>,
    pub(crate) port: RowName,
}

impl HangUp for Ended {
    fn hang_up(&self) {
        self.home.ended(self.port);
    }
}

/// The doorbell messages that may be waiting: each of 16 lanes, 8 groups of signals and two more bits rings at most once a
/// wake, and a socket holds at least 278 of them.
const RINGS_BETWEEN_DRAINS: u32 = 8;

impl Port {
    pub(crate) fn new(name: RowName, end: End, words: Option<Words>) -> Port {
        Port {
            name,
            end,
            words,
            rows: Rows::default(),
            sequences: [0; LANES],
            lengths: [0; LANES],
            polled: 0,
            demands: 0,
            busy: 0,
            first: u64::MAX,
            release_tail: 0,
            rings: 0,
            served: true,
            bell: None,
            held: None,
            news: Vec::new(),
            starves: false,
            stuck: 0,
            token: None,
            way_home: None,
            entrance: None,
        }
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    pub(crate) fn rows_mut(&mut self) -> &mut Rows {
        &mut self.rows
    }

    fn transport(&self) -> &dyn Transport {
        match &self.end {
            End::Socket { transport, .. } => &**transport,
            End::Local(transport) => transport,
        }
    }

    /// The socket, if it has one.
    pub(crate) fn socket(&self) -> Option<&SocketTransport> {
        match &self.end {
            End::Socket { transport, .. } => Some(transport),
            End::Local(_) => None,
        }
    }

    /// The doorbell's pipe, if its client brought one.
    pub(crate) fn bell(&self) -> Option<&PeerDescriptor> {
        self.bell.as_ref()
    }

    /// Takes the client's memory and bell. Once only.
    pub(crate) fn introduce(&mut self, words: Words, bell: Option<PeerDescriptor>) -> Result<(), Error> {
        if self.words.is_some() {
            return Err(Error::Violation("a client introduced itself twice"));
        }
        (self.words, self.bell, self.way_home) = (Some(words), bell, None);
        Ok(())
    }

    /// Whether its client has introduced itself.
    pub(crate) fn has_memory(&self) -> bool {
        self.words.is_some()
    }

    /// Polls from now on: clients need not ring. Nothing without memory.
    pub(crate) fn watch(&mut self) {
        if let Some(words) = &self.words {
            doorbell::watch(&words[layout::WATCHED], self.polled | self.demands);
        }
    }

    /// Has the client give back rows without delay from now on, if one of them is counted.
    pub(crate) fn gather(&mut self, counted: bool) {
        if counted && self.demands == 0 {
            self.demands = layout::RELEASES_AT_ONCE;
            if let Some(words) = &self.words {
                doorbell::demand(&words[layout::WATCHED], self.demands);
            }
        }
    }

    /// Announces that nobody polls any more. [`is_ready`](Self::is_ready) must be asked after this.
    pub(crate) fn unwatch(&mut self) {
        if let Some(words) = &self.words {
            doorbell::unwatch(&words[layout::WATCHED], self.demands);
        }
    }

    /// Whether nothing was taken from it since this was last asked.
    pub(crate) fn was_idle(&mut self) -> bool {
        !std::mem::take(&mut self.served)
    }

    /// Forgets which lanes were lately used: they announce themselves when they are used again.
    pub(crate) fn cool(&mut self) {
        self.polled = 0;
    }

    /// The second look: whether something came while [`unwatch`](Self::unwatch) was on its way. Releases count here,
    /// which a client announces only when there are many.
    pub(crate) fn is_ready(&self) -> bool {
        let Some(words) = &self.words else { return false };
        let in_ring = words[layout::RELEASE_HEAD].load(Ordering::Relaxed) != self.release_tail;
        let releases = in_ring || self.held.is_some();
        // Those of a starving port may wait for what is on its socket.
        self.has_work() || releases && !self.starves
    }

    /// Whether there is a request in a polled lane, or anything announced.
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        let Some(words) = &self.words else { return false };
        // Relaxed: a hint. Who acts on it loads again, with acquire.
        LaneId::in_set(self.polled & !self.busy & !self.stuck).any(|lane| {
            head::sequence(words[lane.request()].load(Ordering::Relaxed)) != self.sequences[lane.index()]
        }) || doorbell::has_pending(&words[layout::PENDING])
    }

    /// Its doorbell has woken us. Answers whether the socket should be read.
    pub(crate) fn rang(&mut self) -> bool {
        self.rings += 1;
        let full = self.rings >= RINGS_BETWEEN_DRAINS || !self.has_memory();
        if full {
            self.rings = 0;
        }
        full
    }

    /// Looks at what the client announced beside requests. Answers whether the socket should be read.
    #[inline]
    pub(crate) fn take_pending(&mut self, ledger: &mut Ledger) -> Result<bool, Error> {
        match &self.words {
            Some(words) if doorbell::has_pending(&words[layout::PENDING]) => self.take_pending_slowly(ledger),
            _ => Ok(false),
        }
    }

    #[cold]
    fn take_pending_slowly(&mut self, ledger: &mut Ledger) -> Result<bool, Error> {
        let Some(words) = &self.words else { return Ok(false) };
        let pending = doorbell::take_pending(&words[layout::PENDING]);
        if pending & layout::LANE_BITS & !self.polled != 0 {
            self.polled |= pending & layout::LANE_BITS;
            doorbell::watch(&words[layout::WATCHED], self.polled | self.demands);
        }
        // Before the releases: what is given back was submitted to before.
        self.take_signals(pending, ledger);
        let releases = pending & layout::PENDING_RELEASES != 0 && self.take_releases(ledger)?;
        Ok(releases || pending & layout::PENDING_SOCKET != 0)
    }

    /// Its client came by that portal.
    pub(crate) fn came_by(&mut self, entrance: Entrance) {
        self.entrance = Some(entrance);
    }

    /// The portal that its client came by, when nothing comes over it any more: the client has come over, or is gone.
    pub(crate) fn shut_entrance(&mut self) -> Option<Entrance> {
        let has_come = self.has_memory();
        self.entrance.take_if(|entrance| entrance.is_done(has_come))
    }

    /// All its sockets.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let entrance = self.entrance.as_ref().map(Entrance::socket);
        self.socket().map(SocketTransport::socket).into_iter().chain(entrance)
    }

    /// Reads the socket, at most so many messages.
    pub(crate) fn drain(&mut self, most: usize) -> Result<Drained, Error> {
        let End::Socket { transport, .. } = &self.end else { return Ok(Drained::Empty) };
        // Before and after: what went over the portal was sent before the client introduced itself, or ended, and counts.
        let mut drained = Drained::Empty;
        if let Some(entrance) = &mut self.entrance {
            drained = entrance.drain(&mut self.news)?;
        }
        if drained != Drained::NoRoom {
            drained = transport.drain(&mut self.news, most)?;
            if let Some(entrance) = &mut self.entrance
                && entrance.drain(&mut self.news)? == Drained::NoRoom
            {
                drained = Drained::NoRoom;
            }
        }
        if drained == Drained::NoRoom {
            self.starves = true;
            // What was read for these before the room was gone may be what is missing.
            let here = self.stuck & self.lanes_held();
            (self.stuck, self.polled) = (self.stuck & !here, self.polled | here);
        }
        Ok(drained)
    }

    /// There may be room by now: what was left is looked at again.
    pub(crate) fn feed(&mut self) {
        self.polled |= std::mem::take(&mut self.stuck);
        self.starves = false;
    }
}
