//! Portals that are taken up: each gets a channel of sockets that nobody else has had, and its holder comes over to that.
//!
//! Whoever made the portal may have kept copies of both its ends. So nothing is read from it but openings of what it was
//! opened for, which its maker may have as well; and nothing at all once its holder has introduced itself over the
//! channel.

use super::Server;
use super::accounts::Opener;
use super::home::TakenUp;
use crate::badge::Badge;
use crate::error::Error;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::sys::socket::{self, Unsent};
use crate::transport::socket::{Drained, MOST_QUEUED, News, SocketTransport};
use crate::wire::head::RowName;
use rustix::event::epoll;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// A portal whose holder may not have come over yet.
pub(crate) struct Entrance {
    transport: SocketTransport,
    /// What it was left with.
    drained: Drained,
}

impl Entrance {
    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.transport.socket()
    }

    /// Reads all that is there.
    pub(crate) fn drain(&mut self, news: &mut Vec<News>) -> Result<Drained, Error> {
        let before = news.len();
        self.drained = self.transport.drain(news, MOST_QUEUED)?;
        let is_allowed = |news: &News| matches!(news, News::Open(RowName::FIRST, ..));
        let are_allowed = news.get(before..).is_some_and(|new| new.iter().all(is_allowed));
        if are_allowed && self.transport.lanes_held() == 0 {
            Ok(self.drained)
        } else {
            Err(Error::Violation("something came over a portal that belongs on its channel"))
        }
    }

    /// Whether nothing comes over it any more; that its holder has come over is known since before it was read.
    pub(crate) fn is_done(&self, has_come: bool) -> bool {
        self.drained == Drained::Closed || has_come && self.drained == Drained::Empty
    }
}

impl Server {
    /// Takes a portal up. If the system has no room for its channel now, it is tried again.
    pub(super) fn take_up(&mut self, portal: PeerDescriptor, badge: Badge, opener: Option<Opener>) {
        match TakenUp::new(&self.pd, portal, self.ledger.capability(badge)) {
            Ok(taken_up) => self.admit(taken_up, badge, opener),
            Err((Unsent::NoRoom | Unsent::Failed(Error::System { .. }), portal)) => {
                self.take_up_later(portal, badge, opener);
            }
            Err((Unsent::Full | Unsent::Failed(_), portal)) => socket::hang_up(portal.as_fd()),
        }
    }

    /// Makes a port of it. A refused portal is closed, and so is its channel: its holder finds a dead capability.
    pub(super) fn admit(&mut self, taken_up: TakenUp, badge: Badge, opener: Option<Opener>) {
        let TakenUp { portal, channel, token, way_home } = taken_up;
        let portal = Arc::new(portal);
        self.admitted += 1;
        let Ok(name) = self.adopt(channel, badge, opener) else { return socket::hang_up(portal.as_fd()) };
        let ready = super::admission::add_event(&self.epoll, portal.as_fd(), name.encode());
        let Some(port) = self.ports.get_mut(name) else { return };
        let transport = SocketTransport::new(self.pd.clone(), portal);
        port.came_by(Entrance { transport, drained: Drained::More });
        (port.token, port.way_home) = (Some(token), Some(way_home));
        self.tokens.insert(token, name);
        if let Err(error) = ready {
            self.close(name, &error);
        }
    }

    /// If nothing comes over the portal of that port any more, it is closed.
    pub(super) fn shut_entrance(&mut self, name: RowName) {
        let entrance = self.ports.get_mut(name).and_then(super::port::Port::shut_entrance);
        if let Some(entrance) = entrance {
            let _ = epoll::delete(&self.epoll, entrance.socket());
        }
    }
}
