//! The server's side of a channel.

mod reply;
mod request;
mod signals;

use super::home::Home;
use super::ledger::Ledger;
use super::rows::Rows;
use crate::badge::Badge;
use crate::error::Error;
use crate::pd::issued::WayHome;
use crate::pd::peer_socket::PeerSocket;
use crate::pd::watcher::{HangUp, Watch};
use crate::protocol::doorbell;
use crate::protocol::release_ring::{Release, Ring};
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
    bell: Option<PeerSocket>,
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

/// Whether a release refers to messages beyond so many. Counts go round; what lies less than half way ahead is still to come.
fn is_ahead(release: Release, received: u16) -> bool {
    matches!(release.sent.wrapping_sub(received), 1..=0x7fff)
}

impl Port {
    pub(crate) fn new(name: RowName, end: End, words: Option<Words>) -> Port {
        Port {
            name,
            end,
            words,
            rows: Rows::default(),
            sequences: [0; LANES],
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
    pub(crate) fn bell(&self) -> Option<&PeerSocket> {
        self.bell.as_ref()
    }

    /// Takes the client's memory and bell. Once only.
    pub(crate) fn introduce(&mut self, words: Words, bell: Option<PeerSocket>) -> Result<(), Error> {
        if self.words.is_some() {
            return Err(Error::Violation("a client introduced itself twice"));
        }
        (self.words, self.bell, self.way_home) = (Some(words), bell, None);
        Ok(())
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
        let releases = words[layout::RELEASE_HEAD].load(Ordering::Relaxed) != self.release_tail;
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
        let full = self.rings >= RINGS_BETWEEN_DRAINS || self.words.is_none();
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

    /// Takes back what the client released: at most one ring full, so that it cannot keep us here. Answers whether
    /// the socket must be read first: a release must not overtake what was sent before it.
    pub(crate) fn take_releases(&mut self, ledger: &mut Ledger) -> Result<bool, Error> {
        let Some(words) = self.words.clone() else { return Ok(false) };
        let ring = Ring {
            head: &words[layout::RELEASE_HEAD],
            tail: &words[layout::RELEASE_TAIL],
            entries: &words[layout::RELEASE_ENTRIES..][..layout::RELEASE_CAPACITY],
        };
        let received = self.socket().map_or(0, SocketTransport::received);
        for _ in 0..layout::RELEASE_CAPACITY {
            let release = match self.held.take() {
                Some(held) => held,
                None => match ring.pop(&mut self.release_tail)? {
                    Some(release) => release,
                    None => return Ok(false),
                },
            };
            if is_ahead(release, received) {
                self.held = Some(release);
                return Ok(true);
            }
            let row = self
                .rows
                .name_at(release.row)
                .ok_or(Error::Violation("a release of a row that was not granted"))?;
            self.take_signal_of(release.row, ledger);
            ledger.release(self.name, &mut self.rows, row, release.grants.into())?;
        }
        Ok(false)
    }

    /// After the socket was read to its end: what had to wait for that. Answers whether there is something again that does: a release
    /// that has come meanwhile, as has what was sent before it.
    pub(crate) fn resume_releases(&mut self, ledger: &mut Ledger) -> Result<bool, Error> {
        let Some(held) = self.held else { return Ok(false) };
        let received = self.socket().map_or(0, SocketTransport::received);
        // It was here before the socket was read, and what it refers to was sent before it came.
        if is_ahead(held, received) {
            return Err(Error::Violation("a release refers to messages that were never sent"));
        }
        self.take_releases(ledger)
    }

    /// Its client came by that portal.
    pub(crate) fn came_by(&mut self, entrance: Entrance) {
        self.entrance = Some(entrance);
    }

    /// The portal that its client came by, when nothing comes over it any more: the client has come over, or is gone.
    pub(crate) fn shut_entrance(&mut self) -> Option<Entrance> {
        let has_come = self.words.is_some();
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
        self.starves |= drained == Drained::NoRoom;
        Ok(drained)
    }

    /// There may be room by now: what was left is looked at again.
    pub(crate) fn feed(&mut self) {
        self.polled |= std::mem::take(&mut self.stuck);
        self.starves = false;
    }

    /// Adds the first row of a new port: what the portal was made for.
    pub(crate) fn grant_first(&mut self, badge: Badge, ledger: &mut Ledger) -> Result<(), Error> {
        let (_, counted) = ledger.grant(badge, self.name, &mut self.rows)?;
        self.gather(counted);
        Ok(())
    }
}
